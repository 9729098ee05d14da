"""Partners with their sealed secrets, and the one answer that each of their messages gets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.intake.store import Tx
from services.intake.tables import ledger, partners, pushes

OVERLAP = timedelta(hours=24)
"""How long the old secret is good beside the new one."""
_NOW = sa.func.directory.grid_now(type_=sa.TIMESTAMP(timezone=True))


@dataclass(frozen=True, slots=True)
class Partner:
    """Another authority. `source`: what its reports count as; secrets stay sealed until a signature is checked."""

    name: str
    source: str
    scheme: str
    edition: str
    secret: bytes
    previous_secret: bytes | None
    previous_until: datetime | None
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Pushed:
    """A message that has been here before. `answer` is what it got, without the partner's numbers."""

    body_sha256: bytes
    answer: str


_COLUMNS = [partners.c[name] for name in Partner.__slots__]


async def named(tx: Tx, name: str) -> Partner | None:
    """A partner that was not removed."""
    found = await tx.execute(sa.select(*_COLUMNS).where(partners.c.name == name, partners.c.removed_at.is_(None)))
    row = found.one_or_none()
    return None if row is None else Partner(*row)


async def every(tx: Tx) -> list[Partner]:
    """All that were not removed, by name."""
    query = sa.select(*_COLUMNS).where(partners.c.removed_at.is_(None)).order_by(partners.c.name)
    return [Partner(*row) for row in await tx.execute(query)]


async def add(tx: Tx, name: str, source: str, category: tuple[str, str], sealed: bytes) -> bool:
    """A new partner, or one that had been removed; False where the name is taken. `category`: scheme and edition."""
    scheme, edition = category
    values = {"source": source, "scheme": scheme, "edition": edition, "secret": sealed}
    fresh = {**values, "previous_secret": None, "previous_until": None, "added_at": _NOW, "removed_at": None}
    statement = (
        insert(partners)
        .values(name=name, **values)
        .on_conflict_do_update(index_elements=["name"], set_=fresh, where=partners.c.removed_at.is_not(None))
        .returning(partners.c.name)
    )
    return (await tx.execute(statement)).scalar_one_or_none() is not None


async def rotate(tx: Tx, name: str, sealed: bytes) -> bool:
    """A new secret; the old one stays good for a day. False where there is no such partner."""
    statement = (
        sa.update(partners)
        .where(partners.c.name == name, partners.c.removed_at.is_(None))
        .values(secret=sealed, previous_secret=partners.c.secret, previous_until=_NOW + OVERLAP)
        .returning(partners.c.name)
    )
    return (await tx.execute(statement)).scalar_one_or_none() is not None


async def remove(tx: Tx, name: str) -> bool:
    """Nothing is taken from it any more. False where there is no such partner."""
    statement = (
        sa.update(partners)
        .where(partners.c.name == name, partners.c.removed_at.is_(None))
        .values(removed_at=_NOW, previous_secret=None, previous_until=None)
        .returning(partners.c.name)
    )
    return (await tx.execute(statement)).scalar_one_or_none() is not None


# --- one answer for ever ----------------------------------------------------------------------------------------------
async def begin(tx: Tx, partner: str, webhook_id: str, body_sha256: bytes) -> Pushed | None:
    """None for a message that is new; waits for a transaction that is taking the same one."""
    fresh = insert(pushes).values(partner=partner, webhook_id=webhook_id, body_sha256=body_sha256)
    claimed = await tx.execute(fresh.on_conflict_do_nothing().returning(pushes.c.webhook_id))
    if claimed.scalar_one_or_none() is not None:
        return None
    same = sa.and_(pushes.c.partner == partner, pushes.c.webhook_id == webhook_id)
    return Pushed(*(await tx.execute(sa.select(pushes.c.body_sha256, pushes.c.answer).where(same))).one())


async def answered(tx: Tx, partner: str, webhook_id: str, answer: str) -> None:
    """Keep the answer, in the transaction that did the work."""
    same = sa.and_(pushes.c.partner == partner, pushes.c.webhook_id == webhook_id)
    await tx.execute(sa.update(pushes).where(same).values(answer=answer))


async def first_answer(tx: Tx, caller: str, key: str) -> str:
    """What the report under this key was answered when it came first."""
    query = sa.select(ledger.c.answer).where(ledger.c.caller == caller, ledger.c.key == key)
    return str((await tx.execute(query)).scalar_one())

"""Notes of good deeds: the note and its raw words in one transaction; a repeated key changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.chassis.db import grid_now
from services.intake.store import Tx
from services.intake.tables import good_deeds, vault


@dataclass(frozen=True, slots=True)
class NewDeed:
    """A checked note. `sealed` holds the raw words; `seen_at` None: when it is stored."""

    note_id: UUID
    account: str
    key: str
    body_sha256: bytes
    grid: str | None
    masked_text: str
    masked_place: str
    seen_at: datetime | None
    sealed: bytes


@dataclass(frozen=True, slots=True)
class DeedSeen:
    """A stored note. `sealed` None: not read, or erased."""

    note_id: UUID
    account: str
    body_sha256: bytes
    grid: str | None
    masked_text: str
    masked_place: str
    seen_at: datetime
    told_at: datetime
    sealed: bytes | None


_SEEN = (
    good_deeds.c.note_id,
    good_deeds.c.account,
    good_deeds.c.body_sha256,
    good_deeds.c.grid,
    good_deeds.c.masked_text,
    good_deeds.c.masked_place,
    good_deeds.c.seen_at,
    good_deeds.c.told_at,
    vault.c.sealed,
)
_FROM = good_deeds.outerjoin(vault, vault.c.report_id == good_deeds.c.note_id)


async def keep(tx: Tx, new: NewDeed) -> DeedSeen | None:
    """Store the note; or what stands under its key already. None: another account's note has its id."""
    now = await grid_now(tx)
    values = {**asdict(new), "seen_at": new.seen_at or now, "told_at": now}
    sealed = values.pop("sealed")
    statement = insert(good_deeds).values(values)
    written = await tx.execute(statement.on_conflict_do_nothing().returning(good_deeds.c.note_id))
    if written.scalar_one_or_none() is not None:
        await tx.execute(insert(vault).values(report_id=new.note_id, text="", place_words="", note="", sealed=sealed))
    same = sa.and_(good_deeds.c.account == new.account, good_deeds.c.key == new.key)
    row = (await tx.execute(sa.select(*_SEEN).select_from(_FROM).where(same))).one_or_none()
    return _seen(row) if row is not None else None


async def told_by(tx: Tx, account: str, after: tuple[datetime, UUID] | None, limit: int) -> list[DeedSeen]:
    """One person's notes, newest first."""
    return await _page(tx, good_deeds.c.account == account, after, limit)


async def told_in(tx: Tx, areas: Sequence[str], after: tuple[datetime, UUID] | None, limit: int) -> list[DeedSeen]:
    """The notes of grids that lie in one of `areas` (codes that the grids' codes begin with), newest first."""
    inside = sa.or_(sa.false(), *(good_deeds.c.grid.startswith(area, autoescape=True) for area in areas))
    return await _page(tx, inside, after, limit)


async def _page(
    tx: Tx, which: sa.ColumnElement[bool], after: tuple[datetime, UUID] | None, limit: int
) -> list[DeedSeen]:
    order = (good_deeds.c.told_at, good_deeds.c.note_id)
    query = sa.select(*_SEEN).select_from(_FROM).where(which).order_by(*(c.desc() for c in order)).limit(limit)
    if after is not None:
        query = query.where(sa.tuple_(*order) < sa.tuple_(*(sa.literal(v) for v in after)))
    return [_seen(row) for row in await tx.execute(query)]


def _seen(row: Any) -> DeedSeen:
    values: list[Any] = list(row)
    return DeedSeen(*values)

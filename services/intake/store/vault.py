"""The vault's tables: sealed bytes in, sealed bytes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.chassis.db import grid_now
from services.intake.store import Tx
from services.intake.tables import identities, reports, reveals


@dataclass(frozen=True, slots=True)
class Reporting:
    """Whose report it is, as far as the vault asks."""

    report_id: UUID
    receipt_no: str
    account: str | None


@dataclass(frozen=True, slots=True)
class KeptIdentity:
    """Who reported, sealed."""

    sealed: bytes
    given_at: datetime


@dataclass(frozen=True, slots=True)
class Reveal:
    """Somebody was shown an identity."""

    reveal_id: UUID
    report_id: UUID
    account: str
    role: str
    reason: str
    at: datetime


async def reporting(tx: Tx, report_id: UUID) -> Reporting | None:
    """The report, if there is one."""
    columns = (reports.c.report_id, reports.c.receipt_no, reports.c.reporter_account)
    row = (await tx.execute(sa.select(*columns).where(reports.c.report_id == report_id))).one_or_none()
    return Reporting(*row) if row is not None else None


async def keep_identity(tx: Tx, report_id: UUID, sealed: bytes) -> datetime:
    """Put an identity in the place of what was there; answers when."""
    now = await grid_now(tx)
    values = {"sealed": sealed, "given_at": now}
    statement = insert(identities).values(report_id=report_id, **values)
    await tx.execute(statement.on_conflict_do_update(index_elements=[identities.c.report_id], set_=values))
    return now


async def identity_of(tx: Tx, report_id: UUID) -> KeptIdentity | None:
    """What is kept; None: never given, taken back, or past keeping."""
    query = sa.select(identities.c.sealed, identities.c.given_at).where(identities.c.report_id == report_id)
    row = (await tx.execute(query)).one_or_none()
    return KeptIdentity(bytes(row.sealed), row.given_at) if row is not None else None


async def forget_identity(tx: Tx, report_id: UUID) -> bool:
    """Whether there was one to forget."""
    gone = await tx.execute(sa.delete(identities).where(identities.c.report_id == report_id))
    return bool(gone.rowcount)


async def note_reveal(tx: Tx, reveal: Reveal) -> None:
    """Append a look."""
    await tx.execute(
        sa.insert(reveals).values(
            reveal_id=reveal.reveal_id,
            report_id=reveal.report_id,
            account=reveal.account,
            role=reveal.role,
            reason=reveal.reason,
            at=reveal.at,
        )
    )


async def reveals_of(tx: Tx, report_id: UUID) -> Sequence[Reveal]:
    """Every look at who made this report, oldest first."""
    rows = await tx.execute(sa.select(reveals).where(reveals.c.report_id == report_id).order_by(reveals.c.at))
    return [Reveal(**row) for row in rows.mappings()]

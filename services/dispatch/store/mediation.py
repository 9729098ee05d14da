"""What is said in mediation: rows of a table of their own, read by nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Text, cast, insert, select

from services.dispatch.store import Tx
from services.dispatch.tables import mediation_notes as table


@dataclass(frozen=True, slots=True)
class MediationNote:
    """One entry, by the mediator who wrote it."""

    id: UUID
    case_id: str
    account: str
    at: datetime
    note: str


async def add_mediation_note(tx: Tx, note: MediationNote) -> None:
    """Keep it for good: an entry is never changed."""
    values = {"id": note.id, "case_id": UUID(note.case_id), "account": note.account, "at": note.at, "note": note.note}
    await tx.execute(insert(table).values(values))


async def mediation_notes_of(tx: Tx, case_id: str) -> list[MediationNote]:
    """All of a case, oldest first."""
    columns = (table.c.id, cast(table.c.case_id, Text).label("case_id"), table.c.account, table.c.at, table.c.note)
    query = select(*columns).where(table.c.case_id == UUID(case_id)).order_by(table.c.at, table.c.id)
    return [MediationNote(**row) for row in (await tx.execute(query)).mappings()]

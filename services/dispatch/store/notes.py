"""What people typed, under the id of the fact it belongs to. It never leaves dispatch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from services.dispatch import tables
from services.dispatch.store import Tx
from services.dispatch.store.bulk import insert_rows
from services.governance.acts import FactKind

FOR_THE_REPORTER = (
    *(FactKind.MORE_ASKED, FactKind.REPORTER_ASKED, FactKind.NOT_FILED, FactKind.DECLINED),
    *(FactKind.MORE_GIVEN, FactKind.REPORTER_ANSWERED),
)
"""What is written in these is between street and reporter: a question, why not and what to do instead, his answer."""


@dataclass(frozen=True, slots=True)
class Note:
    """Free text of a person."""

    fact_id: UUID
    case_id: str
    text: str


async def keep_notes(tx: Tx, notes: Sequence[Note]) -> None:
    """Store notes beside the facts written in the same transaction."""
    rows = [{"fact_id": str(n.fact_id), "case_id": n.case_id, "note": n.text} for n in notes]
    await insert_rows(tx, tables.notes, rows)


async def note_at(tx: Tx, case_id: str, account: str | None, at: datetime) -> str | None:
    """What a person wrote at that moment, if he wrote anything."""
    facts, notes = tables.case_facts, tables.notes
    query = (
        select(notes.c.note)
        .join(facts, facts.c.fact_id == notes.c.fact_id)
        .where(facts.c.case_id == case_id, facts.c.account == account, facts.c.at == at)
        .limit(1)
    )
    found: str | None = await tx.scalar(query)
    return found


@dataclass(frozen=True, slots=True)
class Written:
    """What somebody wrote for the reporter, under the number of its fact."""

    sequence: int
    kind: str
    at: datetime
    text: str


async def written_for_reporter(tx: Tx, case_id: UUID) -> list[Written]:
    """Oldest first. For intake alone, which asks for the reporters that it knows; nobody's sight of cases is asked."""
    facts, notes = tables.case_facts, tables.notes
    query = (
        select(facts.c.sequence, facts.c.kind, facts.c.at, notes.c.note)
        .join(notes, notes.c.fact_id == facts.c.fact_id)
        .where(facts.c.case_id == case_id, facts.c.kind.in_([kind.value for kind in FOR_THE_REPORTER]))
        .order_by(facts.c.sequence)
    )
    return [Written(*row) for row in await tx.execute(query)]

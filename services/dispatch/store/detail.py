"""One case: under lock for an act, or read with its facts, notes and evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Text, cast, select

from schemas.cases import load_case, load_fact
from services.dispatch.store import Tx
from services.dispatch.store.audience import Scope, handled_cases, readable_cases, visible_cases
from services.dispatch.tables import case_facts, cases, evidence, notes
from services.governance.acts import Fact
from services.governance.case import Case, Sight


@dataclass(frozen=True, slots=True)
class FactRow:
    """A fact as the timeline needs it."""

    sequence: int
    fact_id: str
    version: int
    kind: str
    at: datetime
    account: str | None
    role: str | None
    unit: str | None
    action: str | None
    reason: str | None
    intent: str | None
    rule: str | None
    from_state: str | None
    to_state: str | None
    stage: str
    note: str | None


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """A stored piece of evidence; `fact_id` names the act that used it."""

    id: str
    sha256: str
    mime: str
    bytes: int
    path: str
    account: str
    at: datetime
    fact_id: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """A case that the caller may see, how much of it, and the words lists show."""

    case: Case
    summary: str
    address: str
    sight: Sight
    handled: bool  # the caller has a share in it, so house numbers are for him


async def find_case(tx: Tx, case_no: str, scope: Scope, *, lock: bool = False, unseen: bool = False) -> Found | None:
    """The case, or None when there is none or the caller may not know of it.

    `unseen` skips that question, for the answer to an act that took the case out of its actor's own sight: he is
    shown then as much as if it were restricted.
    """
    columns = (cast(cases.c.body, Text), cases.c.summary, cases.c.address, readable_cases(scope), handled_cases(scope))
    query = select(*columns).where(cases.c.case_no == case_no)
    if not unseen:
        query = query.where(visible_cases(scope))
    if lock:
        query = query.with_for_update()
    row = (await tx.execute(query)).one_or_none()
    if row is None:
        return None
    return Found(load_case(row[0].encode()), row[1], row[2], Sight.FULL if row[3] else Sight.CLASS_ONLY, row[4])


async def facts_of(tx: Tx, case_id: str) -> list[FactRow]:
    """All facts, oldest first, each with what its actor typed."""
    return [_fact(row) for row in (await tx.execute(_facts(case_id))).mappings()]


async def whole_facts(tx: Tx, case_id: str) -> list[Fact]:
    """All facts with their changes, oldest first."""
    query = select(cast(case_facts.c.body, Text)).where(case_facts.c.case_id == case_id).order_by(case_facts.c.sequence)
    return [load_fact(body.encode()) for body in (await tx.execute(query)).scalars()]


async def facts_since(tx: Tx, case_id: str, version: int) -> list[FactRow]:
    """Facts that raised the version above `version`, oldest first."""
    query = _facts(case_id).where(case_facts.c.version > version)
    return [_fact(row) for row in (await tx.execute(query)).mappings()]


async def evidence_of(tx: Tx, case_id: str) -> list[EvidenceRow]:
    """All evidence of a case, oldest first."""
    query = select(*_EVIDENCE).where(evidence.c.case_id == case_id).order_by(evidence.c.at, evidence.c.id)
    return [EvidenceRow(**row) for row in (await tx.execute(query)).mappings()]


_FACT_COLUMNS = (
    *("sequence", "version", "kind", "at", "account", "role", "unit", "action", "reason", "intent", "rule"),
    *("from_state", "to_state", "stage"),
)
_EVIDENCE = (
    *(evidence.c[name] for name in ("id", "sha256", "mime", "bytes", "path", "account", "at")),
    cast(evidence.c.fact_id, Text).label("fact_id"),
)


def _facts(case_id: str) -> Any:
    return (
        select(
            cast(case_facts.c.fact_id, Text).label("fact_id"),
            *(case_facts.c[name] for name in _FACT_COLUMNS),
            notes.c.note,
        )
        .select_from(case_facts.outerjoin(notes, notes.c.fact_id == case_facts.c.fact_id))
        .where(case_facts.c.case_id == case_id)
        .order_by(case_facts.c.sequence)
    )


def _fact(row: Any) -> FactRow:
    return FactRow(**row)

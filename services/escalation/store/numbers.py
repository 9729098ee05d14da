"""Numbers by which other systems know a case: brought by its reports, and by those of the cases merged into it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import orjson
from sqlalchemy import text

from schemas.envelope import Envelope
from schemas.events.case import CaseFactV1
from services.chassis.db import Tx

LEARNT: Final = 2**62
"""The sequence of a number that no fact brought: after all that facts bring."""
_KEEP: Final = text(
    "INSERT INTO escalation.case_numbers (case_id, system, number, sequence)"
    " SELECT case_id, system, number, sequence FROM json_to_recordset(CAST(:rows AS json))"
    " AS r(case_id text, system text, number text, sequence bigint) ORDER BY case_id, system, number, sequence"
    " ON CONFLICT DO NOTHING"
)
_READ: Final = text(
    "SELECT case_id, system, number FROM escalation.case_numbers"
    " WHERE case_id IN (SELECT value FROM json_array_elements_text(CAST(:ids AS json)))"
    " ORDER BY sequence, system, number"
)


async def keep(tx: Tx, facts: Sequence[Envelope[CaseFactV1]]) -> None:
    """Remember the numbers that facts bring."""
    rows = [
        {"case_id": fact.subject, "system": one.system, "number": one.number, "sequence": fact.data.standing.sequence}
        for fact in facts
        for one in fact.data.external
    ]
    if rows:
        await tx.execute(_KEEP, {"rows": orjson.dumps(rows).decode()})


async def learn(tx: Tx, told: Sequence[tuple[str, str, str]]) -> None:
    """Remember how receivers call cases from now on: (case, system, number). What a report brought goes before it."""
    rows = [
        {"case_id": case_id, "system": system, "number": number, "sequence": LEARNT}
        for case_id, system, number in sorted(set(told))
    ]
    if rows:
        await tx.execute(_KEEP, {"rows": orjson.dumps(rows).decode()})


async def of_cases(tx: Tx, facts: Sequence[Envelope[CaseFactV1]]) -> dict[UUID, list[tuple[str, str]]]:
    """By fact: (system, number) of its case and of those merged into it, the case's own first."""
    concerned = {fact.id: [fact.subject, *(d.case_id for d in fact.data.standing.absorbed)] for fact in facts}
    ids = sorted({one for cases in concerned.values() for one in cases})
    by_case: dict[str, list[tuple[str, str]]] = {}
    if ids:
        for row in await tx.execute(_READ, {"ids": orjson.dumps(ids).decode()}):
            by_case.setdefault(row.case_id, []).append((row.system, row.number))
    return {
        fact_id: list(dict.fromkeys(number for case in cases for number in by_case.get(case, ())))
        for fact_id, cases in concerned.items()
    }

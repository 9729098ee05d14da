"""Cases taken under lock, always in id order, so that two batches can wait for each other but never both.

Which cases a merge concerns is only known once they are held: more of them are found then, all are let go, and taken
again together, in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import text

from schemas.cases import load_case
from services.dispatch.store import Tx
from services.dispatch.store.bulk import as_json
from services.governance.case import Case

_LOCK = """
SELECT id, body::text FROM dispatch.cases
WHERE id IN (SELECT value::uuid FROM json_array_elements_text(CAST(:ids AS json)))
ORDER BY id FOR UPDATE
"""
_BY_NUMBER = """
SELECT case_no, id FROM dispatch.cases
WHERE case_no IN (SELECT value FROM json_array_elements_text(CAST(:numbers AS json)))
"""
_BY_REPORT = """
SELECT report_id, case_id FROM dispatch.case_reports
WHERE report_id IN (SELECT value::uuid FROM json_array_elements_text(CAST(:ids AS json)))
"""


async def lock_cases(tx: Tx, ids: Iterable[str]) -> dict[str, Case]:
    """The cases among `ids` that exist, locked until the transaction ends."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    rows = await tx.execute(text(_LOCK), {"ids": as_json(wanted)})
    return {str(row.id): load_case(row.body.encode()) for row in rows}


Concerned = Callable[[Mapping[str, Case]], set[str]]


def masters_of(cases: Mapping[str, Case]) -> set[str]:
    """Ids of those that cases have been merged into."""
    return {case.master.case_id for case in cases.values() if case.master is not None}


def relatives_of(cases: Mapping[str, Case]) -> set[str]:
    """Ids of masters, and of all the duplicates that they and the cases have."""
    return masters_of(cases) | {d.case.case_id for case in cases.values() for d in case.absorbed if d.case.case_no}


@dataclass(frozen=True, slots=True)
class Locked:
    """Cases by id, and the case of each report that was asked for: neither changes until the transaction ends."""

    cases: dict[str, Case]
    homes: dict[str, str]


async def lock_together(
    tx: Tx, ids: Iterable[str], concerned: Concerned = masters_of, *, reports: Iterable[str] = ()
) -> Locked:
    """The cases among `ids` and those of `reports` that exist, with those that they concern."""
    asked = tuple(reports)
    wanted = {*ids, *(await cases_of_reports(tx, asked)).values()}
    while wanted:
        async with tx.begin_nested() as held:
            cases = await lock_cases(tx, wanted)
            homes = await cases_of_reports(tx, asked)  # a merge may have moved them while we waited
            more = {*concerned(cases), *homes.values()} - wanted
            if not more:
                return Locked(cases, homes)
            await held.rollback()  # lets go of the locks
        wanted |= more
    return Locked({}, {})


async def ids_of_numbers(tx: Tx, numbers: Iterable[str]) -> dict[str, str]:
    """case_no → case id, of those that exist."""
    wanted = sorted(set(numbers))
    if not wanted:
        return {}
    rows = await tx.execute(text(_BY_NUMBER), {"numbers": as_json(wanted)})
    return {row.case_no: str(row.id) for row in rows}


async def cases_of_reports(tx: Tx, report_ids: Iterable[str]) -> dict[str, str]:
    """report id → case id, of those that are a case or part of one."""
    wanted = sorted(set(report_ids))
    if not wanted:
        return {}
    rows = await tx.execute(text(_BY_REPORT), {"ids": as_json(wanted)})
    return {str(row.report_id): str(row.case_id) for row in rows}


async def next_numbers(tx: Tx, count: int) -> list[int]:
    """`count` fresh serial numbers for case numbers; gaps are normal."""
    rows = await tx.execute(
        text("SELECT nextval('dispatch.case_numbers') AS n FROM generate_series(1, :count)"), {"count": count}
    )
    return [int(row.n) for row in rows]

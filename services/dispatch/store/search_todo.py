"""Cases that wait for their search row: noted by whoever changes one, in his transaction; taken by one after him."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from schemas.cases import load_case
from services.dispatch import tables
from services.dispatch.store import Tx
from services.dispatch.store.bulk import as_json, upsert_rows
from services.dispatch.store.search_rows import Row, SaidIn, found_by
from services.governance.case import Case

_SPACE: Final = 47_112_030
_TURN: Final = "SELECT pg_try_advisory_xact_lock(:space, 0)"
_FIRST: Final = "SELECT id, case_id FROM dispatch.search_todo ORDER BY id LIMIT :most"
_DONE: Final = """
DELETE FROM dispatch.search_todo
WHERE id IN (SELECT value::bigint FROM json_array_elements_text(CAST(:ids AS json)))"""
_CASES: Final = """
SELECT id, body::text FROM dispatch.cases
WHERE id IN (SELECT value::uuid FROM json_array_elements_text(CAST(:ids AS json)))"""
_SAID: Final = """
SELECT r.case_id, r.receipt_no, coalesce(t.masked_text, '') AS said, coalesce(t.masked_place, '') AS place
FROM dispatch.case_reports r LEFT JOIN dispatch.case_texts t ON t.report_id = r.report_id
WHERE r.case_id IN (SELECT value::uuid FROM json_array_elements_text(CAST(:ids AS json)))
ORDER BY r.case_id, r.at, r.report_id"""
# Whoever acted stands in the timeline; who reported is told by nothing.
_ACTED: Final = """
SELECT case_id, account FROM dispatch.case_facts
WHERE case_id IN (SELECT value::uuid FROM json_array_elements_text(CAST(:ids AS json)))
  AND account IS NOT NULL AND role <> 'RP' AND kind <> 'case.reported'
GROUP BY case_id, account ORDER BY case_id, min(sequence)"""
# Opened by an older version of this service while the table was new.
_FORGOTTEN: Final = """
INSERT INTO dispatch.search_todo (case_id)
SELECT c.id FROM dispatch.cases c
WHERE c.opened_at > directory.grid_now() - interval '2 days'
  AND NOT EXISTS (SELECT FROM dispatch.search_rows s WHERE s.case_id = c.id)
  AND NOT EXISTS (SELECT FROM dispatch.search_todo t WHERE t.case_id = c.id)"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is to be done: numbers of the notes, the cases, what was said in their reports, and who acted."""

    notes: tuple[int, ...]
    cases: tuple[Case, ...]
    said: Mapping[str, Sequence[SaidIn]]
    acted: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Touched:
    """A case before and after; `acted`: by a person, who can now be looked for."""

    before: Case | None
    after: Case
    acted: bool


def notes_of(touched: Iterable[Touched]) -> list[dict[str, str]]:
    """Rows that note those that would now be found otherwise."""
    changed = (t for t in touched if t.acted or t.before is None or found_by(t.before) != found_by(t.after))
    return [{"case_id": each.after.case_id} for each in changed]


async def waiting(tx: Tx, most: int) -> Waiting | None:
    """The first notes; None where there are none, or another process is at them.

    They are read before the cases: whoever noted one has committed what he changed.
    """
    if not (await tx.execute(text(_TURN), {"space": _SPACE})).scalar_one():
        return None
    notes = (await tx.execute(text(_FIRST), {"most": most})).all()
    if not notes:
        return None
    ids = {"ids": as_json(sorted({str(note.case_id) for note in notes}))}
    cases = [load_case(row.body.encode()) for row in await tx.execute(text(_CASES), ids)]
    said: dict[str, list[SaidIn]] = {}
    for row in await tx.execute(text(_SAID), ids):
        said.setdefault(str(row.case_id), []).append(SaidIn(row.receipt_no, row.said, row.place))
    acted: dict[str, list[str]] = {}
    for row in await tx.execute(text(_ACTED), ids):
        acted.setdefault(str(row.case_id), []).append(row.account)
    return Waiting(tuple(note.id for note in notes), tuple(cases), said, acted)


async def keep(tx: Tx, waited: Waiting, rows: Sequence[Row]) -> None:
    """The rows in place of what there was, the notes gone."""
    await upsert_rows(tx, tables.search_rows, rows)
    await tx.execute(text(_DONE), {"ids": as_json(list(waited.notes))})


async def note_forgotten(tx: Tx) -> int:
    """Cases of the last days that nobody has noted; how many."""
    return (await tx.execute(text(_FORGOTTEN))).rowcount

"""Numbers by which other systems know a matter, and the report that brought each: whoever brings one of them again
speaks of the same matter, through whatever door.

Kept by report, not by case: a merge moves reports, and the numbers go with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from sqlalchemy import text

from services.dispatch.store import Tx
from services.dispatch.store.bulk import as_json

Number: TypeAlias = tuple[str, str]
"""The other system as it is known here, and its number."""

# In one order, so that two batches can wait for each other's numbers but never both.
_CLAIM = """
INSERT INTO dispatch.matters (system, number, report_id)
SELECT system, number, report_id FROM json_to_recordset(CAST(:rows AS json))
AS new(system text, number text, report_id uuid) ORDER BY system, number
ON CONFLICT (system, number) DO NOTHING
"""
_READ = """
SELECT m.system, m.number, m.report_id FROM dispatch.matters m
JOIN json_to_recordset(CAST(:rows AS json)) AS asked(system text, number text) USING (system, number)
ORDER BY m.system, m.number FOR UPDATE OF m
"""
_MOVE = """
UPDATE dispatch.matters m SET report_id = new.report_id
FROM json_to_recordset(CAST(:rows AS json)) AS new(system text, number text, report_id uuid)
WHERE m.system = new.system AND m.number = new.number
"""


async def known_by(tx: Tx, brought: Sequence[tuple[Number, str]]) -> dict[Number, str]:
    """The report that each number leads to. `brought`: a number and the report that brings it, in order; a number that
    nobody has brought leads to that report from now on.

    They are held until the transaction ends, and a transaction that holds one is waited for: call it before cases are
    locked.
    """
    first: dict[Number, str] = {}
    for number, report_id in brought:
        first.setdefault(number, report_id)
    if not first:
        return {}
    rows = as_json(_rows(first))
    await tx.execute(text(_CLAIM), {"rows": rows})
    found = await tx.execute(text(_READ), {"rows": rows})
    return {(row.system, row.number): str(row.report_id) for row in found}


async def lead_to(tx: Tx, numbers: Mapping[Number, str]) -> None:
    """These numbers lead to another report from now on: the matter has begun anew."""
    if numbers:
        await tx.execute(text(_MOVE), {"rows": as_json(_rows(numbers))})


def _rows(numbers: Mapping[Number, str]) -> list[dict[str, str]]:
    return [
        {"system": system, "number": number, "report_id": report_id}
        for (system, number), report_id in sorted(numbers.items())
    ]

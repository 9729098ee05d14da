"""Overdue cases, the longest overdue first, and when each point of their ladders was acted on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson
from sqlalchemy import Text, cast, select, text, tuple_

from schemas.cases import load_case
from services.dispatch.store import Tx
from services.dispatch.store.queues import BY_ID
from services.dispatch.tables import cases
from services.governance.case import Case

_LIST: Final = "overdue"
# A fact of a case's answers keeps when the rules were asked only with the first of them.
_ACTED: Final = text("""
SELECT f.case_id::text AS case_id, f.sequence, c.change ->> 'clock_id' AS clock_id, c.change -> 'fired' -> -1 AS rung,
  f.at, (SELECT a.asked ->> 'now' FROM dispatch.case_facts a WHERE a.case_id = f.case_id AND a.sequence <= f.sequence
    AND a.asked IS NOT NULL ORDER BY a.sequence DESC LIMIT 1) AS asked_at
FROM dispatch.case_facts f
CROSS JOIN LATERAL (SELECT e -> 1 -> 'clock' AS change FROM json_array_elements(f.body -> 'changes') e
  WHERE e ->> 0 = 'ClockChanged' AND e -> 1 ->> 'why' IN ('rung', 'stopped')) c
WHERE f.case_id = ANY (CAST(:ids AS uuid[])) AND f.account IS NULL AND json_array_length(c.change -> 'fired') > 0
ORDER BY f.case_id, f.sequence""")

Point = tuple[str, int]
"""Clock and rung."""


async def longest_overdue(tx: Tx, after: tuple[datetime, UUID] | None, most: int) -> list[tuple[Case, datetime]]:
    """The next overdue cases, each with its place in the order."""
    queue = BY_ID[_LIST]
    query = select(cast(cases.c.body, Text), queue.sort.key).where(queue.stands)
    if after is not None:
        query = query.where(tuple_(queue.sort.key, cases.c.id) > tuple_(*after))
    rows = await tx.execute(query.order_by(queue.sort.key, cases.c.id).limit(most))
    return [(load_case(row[0].encode()), row[1]) for row in rows]


async def of_numbers(tx: Tx, numbers: Sequence[str]) -> list[Case]:
    """These cases, in the order of their numbers."""
    query = select(cast(cases.c.body, Text)).where(cases.c.case_no.in_(numbers)).order_by(cases.c.case_no)
    return [load_case(body.encode()) for body in (await tx.execute(query)).scalars()]


async def acted_on(tx: Tx, ids: Sequence[str]) -> dict[str, dict[Point, datetime]]:
    """By case: when each point of a ladder was acted on."""
    found: dict[str, dict[Point, datetime]] = {}
    for row in await tx.execute(_ACTED, {"ids": list(ids)}):
        moment = row.at if row.asked_at is None else max(row.at, datetime.fromisoformat(row.asked_at))
        rung = int(orjson.loads(row.rung) if isinstance(row.rung, str) else row.rung)
        found.setdefault(row.case_id, {}).setdefault((row.clock_id, rung), moment)
    return found

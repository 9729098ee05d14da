"""Rows of cases that must be written anew though nothing has happened, and the counts of lists kept up with them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import text

from schemas.cases import load_case
from services.dispatch import tables
from services.dispatch.store import Tx
from services.dispatch.store.bulk import as_json, insert_rows, update_rows
from services.dispatch.store.counting import oldest
from services.dispatch.store.queues import BY_ID
from services.governance.case import Case

_SPACE: Final = zlib.crc32(b"lists of dispatch") & 0x7FFF_FFFF
# Those whose time has come, and those that a process wrote which knows nothing of lists.
_DUE: Final = """
SELECT id, body::text FROM dispatch.cases WHERE id IN (
  (SELECT id FROM dispatch.cases WHERE turns_at <= directory.grid_now() ORDER BY turns_at LIMIT :most)
  UNION
  (SELECT id FROM dispatch.cases WHERE standing <> sequence AND (live OR queues <> '{}'::text[]) LIMIT :most))
ORDER BY id FOR UPDATE SKIP LOCKED"""
_FOLD: Final = """
WITH gone AS (DELETE FROM dispatch.queue_deltas RETURNING token, queue, open, overdue, came_at, left_at)
INSERT INTO dispatch.queue_counts AS c (token, queue, open, overdue, oldest_at, left_at)
SELECT token, queue, sum(open), sum(overdue), min(came_at), min(left_at) FROM gone
GROUP BY token, queue ORDER BY token, queue
ON CONFLICT (token, queue) DO UPDATE SET open = c.open + excluded.open, overdue = c.overdue + excluded.overdue,
  oldest_at = least(c.oldest_at, excluded.oldest_at),
  left_at = CASE WHEN least(c.left_at, excluded.left_at) <= least(c.oldest_at, excluded.oldest_at)
    THEN least(c.left_at, excluded.left_at) END"""
_DOUBTFUL: Final = """
SELECT token, array_agg(queue ORDER BY queue) AS queues FROM dispatch.queue_counts
WHERE left_at IS NOT NULL GROUP BY token ORDER BY token LIMIT :most"""
_SETTLE: Final = """
UPDATE dispatch.queue_counts AS c SET oldest_at = n.oldest_at, left_at = NULL
FROM json_to_recordset(CAST(:rows AS json)) AS n(queue text, oldest_at timestamptz)
WHERE c.token = :token AND c.queue = n.queue"""


async def take_turn(tx: Tx) -> bool:
    """Whether this transaction may keep the lists: one at a time."""
    return bool((await tx.execute(text("SELECT pg_try_advisory_xact_lock(:space, 0)"), {"space": _SPACE})).scalar_one())


async def due_cases(tx: Tx, most: int) -> list[Case]:
    """Up to twice `most` cases, locked; those that somebody is just writing are left for the next time."""
    rows = await tx.execute(text(_DUE), {"most": most})
    return [load_case(row.body.encode()) for row in rows]


async def rewrite(tx: Tx, rows: Mapping[str, Mapping[str, Any]]) -> None:
    """Write where these locked cases stand now, by their ids, and note them for the live feed."""
    if not rows:
        return
    await update_rows(tx, tables.cases, [{"id": case_id, **row} for case_id, row in rows.items()], where="TRUE")
    await insert_rows(tx, tables.turned, [{"case_id": case_id} for case_id in rows])


async def fold(tx: Tx) -> int:
    """Take what has come and gone into the kept counts; answers how many of them it changed."""
    return (await tx.execute(text(_FOLD))).rowcount


async def settle_oldest(tx: Tx, most: int) -> int:
    """Look for the oldest case of lists whose oldest has left, of up to `most` areas; answers of how many it did."""
    areas: Sequence[Any] = (await tx.execute(text(_DOUBTFUL), {"most": most})).all()
    for area in areas:
        found = await oldest(tx, [BY_ID[queue] for queue in area.queues if queue in BY_ID], frozenset({area.token}))
        rows = [{"queue": queue, "oldest_at": found.get(queue)} for queue in area.queues]
        await tx.execute(text(_SETTLE), {"rows": as_json(rows), "token": area.token})
    return len(areas)

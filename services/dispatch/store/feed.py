"""The live feed's reading: what has been committed since a cursor, in an order that never shows a gap too late.

Rows are read in the order (xid, id). Those below `pg_snapshot_xmin` are settled: every transaction with a smaller
number has ended, so nothing can appear behind a cursor that stands there. Rows above it are told as well, a slow
transaction makes nobody wait, but no cursor may pass them yet. A cursor is a place in the database, hence valid in
every process and after every restart.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from services.dispatch.store import Tx


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in the feed: everything up to and with this row has been seen."""

    xid: int
    id: int


@dataclass(frozen=True, slots=True)
class Change:
    """A committed fact. `left` holds the tokens of those who could see the case before it and cannot any more.

    `settled`: no running transaction can still commit a fact at a place before it.
    """

    place: Place
    settled: bool
    case_id: str
    case_no: str
    sequence: int
    left: frozenset[str]


# The newest place that no running transaction can still precede. `id` max: all rows of older transactions are seen.
_EDGE = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xid, directory.grid_now() AS now"

_AFTER = """
SELECT o.xid::text::bigint AS xid, o.id, o.xid < pg_snapshot_xmin(pg_current_snapshot()) AS settled,
  f.case_id, c.case_no, f.sequence, f.left_audience
FROM dispatch.outbox o
JOIN dispatch.case_facts f ON f.fact_id = o.event_id
JOIN dispatch.cases c ON c.id = f.case_id
WHERE o.created_at >= :since
  AND (o.xid, o.id) > (CAST(CAST(:xid AS text) AS xid8), :id) AND NOT c.history
ORDER BY o.xid, o.id LIMIT :limit
"""


async def edge(tx: Tx) -> tuple[Place, datetime]:
    """Where a subscription starts that wants only what comes from now on, and the time there."""
    row = (await tx.execute(text(_EDGE))).one()
    return Place(row.xid, 0), row.now


async def changes_after(tx: Tx, place: Place, since: datetime, limit: int) -> list[Change]:
    """Facts after `place`, oldest first, settled ones before all others; imported history moves in no list.

    `since` must lie before the first of them: it keeps old partitions unread.
    """
    rows = await tx.execute(text(_AFTER), {"xid": place.xid, "id": place.id, "since": since, "limit": limit})
    return [
        Change(
            place=Place(row.xid, row.id),
            settled=row.settled,
            case_id=str(row.case_id),
            case_no=row.case_no,
            sequence=row.sequence,
            left=frozenset(row.left_audience or ()),
        )
        for row in rows
    ]

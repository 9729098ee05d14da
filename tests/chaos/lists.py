"""Lists and their counts: what is kept is what the rows say, and the rows say what the cases are."""

from __future__ import annotations

from typing import Final

from schemas.cases import load_case
from services.dispatch.store.columns import standing_of
from tests.chaos.violation import Connection, Violation, rows

# For every area and list: what the kept counts and what has not been taken into them yet give, against count(*).
_MISCOUNTED: Final = """
WITH kept AS (
  SELECT token, queue, sum(open) AS open, sum(overdue) AS overdue FROM (
    SELECT token, queue, open, overdue FROM dispatch.queue_counts
    UNION ALL SELECT token, queue, open, overdue FROM dispatch.queue_deltas) k
  GROUP BY token, queue),
counted AS (
  SELECT token, queue, count(*) AS open, count(*) FILTER (WHERE late) AS overdue
  FROM dispatch.cases c, unnest(ARRAY['s:*', 's:' || street, 'c:' || community, 'g:' || grid]) AS token,
    unnest(queues) AS queue
  WHERE token IS NOT NULL GROUP BY token, queue)
SELECT token, queue, coalesce(kept.open, 0), coalesce(kept.overdue, 0), coalesce(counted.open, 0),
  coalesce(counted.overdue, 0)
FROM kept FULL JOIN counted USING (token, queue)
WHERE coalesce(kept.open, 0) <> coalesce(counted.open, 0)
  OR coalesce(kept.overdue, 0) <> coalesce(counted.overdue, 0)
ORDER BY token, queue"""
# A moment after its time has come a case stands where time has taken it.
_STANDING: Final = """
SELECT case_no, queues, late, coalesce(turns_at > directory.grid_now(), true), directory.grid_now(), body::text
FROM dispatch.cases WHERE live OR queues <> '{}'"""


def lists_counted(connection: Connection) -> list[Violation]:
    """Every list of every area holds as many cases as its count says, and every case stands where it belongs."""
    found = [
        Violation("count of a list", f"{queue} of {token}: {kept} ({kept_late} late), counted {count} ({late} late)")
        for token, queue, kept, kept_late, count, late in rows(connection, _MISCOUNTED)
    ]
    return [*found, *_astray(connection)]


def _astray(connection: Connection) -> list[Violation]:
    found = []
    for case_no, queues, late, steady, now, body in rows(connection, _STANDING):
        wanted = standing_of(load_case(body.encode()), now)
        if steady and (sorted(queues), late) != (sorted(wanted.queues), wanted.late):
            found.append(Violation("case in a wrong list", f"{case_no}: {sorted(queues)}, should be {wanted.queues}"))
    return found

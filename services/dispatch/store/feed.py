"""The live feed's reading: what has been committed since an earlier look, whatever still runs meanwhile.

A look is remembered by what it could see: every transaction below `ahead` but for those that were `running`. The next
look asks for what has ended since, by number and not by age, so a transaction that stays open, in this database or in
another one of the server, neither holds others back nor is passed over when it ends. What a look could see holds in
every process and after every restart.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from services.chassis.statements import Statements
from services.dispatch.store import Tx
from services.dispatch.store.audience import Scope


@dataclass(frozen=True, slots=True)
class Seen:
    """The transactions whose facts a look has seen: all below `ahead`, without those that were `running`."""

    ahead: int
    running: tuple[int, ...] = ()

    @classmethod
    def parse(cls, snapshot: str) -> Seen:
        """Of the text of a `pg_snapshot`."""
        _, ahead, running = snapshot.split(":")
        return cls(int(ahead), tuple(sorted(int(each) for each in running.split(",") if each)))


@dataclass(frozen=True, slots=True)
class Change:
    """A committed fact. `left` holds the tokens of those who could see the case before it and cannot any more.

    `audience`: those of who can see it now. `asked_by`: the accounts that asked for something in it.
    """

    case_id: str
    case_no: str
    sequence: int
    left: frozenset[str]
    audience: frozenset[str]
    asked_by: frozenset[str]

    @property
    def accounts(self) -> frozenset[str]:
        """Those for whom it may stand elsewhere than for others of the same posts."""
        personal = (token[2:] for token in (*self.audience, *self.left) if token.startswith("p:"))
        return self.asked_by.union(personal)

    def concerns(self, scope: Scope) -> bool:
        """False: the scope neither sees the case nor did before."""
        return scope.all_streets or not (self.audience | self.left).isdisjoint(scope.tokens | scope.checks)


_EDGE: Final = "SELECT pg_current_snapshot()::text AS seen, directory.grid_now() AS now"

# A case that changed lists by time alone has no fact that says so, but a row in `turned`.
_NEW: Final = (
    "SELECT pg_current_snapshot()::text, directory.grid_now(),"
    " EXISTS (SELECT FROM dispatch.outbox WHERE created_at >= %(since)s AND xid >= %(ahead)s::text::xid8)"
    " OR EXISTS (SELECT FROM dispatch.outbox WHERE created_at >= %(since)s"
    " AND xid = ANY(string_to_array(%(running)s, ',')::xid8[]))"
    " OR EXISTS (SELECT FROM dispatch.turned WHERE xid >= %(ahead)s::text::xid8)"
    " OR EXISTS (SELECT FROM dispatch.turned WHERE xid = ANY(string_to_array(%(running)s, ',')::xid8[]))"
)

_FACTS: Final = """
WITH fresh AS (
  SELECT o.xid, o.id, o.event_id FROM dispatch.outbox o
  WHERE o.created_at >= :since AND o.xid >= CAST(:ahead AS xid8)
  UNION ALL
  SELECT o.xid, o.id, o.event_id FROM dispatch.outbox o
  WHERE o.created_at >= :since AND o.xid = ANY(CAST(string_to_array(:running, ',') AS xid8[]))
), changed AS (
  SELECT o.xid, o.id, f.case_id, f.sequence, f.left_audience
  FROM fresh o JOIN dispatch.case_facts f ON f.fact_id = o.event_id
  UNION ALL
  SELECT t.xid, t.id, t.case_id, NULL, NULL FROM dispatch.turned t WHERE t.xid >= CAST(:ahead AS xid8)
  UNION ALL
  SELECT t.xid, t.id, t.case_id, NULL, NULL FROM dispatch.turned t
  WHERE t.xid = ANY(CAST(string_to_array(:running, ',') AS xid8[]))
)
SELECT o.case_id, c.case_no, coalesce(o.sequence, c.sequence) AS sequence, o.left_audience, c.audience,
  ARRAY(SELECT DISTINCT r.account FROM dispatch.requests r WHERE r.case_id = c.id AND r.account IS NOT NULL) AS asked_by
FROM changed o
JOIN dispatch.cases c ON c.id = o.case_id
WHERE NOT c.history
ORDER BY o.xid, o.id LIMIT :limit
"""


async def edge(tx: Tx) -> tuple[Seen, datetime]:
    """What this transaction can see, and the time there."""
    row = (await tx.execute(text(_EDGE))).one()
    return Seen.parse(row.seen), row.now


async def anything_after(statements: Statements, seen: Seen, since: datetime) -> bool:
    """Whether something was committed that a look had not seen: asked many times a second, so it asks nothing else."""
    rows = await statements.rows(_NEW, _bounds(seen, since))
    return bool(rows[0][2])


async def changes_after(tx: Tx, seen: Seen, since: datetime, limit: int) -> list[Change]:
    """Facts that this transaction sees and an earlier look did not; imported history moves in no list.

    `since` must lie before the first of them: it keeps old partitions unread.
    """
    rows = await tx.execute(text(_FACTS), {**_bounds(seen, since), "limit": limit})
    return [
        Change(
            case_id=str(row.case_id),
            case_no=row.case_no,
            sequence=row.sequence,
            left=frozenset(row.left_audience or ()),
            audience=frozenset(row.audience),
            asked_by=frozenset(row.asked_by),
        )
        for row in rows
    ]


def newest(changes: Iterable[Change]) -> dict[str, Change]:
    """The last of each case, by its id."""
    return {change.case_id: change for change in changes}


def _bounds(seen: Seen, since: datetime) -> dict[str, Any]:
    return {"ahead": str(seen.ahead), "running": ",".join(map(str, seen.running)), "since": since}

"""How much stands in each list: read off kept counts, not off the cases.

Whoever sees an area is told the kept count of its lists (`queue_counts` and what `queue_deltas` still has, seen in one
moment: exactly what counting the rows would give). What he sees beside his areas, and lists of which he has a share
only, is counted: both are few rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, cast, func, literal, select, text, union_all
from sqlalchemy.dialects.postgresql import ARRAY, TEXT

from services.dispatch.store import Tx
from services.dispatch.store.audience import EVERY_STREET, Scope, visible_cases
from services.dispatch.store.bulk import as_json
from services.dispatch.store.queues import QUEUES, Queue, Whole
from services.dispatch.store.whose import Whose
from services.dispatch.tables import cases

Predicate = ColumnElement[bool]
_KINDS: Final = ("s:", "c:", "g:")
_KEPT: Final = """
SELECT queue, sum(open)::bigint AS open, sum(overdue)::bigint AS overdue, min(oldest_at) AS oldest_at,
  coalesce(min(left_at) <= min(oldest_at), false) AS doubtful
FROM (SELECT token, queue, open, overdue, oldest_at, left_at FROM dispatch.queue_counts
  UNION ALL SELECT token, queue, open, overdue, came_at, left_at FROM dispatch.queue_deltas) k
WHERE token IN (SELECT json_array_elements_text(CAST(:tokens AS json))) GROUP BY queue"""


@dataclass(frozen=True, slots=True)
class QueueCount:
    """How much stands in a queue."""

    queue: Queue
    open: int
    overdue: int
    oldest_at: datetime | None


@dataclass(slots=True)
class _Sum:
    open: int = 0
    overdue: int = 0
    oldest_at: datetime | None = None

    def add(self, open_: int, overdue: int, oldest_at: datetime | None) -> None:
        self.open += open_
        self.overdue += overdue
        self.oldest_at = min((at for at in (self.oldest_at, oldest_at) if at is not None), default=None)


async def counts(tx: Tx, scope: Scope, queues: Sequence[Queue] = QUEUES, whose: Whose = Whose.ALL) -> list[QueueCount]:
    """All queues as the scope sees them in this moment. `tx` must be one that sees one moment only."""
    areas = _areas_of(scope)
    kept = [queue for queue in queues if areas and _is_whole(queue, scope)]
    sums = {queue.id: _Sum() for queue in queues}
    within = (cases.c.live, visible_cases(scope), whose.holds(scope))
    if kept and whose is Whose.ALL:
        await _add_kept(tx, kept, areas, sums)
        await _add_beside(tx, kept, scope, areas, sums)
    else:
        await _add_within(tx, kept, scope, within, sums)
    await _add(tx, [q for q in queues if q not in kept], scope, within, sums)
    return [QueueCount(q, sums[q.id].open, sums[q.id].overdue, sums[q.id].oldest_at) for q in queues]


def _areas_of(scope: Scope) -> frozenset[str]:
    """The areas whose kept counts add up to most of what the scope sees: none of them lies in another."""
    if EVERY_STREET in scope.tokens:
        return frozenset({EVERY_STREET})
    kinds = (frozenset(token for token in scope.tokens if token.startswith(kind)) for kind in _KINDS)
    return next((areas for areas in kinds if areas), frozenset())


def _is_whole(queue: Queue, scope: Scope) -> bool:
    return queue.stored and (scope.wide or queue.whole is not Whole.OF_STREETS)


async def _add_kept(tx: Tx, kept: Iterable[Queue], areas: frozenset[str], sums: dict[str, _Sum]) -> None:
    wanted = {queue.id: queue for queue in kept}
    rows = await tx.execute(text(_KEPT), {"tokens": as_json(sorted(areas))})
    doubtful = []
    for row in rows:
        if row.queue in wanted and row.open:
            sums[row.queue].add(row.open, row.overdue, None if row.doubtful else row.oldest_at)
            if row.doubtful or row.oldest_at is None:
                doubtful.append(wanted[row.queue])
    if doubtful:
        for queue_id, oldest_at in (await oldest(tx, doubtful, areas)).items():
            sums[queue_id].add(0, 0, oldest_at)


async def oldest(tx: Tx, queues: Sequence[Queue], areas: frozenset[str]) -> dict[str, datetime | None]:
    """When the oldest case of each list was opened."""
    within = (cases.c.live, _within(areas))
    found = union_all(*(_oldest(queue, within) for queue in queues))
    return {row.queue: row.oldest_at for row in await tx.execute(found)}


def _within(areas: frozenset[str]) -> Predicate:
    """Cases of these areas."""
    shared: Predicate = cases.c.audience.overlap(cast(sorted(areas), ARRAY(TEXT)))
    return shared


def _oldest(queue: Queue, within: tuple[Predicate, ...]) -> Select[str, datetime | None]:
    oldest_at = func.min(cases.c.opened_at).label("oldest_at")
    return select(literal(queue.id).label("queue"), oldest_at).where(*within, queue.stands)


async def _add_beside(
    tx: Tx, kept: Sequence[Queue], scope: Scope, areas: frozenset[str], sums: dict[str, _Sum]
) -> None:
    """What he sees for another reason than his areas."""
    rest = replace(scope, tokens=scope.tokens - areas)
    if EVERY_STREET in scope.tokens or not (rest.tokens or rest.checks):
        return
    await _add_within(tx, kept, scope, (cases.c.live, visible_cases(rest), ~_within(areas)), sums)


async def _add_within(
    tx: Tx, kept: Sequence[Queue], scope: Scope, within: tuple[Predicate, ...], sums: dict[str, _Sum]
) -> None:
    """Lists that rows tell of, counted."""
    if not scope.wide:
        await _add(tx, kept, scope, within, sums)
        return
    name = func.unnest(cases.c.queues).label("queue")  # he has all of every list
    few = select(name, cases.c.late, cases.c.opened_at).where(*within).subquery()
    found = select(few.c.queue, *_figures(few.c.late, few.c.opened_at)).group_by(few.c.queue)
    for row in await tx.execute(found):
        if row.queue in {queue.id for queue in kept}:
            sums[row.queue].add(row.open, row.overdue, row.oldest_at)


async def _add(
    tx: Tx, queues: Sequence[Queue], scope: Scope, within: tuple[Predicate, ...], sums: dict[str, _Sum]
) -> None:
    """Counted in one statement, each with a plan of its own: most touch only the rows they count."""
    if not queues:
        return
    each = [
        select(literal(queue.id).label("queue"), *_figures(cases.c.late, cases.c.opened_at)).where(
            *within, queue.holds(scope)
        )
        for queue in queues
    ]
    for row in await tx.execute(union_all(*each)):
        sums[row.queue].add(row.open, row.overdue, row.oldest_at)


def _figures(late: ColumnElement[bool], opened_at: ColumnElement[datetime]) -> tuple[ColumnElement[Any], ...]:
    return (
        func.count().label("open"),
        func.count().filter(late).label("overdue"),
        func.min(opened_at).label("oldest_at"),
    )

"""Queues with their words: the counts of all, and one page of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from schemas.api.dispatch import QueueCountOut, QueueRow
from schemas.labels import Labels
from services.chassis.directory import DirectoryCache
from services.dispatch.store import Tx
from services.dispatch.store.audience import Scope, scope_of
from services.dispatch.store.counting import QueueCount, counts
from services.dispatch.store.filters import Filter
from services.dispatch.store.lists import ListRow, queue_page, rows_in_order
from services.dispatch.store.queues import BY_ID, QUEUES, Queue
from services.dispatch.store.searching import Asked, Place, found
from services.dispatch.store.whose import Whose
from services.dispatch.usecases.rows import row_out, rulebooks_of
from services.governance.acts import Actor

COUNTED: Final = 1_000
"""So many hits are counted; more than that is a question too wide to be worth the time."""


class UnknownQueue(LookupError):
    """There is no queue of this id."""


async def count_queues(
    tx: Tx, scope: Scope, labels: Labels, wanted: Sequence[str] = (), whose: Whose = Whose.ALL
) -> tuple[QueueCountOut, ...]:
    """All queues (or the `wanted` ones) as the scope sees them. Raises UnknownQueue."""
    queues = [_queue(each) for each in wanted] or QUEUES
    return tuple(_count_out(each, labels) for each in await counts(tx, scope, queues, whose))


async def read_queue(
    tx: Tx,
    queue_id: str,
    actor: Actor,
    cache: DirectoryCache,
    *,
    limit: int,
    after: tuple[str, str] | None,
    narrow: Filter | None = None,
    whose: Whose = Whose.ALL,
) -> tuple[list[QueueRow], tuple[str, str] | None]:
    """A page of what passes the filter, and the key to go on from (None: the end). Raises UnknownQueue."""
    queue = _queue(queue_id)
    scope = scope_of(actor)
    rows = await queue_page(tx, queue, scope, limit=limit + 1, after=after, narrow=narrow, whose=whose)
    return await _page(rows, cache, limit)


@dataclass(frozen=True, slots=True)
class Found:
    """A page of what was looked for. `total` counts no further than `COUNTED`, and only with the first page."""

    rows: list[QueueRow]
    next: tuple[str, str] | None
    total: int | None


async def find_cases(
    tx: Tx, words: str, actor: Actor, cache: DirectoryCache, *, limit: int, after: Place | None
) -> Found:
    """Cases by number or by what is said of them, newest first. Raises TooShort."""
    scope = scope_of(actor)
    most = limit if after is not None else max(limit, COUNTED)
    places = await found(tx, Asked.of(words), scope, most=most + 1, after=after)
    shown = await rows_in_order(tx, [place.case_id for place in places[:limit]], scope)
    rulebooks = await rulebooks_of(cache, shown)
    out = [row_out(row, cache.current(), rulebooks) for row in shown]
    last = places[limit - 1] if len(places) > limit else None
    goes_on = (last.opened_at.isoformat(), last.case_id) if last is not None else None
    return Found(out, goes_on, min(len(places), COUNTED + 1) if after is None else None)


async def _page(
    rows: list[ListRow], cache: DirectoryCache, limit: int
) -> tuple[list[QueueRow], tuple[str, str] | None]:
    shown = rows[:limit]
    rulebooks = await rulebooks_of(cache, shown)
    out = [row_out(row, cache.current(), rulebooks) for row in shown]
    return out, (shown[-1].key, shown[-1].id) if len(rows) > limit else None


def _queue(queue_id: str) -> Queue:
    found = BY_ID.get(queue_id)
    if found is None:
        raise UnknownQueue(queue_id)
    return found


def _count_out(count: QueueCount, labels: Labels) -> QueueCountOut:
    return QueueCountOut(
        id=count.queue.id,
        label=labels.word("queue", count.queue.id),
        group=count.queue.group,
        stage=count.queue.stage,
        open=count.open,
        overdue=count.overdue,
        oldest_at=count.oldest_at,
    )

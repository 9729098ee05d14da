"""Queues with their words: the counts of all, and one page of one."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.api.dispatch import QueueCountOut, QueueRow
from schemas.labels import Labels
from services.chassis.directory import DirectoryCache
from services.dispatch.store import Tx
from services.dispatch.store.audience import Scope, scope_of
from services.dispatch.store.lists import ListRow, QueueCount, counts, queue_page, search
from services.dispatch.store.queues import BY_AGE, BY_ID, QUEUES, Queue
from services.dispatch.usecases.rows import row_out, rulebooks_of
from services.governance.acts import Actor


class UnknownQueue(LookupError):
    """There is no queue of this id."""


async def count_queues(tx: Tx, scope: Scope, labels: Labels, wanted: Sequence[str] = ()) -> tuple[QueueCountOut, ...]:
    """All queues (or the `wanted` ones) as the scope sees them. Raises UnknownQueue."""
    queues = [_queue(each) for each in wanted] or QUEUES
    return tuple(_count_out(each, labels) for each in await counts(tx, scope, queues))


async def read_queue(
    tx: Tx, queue_id: str, actor: Actor, cache: DirectoryCache, *, limit: int, after: tuple[str, str] | None
) -> tuple[list[QueueRow], tuple[str, str] | None]:
    """A page and the key to go on from (None: the end). Raises UnknownQueue."""
    queue = _queue(queue_id)
    rows = await queue_page(tx, queue, scope_of(actor), limit=limit + 1, after=after)
    return await _page(rows, cache, limit)


async def find_cases(
    tx: Tx, words: str, actor: Actor, cache: DirectoryCache, *, limit: int, after: tuple[str, str] | None
) -> tuple[list[QueueRow], tuple[str, str] | None]:
    """Cases that the caller may see, by number or words."""
    rows = await search(tx, words, scope_of(actor), sort=BY_AGE, limit=limit + 1, after=after)
    return await _page(rows, cache, limit)


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

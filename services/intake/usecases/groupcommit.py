"""Concurrent submissions share one commit: while one batch is being written, the next gathers behind it.

Nobody waits for company: a lone item is written at once. Several writers share what waits, so that one makes its batch
ready while the database is busy with another's. Every waiter gets its own outcome, after COMMIT. When the
database is away the batch fails at once and nothing stays in memory. When the data of one item are at fault, the
batch is split until the others are through.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

MOST_AT_ONCE = 256
MOST_WAITING = 4096


class Unavailable(Exception):
    """The write could not be done now; the same request may be sent again. Nothing was acknowledged."""


@dataclass(slots=True)
class _Waiting(Generic[Item, Outcome]):
    item: Item
    answer: asyncio.Future[Outcome]


class GroupCommit(Generic[Item, Outcome]):
    """`write` puts a batch into one transaction and returns one outcome per item, in order."""

    def __init__(
        self,
        write: Callable[[Sequence[Item]], Awaitable[Sequence[Outcome]]],
        transient: Callable[[BaseException], bool],
        *,
        most_at_once: int = MOST_AT_ONCE,
        writers: int = 1,
    ) -> None:
        self._write = write
        self._transient = transient
        self._most_at_once = most_at_once
        self._waiting: deque[_Waiting[Item, Outcome]] = deque()
        self._woken = asyncio.Event()
        self._idle = self._writers = writers
        self._tasks: list[asyncio.Task[None]] = []
        self.batches = 0

    def start(self) -> None:
        """Begin to write; call it inside the running loop."""
        begin = asyncio.get_running_loop().create_task
        self._tasks = [begin(self._run(), name=f"group-commit-{n}") for n in range(self._writers)]

    async def close(self) -> None:
        """Stop after the batch in hand; whoever still waits is told Unavailable."""
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        for waiting in self._waiting:
            self._fail(waiting, Unavailable("shutting down"))
        self._waiting.clear()

    async def submit(self, item: Item) -> Outcome:
        """Returns after COMMIT. Raises Unavailable, or what `write` raised for this item alone."""
        if len(self._waiting) >= MOST_WAITING:
            raise Unavailable("too many submissions are waiting")
        waiting: _Waiting[Item, Outcome] = _Waiting(item, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._woken.set()
        return await waiting.answer

    async def _run(self) -> None:
        while True:
            await self._woken.wait()
            await asyncio.sleep(0)  # let those that arrived in the same turn of the loop join
            batch = self._share()
            if not batch:
                continue
            self._idle -= 1
            try:
                await self._settle(batch)
            except asyncio.CancelledError:
                for waiting in batch:
                    self._fail(waiting, Unavailable("shutting down"))
                raise
            finally:
                self._idle += 1

    def _share(self) -> list[_Waiting[Item, Outcome]]:
        """What one idle writer takes of what waits; empty where the other was quicker."""
        fair = -(-len(self._waiting) // self._idle)
        batch = [self._waiting.popleft() for _ in range(min(fair, self._most_at_once))]
        if not self._waiting:
            self._woken.clear()
        return batch

    async def _settle(self, batch: Sequence[_Waiting[Item, Outcome]]) -> None:
        """Write a batch; on an item's fault write its halves, so that neighbours do not fail with it."""
        self.batches += 1
        try:
            outcomes = await self._write([waiting.item for waiting in batch])
        except Exception as error:  # noqa: BLE001 - every waiter must get an answer, whatever it is
            await self._unsettled(batch, error)
            return
        for waiting, outcome in zip(batch, outcomes, strict=True):
            if not waiting.answer.done():
                waiting.answer.set_result(outcome)

    async def _unsettled(self, batch: Sequence[_Waiting[Item, Outcome]], error: Exception) -> None:
        if self._transient(error):
            for waiting in batch:
                lost = Unavailable(type(error).__name__)
                lost.__cause__ = error
                self._fail(waiting, lost)
        elif len(batch) == 1:
            self._fail(batch[0], error)
        else:
            half = len(batch) // 2
            await self._settle(batch[:half])
            await self._settle(batch[half:])

    def _fail(self, waiting: _Waiting[Item, Outcome], error: Exception) -> None:
        if not waiting.answer.done():  # a client that went away has cancelled its future
            waiting.answer.set_exception(error)

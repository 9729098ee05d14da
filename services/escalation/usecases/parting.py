"""What is under way when a process is asked to end has a few seconds left; then it is let go, and goes again elsewhere.

A receiver that never answers would otherwise hold up the end until the process is cut off, with nothing noted.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

T = TypeVar("T")
PARTING_S: Final = 4.0
"""Most answers come sooner. Less than what a part has for its end, so that there is time to note what was let go."""
SENDER_ENDED: Final = "sender_ended"
"""The error of an attempt that was let go: nobody's failure."""


class Parting:
    """The patience of a sender with what it has under way."""

    def __init__(self, patience_s: float = PARTING_S) -> None:
        self._patience_s = patience_s
        self._waiting: set[asyncio.Timeout] = set()
        self._over = False

    @asynccontextmanager
    async def kept(self, stop: asyncio.Event) -> AsyncIterator[None]:
        """Inside, patience ends so long after `stop`."""
        watching = asyncio.ensure_future(self._watch(stop))
        try:
            yield
        finally:
            watching.cancel()

    async def of(self, work: Awaitable[T]) -> T | None:
        """What comes of it; None once patience is over."""
        try:
            async with asyncio.timeout(0 if self._over else None) as limit:
                self._waiting.add(limit)
                return await work
        except TimeoutError:
            if limit.expired():
                return None
            raise
        finally:
            self._waiting.discard(limit)

    async def _watch(self, stop: asyncio.Event) -> None:
        await stop.wait()
        await asyncio.sleep(self._patience_s)
        self._over = True
        for limit in self._waiting:
            limit.reschedule(asyncio.get_running_loop().time())

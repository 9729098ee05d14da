"""Those who listen, and what is put into their hands."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from schemas.api.base import Out
from services.dispatch.live.cursor import Cursor, Reset
from services.dispatch.store.audience import Scope
from services.dispatch.store.feed import Seen


@dataclass(frozen=True, slots=True)
class Look:
    """One snapshot of the database. A look of a higher number was taken later, so it sees at least as much."""

    number: int
    seen: Seen
    now: datetime

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.seen, self.now)


@dataclass(frozen=True)
class Event:
    """One event ready for the wire. `cursor` is what its reader has then seen up to; None says nothing about that.

    The last event of a look alone carries one: whoever was cut off in the middle hears all of the look again.
    """

    name: str
    data: str
    cursor: Cursor | None
    look: int

    @cached_property
    def wire(self) -> bytes:
        """As it is sent, made once for all its readers."""
        number = f"id: {self.cursor.encode()}\n" if self.cursor is not None else ""
        return f"event: {self.name}\n{number}data: {self.data}\n\n".encode()


def event(name: str, body: Out, look: Look) -> Event:
    """An event of a look that says nothing yet of what its reader has seen."""
    return Event(name, body.model_dump_json(), None, look.number)


def closed(events: Sequence[Event], look: Look) -> list[Event]:
    """The events of a look, the last of which says that it is over."""
    return [*events[:-1], replace(events[-1], cursor=look.cursor)] if events else []


@dataclass(eq=False, slots=True)
class Subscription:
    """One reader. Everything for a scope and language is made once and put into the hands of its readers."""

    scope: Scope
    lang: str
    room: int
    """So many events may wait for him."""
    behind: bool = False
    since: int = 0
    """What he was caught up with; older looks have nothing new for him."""
    _waiting: deque[Event] = field(default_factory=deque)
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    async def next(self, patience_s: float) -> Event | None:
        """The next event, or None when nothing came for so long. Raises Reset once too far behind."""
        if not await self._something(patience_s):
            return None
        taken = self._waiting.popleft()
        if not self._waiting:
            self._came.clear()
        return taken

    async def all(self, patience_s: float) -> list[Event]:
        """Whatever waits, as soon as anything does; nothing after so long. Raises Reset once too far behind."""
        if not await self._something(patience_s):
            return []
        taken = list(self._waiting)
        self._waiting.clear()
        self._came.clear()
        return taken

    def offer(self, events: Sequence[Event]) -> None:
        """Never waits: a reader who does not read is told to start again."""
        if self.behind:
            return
        new = [each for each in events if each.look >= self.since]
        if len(self._waiting) + len(new) > self.room:
            self.cut()
        elif new:
            self._waiting.extend(new)
            self._came.set()

    def cut(self) -> None:
        """He has missed something."""
        self.behind = True
        self._came.set()

    def caught_up(self, missed: Sequence[Event], look: Look) -> None:
        """What he missed goes first; what came meanwhile follows, without what the look had seen as well."""
        waiting = list(self._waiting)
        self._waiting.clear()
        self.since = look.number
        self.offer([*missed, *waiting])

    async def _something(self, patience_s: float) -> bool:
        if not self._waiting and not self.behind:
            self._came.clear()  # what came may have been taken back since; waiting for it would not wait
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    await self._came.wait()
        if self.behind and not self._waiting:
            raise Reset
        return bool(self._waiting)

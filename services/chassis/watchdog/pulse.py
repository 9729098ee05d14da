"""What a loop tells of itself, so that its standstill is noticed and its patience is not mistaken for one.

The loop writes, the watching thread reads; each value is a single assignment, so neither waits for the other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from services.chassis.watchdog.rules import LoopSeen

Excuse = Callable[[], Awaitable[str | None]]
"""Asked before a loop is suspected: names what it needs and does not get (a database that is away), or None."""


class Pulse:
    """One loop's pulse. A loop that never says anything is taken for one that does not come round."""

    def __init__(self, name: str, excuse: Excuse | None = None) -> None:
        self.name = name
        self.excuse = excuse
        self.excused: str | None = None
        self.serving = True
        """Whether it does its work: a worker without partitions does not."""
        self._turns = 0
        self._work = 0
        self._done = 0
        self._waits_for: str | None = None

    def turn(self) -> None:
        """The loop came round."""
        self._turns += 1

    def did(self, count: int = 1) -> None:
        """So much work was finished."""
        self._done += count
        self._turns += 1

    def has(self, work: int) -> None:
        """So much work waits."""
        self._work = work

    def waits(self, what: str | None) -> None:
        """It cannot work until this comes back; None: it can."""
        self._waits_for = what

    @property
    def seen(self) -> LoopSeen:
        """As it stands now."""
        return LoopSeen(self.name, self._turns, self._work, self._done, self._waits_for, self.excused)

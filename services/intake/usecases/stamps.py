"""Time and numbers for the next reports, brought along by the last write: a report then needs one way to the database.

The time is the database's as it was told, and what has passed here since it was told: behind it, never ahead of it.
The write itself compares it with the database's clock, and does nothing where it is off.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.intake.store.submissions import Stamp


@dataclass(slots=True)
class _Told:
    now: datetime
    heard: float


class Stamps:
    """For all writers of a process. Numbers that are left when it ends are used by nobody."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._told: _Told | None = None
        self._numbers: deque[int] = deque()

    def take(self, count: int) -> Stamp | None:
        """For `count` reports; None: the database must be asked."""
        if self._told is None or len(self._numbers) < count:
            return None
        now = self._told.now + timedelta(seconds=self._monotonic() - self._told.heard)
        return Stamp(now, tuple(self._numbers.popleft() for _ in range(count)))

    def wanted(self, count: int) -> int:
        """How many numbers a write of `count` reports should bring along, so that every writer finds as many."""
        return max(0, 2 * count - len(self._numbers))

    def told(self, stamp: Stamp) -> None:
        """What a write brought along."""
        self._told = _Told(stamp.now, self._monotonic())
        self._numbers.extend(stamp.numbers)

    def forget(self) -> None:
        """After a fault: the next database may be another one."""
        self._told = None
        self._numbers.clear()

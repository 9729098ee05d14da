"""How far behind each partition is, and for how long it has stood still."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from services.chassis.clock import monotonic


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


class Lag(NamedTuple):
    """How many messages wait there, and seconds since one was committed; 0 while nothing waits."""

    messages: int
    still_s: float


class Lags:
    """Compares one look with the look before; partitions that went to another process are forgotten."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._moved: dict[Place, tuple[int, float]] = {}

    def look(self, ends: Mapping[Place, tuple[int, int]]) -> dict[Place, Lag]:
        """`ends`: per partition of ours the next offset to commit and the end of what Kafka has."""
        now = self._clock()
        self._moved = {place: self._moved.get(place, (done, now)) for place, (done, _) in ends.items()}
        told: dict[Place, Lag] = {}
        for place, (done, end) in ends.items():
            before, since = self._moved[place]
            if done != before or done >= end:
                since = now
            self._moved[place] = (done, since)
            told[place] = Lag(max(0, end - done), now - since)
        return told

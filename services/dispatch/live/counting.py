"""Counts beside the rows: after a change, at most once a second for each reader, and never at the rows' expense."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from schemas.api.dispatch import QueueCountsEvent
from schemas.labels import Labels
from services.chassis.clock import monotonic
from services.dispatch.live.readers import Look, Subscription, closed, event
from services.dispatch.store import Tx
from services.dispatch.store.audience import Scope
from services.dispatch.usecases.queues import count_queues

COUNTS_EVERY_S = 1.0
SLICE_S = 0.05
"""Seconds of one look that counting may take; who is left out comes first in the next."""


@dataclass(slots=True)
class _Sight:
    """All readers with the same counts."""

    readers: list[Subscription] = field(default_factory=list)
    due: bool = True
    at: float = float("-inf")


class Counting:
    """Who waits for counts. They are of one look with the rows told before, so the two agree."""

    def __init__(self) -> None:
        self._sights: dict[tuple[Scope, str], _Sight] = {}

    def add(self, reader: Subscription) -> None:
        self._sights.setdefault((reader.scope, reader.lang), _Sight()).readers.append(reader)

    def remove(self, reader: Subscription) -> None:
        sight = self._sights[reader.scope, reader.lang]
        sight.readers.remove(reader)
        if not sight.readers:
            del self._sights[reader.scope, reader.lang]

    def mark(self, readers: Iterable[Subscription]) -> None:
        """Something changed for them."""
        for reader in readers:
            if (sight := self._sights.get((reader.scope, reader.lang))) is not None:
                sight.due = True

    @property
    def waits(self) -> bool:
        """Whether somebody's counts could be told now."""
        return next(self._waiting(), None) is not None

    async def tell(self, tx: Tx, look: Look) -> None:
        """Who has waited longest first, until the time for it is used up."""
        end = monotonic() + SLICE_S
        for (scope, lang), sight in sorted(self._waiting(), key=lambda item: item[1].at):
            sight.due, since = False, sight.at
            sight.at = monotonic()
            try:
                body = QueueCountsEvent(queues=await count_queues(tx, scope, Labels(lang)))
            except BaseException:
                sight.due, sight.at = True, since  # nobody has been told
                raise
            told = closed([event("queue.counts", body, look)], look)
            for reader in sight.readers:
                reader.offer(told)
            if monotonic() >= end:
                return

    def _waiting(self) -> Iterator[tuple[tuple[Scope, str], _Sight]]:
        ripe = monotonic() - COUNTS_EVERY_S
        return iter([item for item in self._sights.items() if item[1].due and item[1].at <= ripe])

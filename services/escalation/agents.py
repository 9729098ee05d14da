"""What escalation hears: the case topic. Timers, deliveries and notices follow it; nothing is decided here."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.topics import CASE
from services.chassis.db import Tx
from services.chassis.directory import DirectoryCache
from services.chassis.ids import IdSource
from services.chassis.streams import BatchHandler, Received
from services.escalation.usecases.follow import CaseFollower
from services.escalation.usecases.tell import Teller

GROUP = "grid-escalation"
TOPICS = (CASE.name,)


class InTurn:
    """Several handlers of one topic, in one transaction."""

    def __init__(self, *handlers: BatchHandler) -> None:
        self._handlers = handlers

    async def apply(self, tx: Tx, batch: Sequence[Received]) -> None:
        """See `BatchHandler.apply`."""
        for handler in self._handlers:
            await handler.apply(tx, batch)


def follower(cache: DirectoryCache, ids: IdSource, late_s: float) -> BatchHandler:
    """The handler of this group. `late_s`: what people are told so long after its time goes into a merged notice."""
    follow = CaseFollower(ids, cache.rulebook, lambda code: cache.current().name_of(code))
    return InTurn(follow, Teller(ids, cache.current, cache.rulebook, late_s))

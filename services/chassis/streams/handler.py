"""What a service supplies to consume events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.envelope import Envelope
from schemas.wire import Body


@dataclass(frozen=True, slots=True)
class Received:
    """One decoded event and where it lay in Kafka."""

    topic: str
    partition: int
    offset: int
    envelope: Envelope[Body]


class Poison(Exception):
    """This one event of the batch can never be applied: it becomes a dead letter and its key waits for a person."""

    def __init__(self, index: int, why: str) -> None:
        super().__init__(why)
        self.index = index
        self.why = why


class BatchHandler(Protocol):
    """Applies events to a service's own tables."""

    async def apply(self, tx: AsyncConnection, batch: Sequence[Received]) -> None:
        """Apply all of `batch` in `tx`.

        The batch holds no duplicates, and per (source, topic, key) it is in order and without gaps. May be called
        again with the same events after a failure, never after a commit; so touch nothing but `tx`. `grid_now(tx)`
        gives the time. Raise `Poison` for an event that can never work; let database errors out (weather is retried,
        bad data is narrowed down to its event); any other exception ends the process.
        """
        ...

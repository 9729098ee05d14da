"""A Kafka that is a list: what the relay sent, in the order it arrived, with faults on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from services.chassis.outbox.publish import shard_of


class Place(NamedTuple):
    """Kafka's answer."""

    partition: int
    offset: int


@dataclass
class Log:
    """What has arrived."""

    lines: list[tuple[str, bytes, int]] = field(default_factory=list)
    started: int = 0
    fault: Callable[[bytes, int], BaseException | None] = lambda _key, _sequence: None

    def of(self, key: bytes) -> list[int]:
        return [sequence for _, other, sequence in self.lines if other == key]


class ListProducer:
    """One connection to the list."""

    def __init__(self, log: Log) -> None:
        self._log = log

    async def start(self) -> None:
        self._log.started += 1

    async def send(self, topic: str, value: bytes, key: bytes, headers: list[tuple[str, bytes]]) -> asyncio.Future[Any]:
        sequence = int(dict(headers)["ce_sequence"])
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if (error := self._log.fault(key, sequence)) is not None:
            future.set_exception(error)
        else:
            self._log.lines.append((topic, key, sequence))
            future.set_result(Place(shard_of(key) % 4, len(self._log.lines) - 1))
        return future

    async def stop(self) -> None:
        """Nothing to put down."""

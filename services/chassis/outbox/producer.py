"""The relay's way into Kafka, behind three methods so that tests can stand in for it."""

from __future__ import annotations

import asyncio
from typing import Any, Final, Protocol

from services.chassis.kafka import KafkaAddress, idempotent_producer

_GOODBYE_S: Final = 5.0


class Producer(Protocol):
    """What the relay needs of a Kafka client; calls to `send` reach a partition in the order made."""

    async def start(self) -> None:
        """Connect; raises KafkaError where no broker answers."""
        ...

    async def send(self, topic: str, value: bytes, key: bytes, headers: list[tuple[str, bytes]]) -> asyncio.Future[Any]:
        """Queue a message; the future ends with its place in Kafka or with an error."""
        ...

    async def stop(self) -> None:
        """Let go of everything within seconds, whatever is still under way."""
        ...


class KafkaProducer:
    """An idempotent aiokafka producer that never hangs when it is put down."""

    def __init__(self, address: KafkaAddress, client_id: str) -> None:
        self._producer: Any = idempotent_producer(address, client_id)

    async def start(self) -> None:
        await self._producer.start()

    async def send(self, topic: str, value: bytes, key: bytes, headers: list[tuple[str, bytes]]) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = await self._producer.send(topic, value, key, headers=headers)
        return future

    async def stop(self) -> None:
        try:
            async with asyncio.timeout(_GOODBYE_S):
                await self._producer.stop()
        except TimeoutError:  # it flushes for ever while the broker is away: cut it off
            sender = self._producer._sender  # noqa: SLF001 - aiokafka offers no way to stop without a flush
            if sender is not None:
                await sender.close()
            await self._producer.client.close()

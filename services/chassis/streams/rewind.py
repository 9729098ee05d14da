"""Faust's way into Kafka, made safe for partitions of which nothing has been committed yet.

When partitions are given out anew, Faust throws away what it had fetched meanwhile and goes back to what is committed.
A partition that has just come to be has no commit to go back to: it would go on behind what was thrown away, and the
first messages of a grown topic, or of a new group, would be lost. Here such a partition goes back to its beginning.
"""

from __future__ import annotations

from collections.abc import Mapping

from aiokafka.structs import TopicPartition
from faust.transport.drivers.aiokafka import Consumer, Transport
from faust.types import TP


class RewindingConsumer(Consumer):
    """Goes back to what is committed, and where nothing is to the first message there is."""

    async def seek_to_committed(self) -> Mapping[TP, int]:
        committed = await super().seek_to_committed()
        uncommitted = [TopicPartition(*tp) for tp, offset in committed.items() if not offset]
        if uncommitted:
            await self._thread.seek_to_beginning(*uncommitted)
        return committed


class RewindingTransport(Transport):
    """Faust's own, with that consumer."""

    Consumer = RewindingConsumer

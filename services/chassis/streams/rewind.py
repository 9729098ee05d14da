"""Faust's way into Kafka, made safe for the moments in which partitions are given out anew.

Faust then throws away what it had fetched meanwhile and goes back to what is committed. Two of its steps lose messages:

- A partition that has just come to be has no commit to go back to: it would go on behind what was thrown away, and the
  first messages of a grown topic, or of a new group, would be lost. Here it goes back to its beginning.
- When a second change follows while the way back of the first is still under way, that one lets messages flow again in
  the middle of the second: what is handed on between its way back and its end is thrown away and never read again, and
  nothing after it can be committed. Here nothing is handed on from the first step back until Faust is done with it.

tests/contract/faust pins both down.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from aiokafka.structs import TopicPartition
from faust.transport.drivers.aiokafka import Consumer, Transport
from faust.types import TP

from services.chassis.streams.lags import Place

ANSWER_WITHIN_S: Final = 8.0


class RewindingConsumer(Consumer):
    """Goes back to what is committed, and where nothing is to the first message there is; keeps still meanwhile."""

    async def perform_seek(self) -> None:
        self.stop_flow()
        await super().perform_seek()

    async def seek_to_committed(self) -> Mapping[TP, int]:
        committed = await super().seek_to_committed()
        uncommitted = [TopicPartition(*tp) for tp, offset in committed.items() if not offset]
        if uncommitted:
            for tp in uncommitted:  # a commit that the broker refused is remembered as if it had been one
                self._committed_offset.pop(TP(*tp), None)
            await self._thread.seek_to_beginning(*uncommitted)
        return committed

    async def reached(self) -> dict[Place, tuple[int, int]]:
        """Per partition of ours what the group has committed and where the partition ends: the broker's own words.

        What the client believes is no use where the client is at fault. Raises KafkaError and TimeoutError.
        """
        thread: Any = self._thread
        found: dict[Place, tuple[int, int]] = await thread.call_thread(_reached, thread._ensure_consumer())  # noqa: SLF001
        return found


async def _reached(client: Any) -> dict[Place, tuple[int, int]]:
    """Runs in the thread that owns the client, and must not keep it."""
    async with asyncio.timeout(ANSWER_WITHIN_S):
        ours = list(client.assignment())
        committed = await client._coordinator.fetch_committed_offsets(ours)  # noqa: SLF001 - one question for all
        starts, ends = await client.beginning_offsets(ours), await client.end_offsets(ours)
    return {
        Place(tp.topic, tp.partition): (max(starts[tp], committed[tp].offset if tp in committed else 0), ends[tp])
        for tp in ours
    }


class RewindingTransport(Transport):
    """Faust's own, with that consumer."""

    Consumer = RewindingConsumer

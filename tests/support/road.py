"""One road from end to end: outbox → relay → Kafka → a worker process → inbox, with the search for what was lost, and
hands that do to its Kafka what administrators and broken disks do."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.errors import KafkaError
from sqlalchemy import MetaData, text

from services.chassis.db import Database
from services.chassis.kafka import KafkaAddress, admin_client
from services.chassis.outbox import Outgoing, outbox_tables, publish
from services.chassis.outbox.antientropy import AntiEntropy, Consumer, KafkaOffsets
from services.chassis.outbox.metrics import RelayMetrics
from services.chassis.outbox.producer import KafkaProducer
from services.chassis.outbox.relay import Relay
from services.chassis.telemetry import Metrics
from tests.support.events import noted
from tests.support.stand import CHECKOUT

OUTBOX = outbox_tables(MetaData(schema="intake"), "intake")
PATIENCE_S = 90.0
Offsets = Mapping[TopicPartition, int]


@dataclass
class Road:
    """`intake` writes and `dispatch` reads, on a topic and in a group of the test's own."""

    db: Database
    url: str
    address: KafkaAddress
    kafka_url: str
    topic: str
    folder: Path
    written: dict[str, int] = field(default_factory=dict)
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        consumer = Consumer(self.group, "dispatch", (self.topic,))
        told = RelayMetrics(Metrics("test"))
        self._relay = Relay(self.db, OUTBOX, lambda: KafkaProducer(self.address, "test-relay"), told)
        self.watch = AntiEntropy(self.db, OUTBOX, [consumer], KafkaOffsets(self.address), told)

    @property
    def group(self) -> str:
        return f"grid-{self.topic}"

    # --- traffic ------------------------------------------------------------------------------------------------
    @asynccontextmanager
    async def relaying(self) -> AsyncIterator[None]:
        stop = asyncio.Event()
        task = asyncio.ensure_future(self._relay.run(stop))
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait_for(task, 90)

    async def write(self, keys: int, each: int) -> None:
        """The next events of so many keys."""
        for number in range(keys):
            key = f"key{number}"
            first = self.written.get(key, 0) + 1
            events = [Outgoing(self.topic, noted(key, sequence)) for sequence in range(first, first + each)]
            async with self.db.transaction() as tx:
                await publish(tx, OUTBOX, events)
            self.written[key] = first + each - 1

    async def carried(self) -> None:
        """Wait until everything written is in Kafka."""
        await self._until("everything is in Kafka", self._nothing_unsent)

    def start(self, **extra: str) -> subprocess.Popen[bytes]:
        """A worker process."""
        environment = {**os.environ, "DATABASE_URL": self.url, "KAFKA_URL": self.kafka_url, **extra}
        words = [sys.executable, "-m", "tests.support.stream_process", self.topic]
        with (self.folder / f"worker-{len(self.started)}.log").open("wb") as log:
            self.started.append(subprocess.Popen(words, env=environment, cwd=CHECKOUT, stderr=log))
        return self.started[-1]

    async def stop(self, process: subprocess.Popen[bytes]) -> None:
        """End a worker in order: it commits and leaves its group."""
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 60) == 0

    def end(self) -> None:
        for process in self.started:
            process.kill()
            process.wait(10)

    # --- questions ----------------------------------------------------------------------------------------------
    async def applied(self) -> dict[str, list[int]]:
        """What the worker did, in its order, per key."""
        async with self.db.reading() as tx:
            rows = (await tx.execute(text("SELECT key, seq FROM dispatch.seen ORDER BY nr"))).all()
        found: dict[str, list[int]] = {}
        for row in rows:
            found.setdefault(row.key, []).append(row.seq)
        return found

    def expected(self) -> dict[str, list[int]]:
        """All of it, once and in order."""
        return {key: list(range(1, last + 1)) for key, last in self.written.items()}

    async def all_applied(self, *, looking: bool = False) -> int:
        """Wait until everything has been applied, searching meanwhile if wanted; answers what was sent again."""
        sent_again = 0
        until = asyncio.get_running_loop().time() + PATIENCE_S
        while (now := await self.applied()) != self.expected():
            left = {key: len(self.expected()[key]) - len(now.get(key, ())) for key in self.written}
            assert asyncio.get_running_loop().time() < until, f"missing or doubled: {left}"
            with suppress(KafkaError):  # a look that the broker does not answer is skipped, as the job does
                sent_again += await self.watch.look() if looking else 0
            await asyncio.sleep(0.2)
        return sent_again

    async def looks(self, rounds: int = 5) -> list[int]:
        """What each of some rounds of the search sends again."""
        return [await self.watch.look() for _ in range(rounds)]

    async def all_committed(self) -> None:
        """Wait until the group has committed everything that is in Kafka."""
        await self._until("everything is committed", self._nothing_uncommitted)

    async def ends(self) -> Offsets:
        edges = await KafkaOffsets(self.address).edges([self.topic])
        return {TopicPartition(topic, number): edge.end for (topic, number), edge in edges.items()}

    # --- faults -------------------------------------------------------------------------------------------------
    async def delete(self, before: Offsets) -> None:
        """Delete the records before these offsets from Kafka."""
        async with admin_client(self.address) as admin:
            await admin.delete_records({tp: RecordsToDelete(before_offset=offset) for tp, offset in before.items()})

    async def move_group(self, to: Offsets) -> None:
        """Set the offsets of the group, which has no members now."""
        until = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            try:
                await self._commit(to)
                return
            except KafkaError:  # the group still remembers its last member
                assert asyncio.get_running_loop().time() < until
                await asyncio.sleep(0.5)

    # --- details ------------------------------------------------------------------------------------------------
    async def _nothing_unsent(self) -> bool:
        async with self.db.reading() as tx:
            left = await tx.execute(text("SELECT count(*) FROM intake.outbox WHERE published_at IS NULL"))
            return int(left.scalar_one()) == 0

    async def _nothing_uncommitted(self) -> bool:
        try:
            committed = await KafkaOffsets(self.address).committed(self.group)
        except KafkaError:
            return False
        return all(committed.get((tp.topic, tp.partition), 0) >= end for tp, end in (await self.ends()).items())

    async def _until(self, what: str, condition: Any) -> None:
        until = asyncio.get_running_loop().time() + PATIENCE_S
        while not await condition():
            assert asyncio.get_running_loop().time() < until, f"not within {PATIENCE_S:.0f} s: {what}"
            await asyncio.sleep(0.1)

    async def _commit(self, to: Offsets) -> None:
        options = self.address.client_options()
        reader: Any = AIOKafkaConsumer(**options, group_id=self.group, enable_auto_commit=False)
        await reader.start()
        try:
            reader.assign(list(to))
            await reader.commit(dict(to))
        finally:
            await reader.stop()

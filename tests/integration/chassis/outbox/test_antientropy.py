"""Which rows count as lost: the ones nobody will ever bring, and no others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import RecordsToDelete
from sqlalchemy import MetaData, text

from services.chassis.db import Database
from services.chassis.kafka import KafkaAddress, admin_client
from services.chassis.outbox import Outgoing, antientropy, outbox_tables, publish
from services.chassis.outbox.antientropy import AntiEntropy, Consumer, Edges, KafkaOffsets, Partition
from services.chassis.outbox.metrics import RelayMetrics
from services.chassis.telemetry import Metrics
from tests.support.events import TOPIC, noted

pytestmark = pytest.mark.anyio
OUTBOX = outbox_tables(MetaData(schema="intake"), "intake")
GROUP = "grid-dispatch"


@dataclass
class Broker:
    """Says what it is told to say. One partition, 0, of one topic."""

    next: int | None = None
    edges_now: Edges = field(default=Edges(0, 100))

    async def committed(self, group: str) -> Mapping[Partition, int]:
        assert group == GROUP
        return {} if self.next is None else {(TOPIC, 0): self.next}

    async def edges(self, topics: Sequence[str]) -> Mapping[Partition, Edges]:
        return {(topic, 0): self.edges_now for topic in topics}


@dataclass
class Bench:
    db: Database
    broker: Broker = field(default_factory=Broker)

    def __post_init__(self) -> None:
        self.metrics = Metrics("intake")
        told = RelayMetrics(self.metrics)
        self.watch = AntiEntropy(self.db, OUTBOX, [Consumer(GROUP, "dispatch", (TOPIC,))], self.broker, told)

    async def in_kafka(self, *offsets: int) -> None:
        """Rows that the relay has carried to these places."""
        for offset in offsets:
            async with self.db.transaction() as tx:
                await publish(tx, OUTBOX, [Outgoing(TOPIC, noted(f"key-{offset}", 1))])
                await tx.execute(
                    text(
                        'UPDATE intake.outbox SET published_at = directory.grid_now(), "partition" = 0, "offset" = :o'
                        " WHERE key = convert_to(:k, 'UTF8')"
                    ),
                    {"o": offset, "k": f"key-{offset}"},
                )

    async def arrived(self, offset: int) -> None:
        await self.run(
            "INSERT INTO dispatch.inbox (consumer, event_id, topic, part, off)"
            f' SELECT \'{GROUP}\', event_id, topic, 0, "offset" FROM intake.outbox WHERE "offset" = {offset}'
        )

    async def run(self, statement: str) -> None:
        async with self.db.transaction() as tx:
            await tx.execute(text(statement))

    async def to_be_sent(self) -> list[str]:
        async with self.db.reading() as tx:
            rows = await tx.execute(
                text("SELECT convert_from(key, 'UTF8') AS k FROM intake.outbox WHERE published_at IS NULL ORDER BY id")
            )
            return [row.k for row in rows]

    def told(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)


@pytest.fixture
def bench(plumbing: Database) -> Bench:
    return Bench(plumbing)


async def test_a_consumer_that_lags_is_left_alone(bench: Bench) -> None:
    await bench.in_kafka(*range(5))
    await bench.arrived(0)
    for bench.broker.next in (None, 0, 1):
        assert await bench.watch.look() == 0
    assert await bench.to_be_sent() == []


async def test_what_was_stepped_over_is_sent_again_once(bench: Bench) -> None:
    await bench.in_kafka(*range(5))
    for offset in (0, 1, 4):
        await bench.arrived(offset)
    bench.broker.next = 5
    assert await bench.watch.look() == 2
    assert await bench.to_be_sent() == ["key-2", "key-3"]
    assert await bench.watch.look() == 0  # on their way: not lost a second time
    assert bench.told("grid_outbox_repairs_total", to=GROUP) == 2
    assert bench.told("grid_outbox_lost_candidates", to=GROUP) == 0
    assert bench.told("grid_outbox_looks_total", how="done") == 2


async def test_a_group_set_back_has_nothing_sent(bench: Bench) -> None:
    await bench.in_kafka(*range(5))
    for offset in range(5):
        await bench.arrived(offset)
    bench.broker.next = 5
    assert await bench.watch.look() == 0
    bench.broker.next = 0
    assert await bench.watch.look() == 0


async def test_deleted_records_are_lost_although_nobody_has_committed_past_them(bench: Bench) -> None:
    await bench.in_kafka(*range(5))
    await bench.arrived(0)
    bench.broker.next, bench.broker.edges_now = 1, Edges(3, 5)
    assert await bench.watch.look() == 2
    assert await bench.to_be_sent() == ["key-1", "key-2"]


async def test_a_log_that_ends_before_a_row_has_lost_it_when_it_still_does_at_the_next_look(bench: Bench) -> None:
    await bench.in_kafka(*range(5))
    bench.broker.next, bench.broker.edges_now = 0, Edges(0, 3)
    assert await bench.watch.look() == 0  # a new leader may not know its end yet
    bench.broker.edges_now = Edges(0, 4)
    assert await bench.watch.look() == 1
    assert await bench.to_be_sent() == ["key-4"]


async def test_a_commit_from_an_older_log_says_nothing(bench: Bench) -> None:
    await bench.in_kafka(*range(5))
    bench.broker.next, bench.broker.edges_now = 900, Edges(0, 5)
    assert await bench.watch.look() == 0


async def test_dead_letters_without_an_id_are_known_by_their_place(bench: Bench) -> None:
    await bench.in_kafka(0)
    await bench.run(
        "INSERT INTO dispatch.dead_letters (consumer, topic, part, off, key, headers, raw, error)"
        f" VALUES ('{GROUP}', '{TOPIC}', 0, 0, 'k', '{{}}', '', 'no id')"
    )
    bench.broker.next = 1
    assert await bench.watch.look() == 0


async def test_repairs_are_rationed_and_none_is_forgotten(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(antientropy, "MOST_REPAIRS", 2)
    await bench.in_kafka(*range(5))
    bench.broker.next = 5
    assert [await bench.watch.look() for _ in range(4)] == [2, 2, 1, 0]
    assert len(await bench.to_be_sent()) == 5


async def test_a_row_that_waits_for_ever_hides_none_behind_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(antientropy, "WINDOW", 2)
    monkeypatch.setattr(antientropy, "MOST_PAGES", 1)
    async with bench.db.transaction() as tx:
        await publish(tx, OUTBOX, [Outgoing(TOPIC, noted("too-large-for-kafka", 1))])
    await bench.in_kafka(*range(5))
    bench.broker.next = 5
    found = [await bench.watch.look() for _ in range(4)]
    assert sum(found) == 5
    assert await bench.watch.look() == 0


async def test_kafka_tells_where_its_log_begins_and_ends(kafka_address: KafkaAddress, topic_name: str) -> None:
    offsets = KafkaOffsets(kafka_address)
    producer = AIOKafkaProducer(**kafka_address.client_options())
    await producer.start()
    for _ in range(5):
        await producer.send_and_wait(topic_name, b"x", partition=2)
    await producer.stop()
    assert (await offsets.edges([topic_name]))[topic_name, 2] == Edges(0, 5)
    async with admin_client(kafka_address) as admin:
        await admin.delete_records({TopicPartition(topic_name, 2): RecordsToDelete(before_offset=3)})
    assert await offsets.edges([topic_name]) == {
        (topic_name, 0): Edges(0, 0),
        (topic_name, 1): Edges(0, 0),
        (topic_name, 2): Edges(3, 5),
        (topic_name, 3): Edges(0, 0),
    }

"""Real Kafka, real PostgreSQL, a real process that is killed: outbox → relay → Faust → inbox, once and in order."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import NewPartitions
from sqlalchemy import MetaData, text

from services.chassis.db import Database
from services.chassis.kafka import KafkaAddress, admin_client
from services.chassis.outbox import Outgoing, outbox_tables, publish
from services.chassis.outbox.antientropy import AntiEntropy, Consumer, KafkaOffsets
from services.chassis.outbox.metrics import RelayMetrics
from services.chassis.outbox.producer import KafkaProducer
from services.chassis.outbox.publish import RawOutgoing, publish_raw
from services.chassis.outbox.relay import Relay
from services.chassis.settings import DatabaseSettings
from services.chassis.telemetry import Metrics
from services.chassis.watchdog.guard import EXIT_HUNG
from services.chassis.watchdog.weather import Weather
from tests.support.events import noted
from tests.support.handler import CREATE

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(150)]
OUTBOX = outbox_tables(MetaData(schema="intake"), "intake")
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
async def db(plumbing: Database) -> Database:
    async with plumbing.transaction() as tx:
        await tx.execute(text(CREATE))
    return plumbing


@pytest.fixture
def start(plumbing_url: str, kafka_url: str, topic_name: str, tmp_path: Path) -> Iterator[Start]:
    """Starts worker processes and sees to it that none outlives the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start_one(**extra: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "DATABASE_URL": plumbing_url, "KAFKA_URL": kafka_url, **extra}
        with (tmp_path / f"worker-{len(started)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.stream_process", topic_name], env=environment, stderr=log
            )
        started.append(process)
        return process

    yield start_one
    for process in started:
        process.kill()
        process.wait(10)


@asynccontextmanager
async def relaying(db: Database, address: KafkaAddress) -> AsyncIterator[RelayMetrics]:
    stop = asyncio.Event()
    metrics = RelayMetrics(Metrics("test"))
    relay = Relay(db, OUTBOX, lambda: KafkaProducer(address, "test-relay"), metrics)
    task = asyncio.ensure_future(relay.run(stop))
    try:
        yield metrics
    finally:
        stop.set()
        await asyncio.wait_for(task, 60)


async def write(db: Database, topic: str, key: str, numbers: range, word: str = "") -> None:
    for number in numbers:
        async with db.transaction() as tx:
            await publish(tx, OUTBOX, [Outgoing(topic, noted(key, number, word))])


async def applied(db: Database) -> dict[str, list[int]]:
    async with db.reading() as tx:
        rows = (await tx.execute(text("SELECT key, seq FROM dispatch.seen ORDER BY nr"))).all()
    found: dict[str, list[int]] = {}
    for row in rows:
        found.setdefault(row.key, []).append(row.seq)
    return found


async def until_applied(db: Database, expected: dict[str, list[int]], within: float = 90.0) -> None:
    deadline = asyncio.get_running_loop().time() + within
    while (now := await applied(db)) != expected:
        assert asyncio.get_running_loop().time() < deadline, {key: len(seen) for key, seen in now.items()}
        await asyncio.sleep(0.1)


async def test_killed_and_started_again_everything_arrives_once_and_in_order(
    db: Database, kafka_address: KafkaAddress, topic_name: str, start: Start
) -> None:
    keys = [f"key{n}" for n in range(10)]
    async with relaying(db, kafka_address):
        victim = start()
        await asyncio.gather(*[write(db, topic_name, key, range(1, 11)) for key in keys])
        await until_applied(db, {key: list(range(1, 11)) for key in keys})
        writing = asyncio.gather(*[write(db, topic_name, key, range(11, 21)) for key in keys])
        await asyncio.sleep(0.15)
        victim.kill()
        victim.wait(10)
        await writing
        await asyncio.gather(*[write(db, topic_name, key, range(21, 31)) for key in keys])  # left to the heir alone
        heir = start()
        await until_applied(db, {key: list(range(1, 31)) for key in keys})

        heir.send_signal(signal.SIGTERM)
        assert heir.wait(20) == 0


async def test_a_topic_that_grows_while_it_is_read_loses_nothing_and_keeps_the_order(
    db: Database, kafka_address: KafkaAddress, topic_name: str, start: Start
) -> None:
    """Keys move to partitions that workers learn of late and share out several times, with messages in them already."""
    keys = [f"key{n}" for n in range(20)]
    grown = asyncio.Event()

    async def write_on(key: str) -> int:
        number = 0
        while not grown.is_set() or number % 5:
            number += 1
            await write(db, topic_name, key, range(number, number + 1))
            await asyncio.sleep(0.02)
        return number

    async with relaying(db, kafka_address):
        start(), start()
        await write(db, topic_name, "first", range(1, 2))
        await until_applied(db, {"first": [1]})
        writing = asyncio.gather(*[write_on(key) for key in keys])
        async with admin_client(kafka_address) as admin:
            await admin.create_partitions({topic_name: NewPartitions(12)})
            await until_read(db, 12)
        grown.set()
        written = dict(zip(keys, await writing, strict=True))
        await until_applied(db, {"first": [1], **{key: list(range(1, last + 1)) for key, last in written.items()}})
    async with db.reading() as tx:
        moved = (
            'SELECT count(*) FROM (SELECT key FROM intake.outbox GROUP BY key HAVING count(DISTINCT "partition") > 1) k'
        )
        assert (await tx.execute(text(moved))).scalar_one() > 0
        assert (await tx.execute(text("SELECT count(*) FROM dispatch.held_events"))).scalar_one() == 0


async def until_read(db: Database, partitions: int, within: float = 90.0) -> None:
    """Until messages of the last of so many partitions have been applied, or of the one before."""
    deadline = asyncio.get_running_loop().time() + within
    last = text("SELECT count(*) FROM dispatch.inbox WHERE part >= :least")
    while True:
        async with db.reading() as tx:
            if (await tx.execute(last, {"least": partitions - 2})).scalar_one():
                return
        assert asyncio.get_running_loop().time() < deadline, f"{partitions} partitions are not read"
        await asyncio.sleep(0.1)


async def test_a_fault_of_ours_ends_the_process_and_loses_nothing(
    db: Database, kafka_address: KafkaAddress, topic_name: str, start: Start
) -> None:
    async with relaying(db, kafka_address):
        await write(db, topic_name, "a", range(1, 3))
        await write(db, topic_name, "a", range(3, 4), word="fault")
        faulty = start(GRID_TEST_FAULT="raise")
        assert await asyncio.to_thread(faulty.wait, 60) == 70
        assert 3 not in (await applied(db)).get("a", [])
        start()
        await until_applied(db, {"a": [1, 2, 3]})


async def test_what_kafka_lost_is_found_and_sent_again(
    db: Database, kafka_address: KafkaAddress, topic_name: str, start: Start
) -> None:
    """The rows say they are in Kafka, the consumer has passed their place and lacks them: exactly those go again."""
    group = f"grid-{topic_name}"
    async with relaying(db, kafka_address) as metrics:
        watch = AntiEntropy(
            db, OUTBOX, [Consumer(group, "dispatch", (topic_name,))], KafkaOffsets(kafka_address), metrics
        )
        start()
        await write(db, topic_name, "a", range(1, 4))
        await until_applied(db, {"a": [1, 2, 3]})
        assert await watch.look() == 0

        async with db.transaction() as tx:  # as if the broker had lost power: acknowledged, then gone
            await publish(tx, OUTBOX, [Outgoing(topic_name, noted("a", 4))])
            await tx.execute(
                text(
                    'UPDATE intake.outbox o SET published_at = now(), "partition" = p."partition", "offset" = 0'
                    " FROM intake.outbox p WHERE o.seq = 4 AND p.seq = 3"
                )
            )
        await write(db, topic_name, "a", range(5, 7))
        deadline = asyncio.get_running_loop().time() + 90
        while not (repaired := await watch.look()):
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.2)
        await until_applied(db, {"a": [1, 2, 3, 4, 5, 6]})
        await asyncio.sleep(1.5)

        assert repaired == 1
        assert await watch.look() == 0


async def test_a_dead_letter_reaches_its_topic(
    db: Database, kafka_address: KafkaAddress, topic_name: str, start: Start
) -> None:
    async with relaying(db, kafka_address):
        start()
        bad = noted("b", 1)
        async with db.transaction() as tx:
            headers = {"ce_id": "no uuid", "ce_specversion": "1.0", "ce_type": "test.noted"}
            await publish_raw(tx, OUTBOX, [RawOutgoing(topic_name, b"b", 1, bad.id, headers, b"{}")])
        await write(db, topic_name, "a", range(1, 3))
        await until_applied(db, {"a": [1, 2]})

    stop = asyncio.Event()
    carrier = Relay(
        db,
        outbox_tables(MetaData(schema="dispatch"), "dispatch"),
        lambda: KafkaProducer(kafka_address, "test-letters"),
        RelayMetrics(Metrics("test")),
    )
    task = asyncio.ensure_future(carrier.run(stop))
    reader = AIOKafkaConsumer(
        f"{topic_name}.dlq", **kafka_address.client_options(), auto_offset_reset="earliest", group_id=None
    )
    await reader.start()
    try:
        letter = await asyncio.wait_for(reader.getone(), 90)
    finally:
        await reader.stop()
        stop.set()
        await task
    assert dict(letter.headers)["grid_dead_consumer"] == f"grid-{topic_name}".encode()
    assert letter.key == b"b"


async def test_a_worker_with_messages_that_gets_nothing_done_ends_and_its_heir_applies_them(
    db: Database, kafka_address: KafkaAddress, topic_name: str, start: Start, tmp_path: Path
) -> None:
    expected = {"a": list(range(1, 31))}
    async with relaying(db, kafka_address):
        hanging = start(GRID_TEST_HANG="1", GRID_WATCHDOG_STALLED_S="8")
        await write(db, topic_name, "a", range(1, 31))
        assert await asyncio.to_thread(hanging.wait, 90) == EXIT_HUNG
        told = (tmp_path / "worker-0.log").read_text()
        assert "has got nothing done for" in told
        assert "in wait_for_ever" in told
        start()
        await until_applied(db, expected)


async def test_a_partition_that_is_never_read_ends_the_worker(
    db: Database, kafka_address: KafkaAddress, topic_name: str, start: Start, tmp_path: Path
) -> None:
    """The other partitions go on moving, and the worker's own client knows nothing of what waits in this one."""
    keys = [f"key{n}" for n in range(12)]
    async with relaying(db, kafka_address):
        blind = start(GRID_TEST_UNREAD="1")
        for number in range(1, 3):
            await asyncio.gather(*[write(db, topic_name, key, range(number, number + 1)) for key in keys])
        assert await asyncio.to_thread(blind.wait, 90) == 70
        left = {key for key in keys if key not in await applied(db)}
        assert 0 < len(left) < len(keys)
        assert f"nothing committed over 4 looks: {topic_name}/1" in (tmp_path / "worker-0.log").read_text()


async def test_who_lacks_broker_or_database_is_excused(db: Database, kafka_address: KafkaAddress) -> None:
    away = Database(DatabaseSettings(url="postgresql://nobody@127.0.0.1:1/none"), "away")
    nowhere = KafkaAddress.parse("kafka://127.0.0.1:1")
    assert await Weather(db, kafka_address).excuse() is None
    assert await Weather(db).excuse() is None
    assert await Weather(db, nowhere).excuse() == "the broker"
    assert await Weather(away, kafka_address).excuse() == "the database"
    await away.close()

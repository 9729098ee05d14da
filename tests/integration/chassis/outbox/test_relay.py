"""The relay: order per key whatever writers do, and nothing lost whatever breaks."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from aiokafka.errors import KafkaTimeoutError, MessageSizeTooLargeError
from sqlalchemy import MetaData, text

from services.chassis.db import Database, move_clock
from services.chassis.outbox import Outgoing, outbox_tables, publish
from services.chassis.outbox.metrics import RelayMetrics
from services.chassis.outbox.relay import Relay
from services.chassis.telemetry import Metrics
from tests.support.events import TOPIC, noted
from tests.support.postgres import TestServer, name_of
from tests.support.producer import ListProducer, Log

pytestmark = pytest.mark.anyio
TABLES = outbox_tables(MetaData(schema="dispatch"), "dispatch")


def relay_for(db: Database, log: Log, shards: range = range(16)) -> Relay:
    return Relay(db, TABLES, lambda: ListProducer(log), RelayMetrics(Metrics("test")), shards)


@asynccontextmanager
async def running(*relays: Relay) -> AsyncIterator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.ensure_future(relay.run(stop)) for relay in relays]
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 60)


async def write(db: Database, *events: tuple[str, int]) -> None:
    async with db.transaction() as tx:
        await publish(tx, TABLES, [Outgoing(TOPIC, noted(key, sequence)) for key, sequence in events])


async def all_published(db: Database, within: float = 60.0) -> bool:
    for _ in range(int(within / 0.02)):
        async with db.reading() as tx:
            left = await tx.execute(text("SELECT count(*) FROM dispatch.outbox WHERE published_at IS NULL"))
            if left.scalar_one() == 0:
                return True
        await asyncio.sleep(0.02)
    return False


async def until(look: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not look():  # noqa: ASYNC110 - the relay tells nobody
            await asyncio.sleep(0.02)


async def test_order_per_key_under_concurrent_writers_with_rollbacks(plumbing: Database) -> None:
    """Six writers on three keys, one in ten rolled back, some holding a transaction id long before they write."""
    log = Log()
    async with plumbing.transaction() as tx:
        await tx.execute(text("CREATE TABLE dispatch.thing (key text PRIMARY KEY, n int NOT NULL)"))
        await tx.execute(text("INSERT INTO dispatch.thing VALUES ('a', 0), ('b', 0), ('c', 0)"))
    chance = random.Random(20260901)

    async def writer() -> None:
        for _ in range(40):
            key = chance.choice("abc")
            early, fails = chance.random() < 0.3, chance.random() < 0.1
            try:
                async with plumbing.transaction() as tx:
                    if early:
                        await tx.execute(text("SELECT pg_current_xact_id()"))
                        await asyncio.sleep(0.002)
                    row = await tx.execute(text("SELECT n FROM dispatch.thing WHERE key = :k FOR UPDATE"), {"k": key})
                    number = row.scalar_one() + 1
                    await tx.execute(text("UPDATE dispatch.thing SET n = :n WHERE key = :k"), {"n": number, "k": key})
                    await publish(tx, TABLES, [Outgoing(TOPIC, noted(key, number))])
                    await asyncio.sleep(chance.random() * 0.003)
                    if fails:
                        raise KeyError
            except KeyError:
                continue

    async with running(relay_for(plumbing, log)):
        await asyncio.gather(*[writer() for _ in range(4)])
        assert await all_published(plumbing)

    assert len(log.lines) > 100
    for key in (b"a", b"b", b"c"):
        assert log.of(key) == list(range(1, len(log.of(key)) + 1))


async def test_a_row_that_becomes_visible_late_is_not_stepped_over(plumbing: Database) -> None:
    """Ids are given before commit: a reader that remembers the last id would lose the slower transaction's row."""
    log = Log()
    async with running(relay_for(plumbing, log)):
        async with plumbing.transaction() as slow:
            await publish(slow, TABLES, [Outgoing(TOPIC, noted("slow", 1))])
            await write(plumbing, ("fast", 1))
            for _ in range(400):
                await asyncio.sleep(0.01 if not log.of(b"fast") else 0)
            assert (log.of(b"fast"), log.of(b"slow")) == ([1], [])
        assert await all_published(plumbing)
    assert log.of(b"slow") == [1]


async def test_killed_between_acknowledgement_and_mark_sends_again(plumbing: Database) -> None:
    log = Log()
    await write(plumbing, ("a", 1), ("a", 2))
    relay = relay_for(plumbing, log)
    async with plumbing.session() as connection:
        await relay._acquire(connection)
        await relay._refresh_floor(connection)
        rows = await relay._read(connection)
        await relay._send(ListProducer(log), rows)  # and then it dies

    async with running(relay_for(plumbing, log)):
        assert await all_published(plumbing)

    assert log.of(b"a") == [1, 2, 1, 2]


async def test_the_place_in_kafka_is_kept(plumbing: Database) -> None:
    log = Log()
    await write(plumbing, ("a", 1), ("b", 1))
    async with running(relay_for(plumbing, log)):
        assert await all_published(plumbing)
    async with plumbing.reading() as tx:
        places = (await tx.execute(text('SELECT "partition", "offset" FROM dispatch.outbox ORDER BY id'))).all()
    assert [place.offset for place in places] == [0, 1]
    assert all(place.partition is not None for place in places)


async def test_a_key_kafka_refuses_waits_and_the_others_go_on(plumbing: Database) -> None:
    log = Log(fault=lambda key, sequence: MessageSizeTooLargeError() if (key, sequence) == (b"a", 2) else None)
    await write(plumbing, ("a", 1), ("a", 2), ("b", 1), ("a", 3))
    async with running(relay_for(plumbing, log)):
        await until(lambda: log.of(b"b") == [1])
        await write(plumbing, ("b", 2))
        await until(lambda: log.of(b"b") == [1, 2])

    assert log.of(b"a")[0] == 1
    async with plumbing.reading() as tx:
        left = await tx.execute(text("SELECT seq FROM dispatch.outbox WHERE published_at IS NULL ORDER BY id"))
        assert left.scalars().all() == [2, 3], "3 was taken behind the refused one, so it has to go again after it"


async def test_a_broken_producer_is_replaced_and_order_stands(plumbing: Database) -> None:
    broken = {(b"a", 2), (b"b", 1)}

    def fault(key: bytes, sequence: int) -> BaseException | None:
        if (key, sequence) in broken:
            broken.discard((key, sequence))
            return KafkaTimeoutError()
        return None

    log = Log(fault=fault)
    await write(plumbing, ("a", 1), ("a", 2), ("b", 1), ("a", 3))
    async with running(relay_for(plumbing, log)):
        assert await all_published(plumbing)

    assert log.started >= 2
    firsts = list(dict.fromkeys(log.of(b"a")))
    assert log.of(b"a")[-2:] == [2, 3]
    assert firsts[0] == 1
    assert log.of(b"b") == [1]


async def test_a_second_relay_waits_and_takes_over(plumbing: Database) -> None:
    first, second = Log(), Log()
    stop = asyncio.Event()
    leader = asyncio.ensure_future(relay_for(plumbing, first).run(stop))
    await until(lambda: first.started > 0)
    async with running(relay_for(plumbing, second)):
        await write(plumbing, ("a", 1))
        assert await all_published(plumbing)
        stop.set()
        await leader
        await write(plumbing, ("a", 2))
        assert await all_published(plumbing)

    assert (first.of(b"a"), second.of(b"a")) == ([1], [2])


async def test_two_relays_share_the_shards(plumbing: Database) -> None:
    low, high = Log(), Log()
    keys = [f"key{n}" for n in range(40)]
    async with running(relay_for(plumbing, low, range(8)), relay_for(plumbing, high, range(8, 16))):
        await write(plumbing, *[(key, n) for n in (1, 2) for key in keys])
        assert await all_published(plumbing)

    assert len(low.lines) + len(high.lines) == 80
    assert low.lines
    assert high.lines
    for key in keys:
        assert (low.of(key.encode()) or high.of(key.encode())) == [1, 2]


async def test_a_lost_database_connection_is_survived(
    plumbing: Database, plumbing_url: str, postgres: TestServer
) -> None:
    log = Log()
    async with running(relay_for(plumbing, log)):
        await write(plumbing, ("a", 1))
        assert await all_published(plumbing)
        postgres.hang_up_on(name_of(plumbing_url))
        await asyncio.sleep(0.1)
        await write(plumbing, ("a", 2))
        assert await all_published(plumbing)
    assert log.of(b"a") == [1, 2]


async def test_a_clock_moved_ahead_hides_nothing(plumbing: Database) -> None:
    log = Log()
    async with running(relay_for(plumbing, log)):
        await write(plumbing, ("a", 1))
        async with plumbing.transaction() as tx:
            await move_clock(tx, timedelta(days=40))
        await write(plumbing, ("a", 2))
        assert await all_published(plumbing)
        async with plumbing.transaction() as tx:
            await move_clock(tx, timedelta())
        await write(plumbing, ("a", 3))
        assert await all_published(plumbing)
    assert log.of(b"a") == [1, 2, 3]


async def test_ids_come_from_an_uncached_identity(plumbing: Database) -> None:
    """With a cache each session would hand out numbers of its own, and order per key would be luck."""
    async with plumbing.reading() as tx:
        sequence = "pg_get_serial_sequence('dispatch.outbox', 'id')::regclass"
        cached = await tx.execute(text(f"SELECT seqcache FROM pg_sequence WHERE seqrelid = {sequence}"))
        assert cached.scalar_one() == 1


async def test_a_full_disk_does_not_make_it_send_the_same_again_and_again(plumbing: Database) -> None:
    """Reading goes on while marking fails; what Kafka took is marked once there is room, and not sent meanwhile."""
    log = Log()
    async with plumbing.transaction() as tx:
        await tx.execute(
            text(
                "CREATE FUNCTION dispatch.full() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END $$"
            )
        )
        await tx.execute(
            text(
                "CREATE TRIGGER no_room BEFORE UPDATE ON dispatch.outbox FOR EACH ROW EXECUTE FUNCTION dispatch.full()"
            )
        )
    await write(plumbing, ("a", 1), ("b", 1), ("a", 2))
    metrics = Metrics("test")
    async with running(Relay(plumbing, TABLES, lambda: ListProducer(log), RelayMetrics(metrics))):
        for _ in range(1200):
            if (metrics.registry.get_sample_value("grid_outbox_interruptions_total", {"of": "database"}) or 0) >= 3:
                break
            await asyncio.sleep(0.05)
        assert len(log.lines) == 3, "three times it could not mark them"
        async with plumbing.transaction() as tx:
            await tx.execute(text("DROP TRIGGER no_room ON dispatch.outbox"))
        assert await all_published(plumbing, within=30)
    assert (log.of(b"a"), log.of(b"b")) == ([1, 2], [1])

"""Rows leave with the transaction that made them true."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import MetaData, text

from services.chassis.db import Database
from services.chassis.outbox import Outgoing, next_sequences, outbox_tables, publish
from services.chassis.outbox.publish import shard_of
from tests.support.events import TOPIC, noted

pytestmark = pytest.mark.anyio
TABLES = outbox_tables(MetaData(schema="dispatch"), "dispatch")


async def test_events_are_stored_in_the_order_given(plumbing: Database) -> None:
    events = [noted("b", 1, "一"), noted("a", 1), noted("a", 2)]
    async with plumbing.transaction() as tx:
        await publish(tx, TABLES, [Outgoing(TOPIC, event) for event in events])
    async with plumbing.reading() as tx:
        rows = (await tx.execute(text("SELECT * FROM dispatch.outbox ORDER BY id"))).all()
    assert [row.event_id for row in rows] == [event.id for event in events]
    assert [(row.key, row.seq, row.shard) for row in rows] == [
        (b"b", 1, shard_of(b"b")), (b"a", 1, shard_of(b"a")), (b"a", 2, shard_of(b"a")),
    ]  # fmt: skip
    assert rows[0].payload.decode() == '{"text":"一"}'
    assert rows[0].headers["ce_id"] == str(events[0].id)
    assert rows[0].published_at is None


async def test_a_rolled_back_fact_leaves_no_event(plumbing: Database) -> None:
    async def work() -> None:
        async with plumbing.transaction() as tx:
            await publish(tx, TABLES, [Outgoing(TOPIC, noted("a", 1))])
            raise KeyError

    with pytest.raises(KeyError):
        await work()
    async with plumbing.reading() as tx:
        assert (await tx.execute(text("SELECT count(*) FROM dispatch.outbox"))).scalar_one() == 0


async def test_numbers_are_dense_per_key_whoever_asks(plumbing: Database) -> None:
    handed_out: list[int] = []

    async def writer(fail: bool) -> None:
        try:
            async with plumbing.transaction() as tx:
                first = await next_sequences(tx, TABLES, TOPIC, ["a", "b", "a"])
                await asyncio.sleep(0.001)
                if fail:
                    raise KeyError
            handed_out.extend((first["a"], first["a"] + 1))
        except KeyError:
            return

    await asyncio.gather(*[writer(fail=n % 4 == 0) for n in range(20)])

    assert sorted(handed_out) == list(range(1, 31))


async def test_numbers_of_nothing(plumbing: Database) -> None:
    async with plumbing.transaction() as tx:
        assert await next_sequences(tx, TABLES, TOPIC, []) == {}
        await publish(tx, TABLES, [])

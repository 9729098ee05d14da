"""Whatever is done to Kafka behind the back of the services is found and repaired, nothing is done twice, and a
consumer that merely lags is left alone. Real Kafka, real PostgreSQL, real relay, real worker process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from services.chassis.db import Database
from services.chassis.kafka import KafkaAddress
from tests.support.handler import CREATE
from tests.support.road import Road

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]


@pytest.fixture
async def road(
    plumbing: Database, plumbing_url: str, kafka_address: KafkaAddress, kafka_url: str, topic_name: str, tmp_path: Path
) -> AsyncIterator[Road]:
    async with plumbing.transaction() as tx:
        await tx.execute(text(CREATE))
    made = Road(plumbing, plumbing_url, kafka_address, kafka_url, topic_name, tmp_path)
    async with made.relaying():
        yield made
    made.end()


async def test_records_deleted_before_they_were_read_are_sent_again(road: Road) -> None:
    """Of two partitions everything is gone, of the others the first half: none of it will ever be delivered."""
    await road.write(keys=24, each=5)
    await road.carried()
    ends = await road.ends()
    gone = {tp: end if tp.partition % 2 else end // 2 for tp, end in ends.items()}
    await road.delete(gone)
    road.start()
    sent_again = await road.all_applied(looking=True)
    await road.all_committed()

    assert sent_again == sum(gone.values()) > 0
    assert await road.looks() == [0] * 5


async def test_what_is_lost_between_broker_and_agent_is_sent_again(road: Road, tmp_path: Path) -> None:
    """One in a hundred messages is acknowledged and never handled, repairs included."""
    dropped = tmp_path / "dropped"
    road.start(GRID_TEST_DROP="0.01", GRID_TEST_DROPPED=str(dropped))
    await road.write(keys=50, each=40)
    sent_again = await road.all_applied(looking=True)
    await road.all_committed()

    assert sent_again == len(dropped.read_text().splitlines()) > 0
    assert await road.looks() == [0] * 5


async def test_a_group_set_ahead_gets_what_it_stepped_over(road: Road) -> None:
    worker = road.start()
    await road.write(keys=10, each=3)
    await road.all_applied()
    await road.stop(worker)
    await road.write(keys=10, each=30)
    await road.carried()
    await road.move_group(await road.ends())
    road.start()
    sent_again = await road.all_applied(looking=True)
    await road.all_committed()

    assert sent_again == 300
    assert await road.looks() == [0] * 5


async def test_a_group_set_back_does_nothing_twice(road: Road) -> None:
    worker = road.start()
    await road.write(keys=10, each=20)
    await road.all_applied()
    await road.stop(worker)
    await road.move_group(dict.fromkeys(await road.ends(), 0))
    assert await road.looks() == [0] * 5
    road.start()
    await road.all_committed()
    await road.write(keys=10, each=1)  # behind all that came again
    assert await road.all_applied(looking=True) == 0


async def test_a_consumer_that_merely_lags_is_sent_nothing_again(road: Road) -> None:
    """Before it ever ran, while it is down, and while it works its backlog off."""
    await road.write(keys=20, each=10)
    await road.carried()
    assert await road.looks() == [0] * 5
    worker = road.start()
    await road.all_applied()
    await road.stop(worker)
    await road.write(keys=20, each=100)
    await road.carried()
    assert await road.looks() == [0] * 5
    road.start()
    assert await road.all_applied(looking=True) == 0
    await road.all_committed()
    assert await road.looks() == [0] * 5

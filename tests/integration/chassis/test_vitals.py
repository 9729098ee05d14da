"""What a service's database tells about its health, read from a real one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from services.chassis.db import Database, move_clock
from services.chassis.settings import DatabaseSettings
from services.chassis.telemetry import Metrics
from services.chassis.vitals import Vitals, standard_probes
from tests.integration.chassis.streams.conftest import Stand
from tests.integration.chassis.streams.conftest import stand as stand
from tests.support.events import message, noted

pytestmark = pytest.mark.anyio


class Reading:
    """The numbers after one look."""

    def __init__(self, db: Database) -> None:
        self._metrics = Metrics("dispatch")
        self._vitals = Vitals(db, standard_probes("dispatch", self._metrics), self._metrics)

    async def look(self) -> None:
        await self._vitals.look()

    def __call__(self, name: str, **labels: str) -> float:
        value = self._metrics.registry.get_sample_value(name, labels)
        assert value is not None, f"{name} {labels} is not told"
        return value


async def test_a_quiet_database_tells_zeros(stand: Stand) -> None:
    told = Reading(stand.db)
    await told.look()
    for name in (
        "grid_outbox_oldest_seconds",
        "grid_outbox_waiting",
        "grid_stream_held_events",
        "grid_stream_held_oldest_seconds",
        "grid_stream_blocked_keys",
        "grid_stream_dead_letters_open",
        "grid_stream_dead_letters_oldest_seconds",
    ):
        assert told(name) == 0, name
    assert told("grid_database_up") == 1
    assert 0 < told("grid_postgres_connections") < told("grid_postgres_connections_max")
    assert told("grid_postgres_wal_position_bytes") > 0
    assert told("grid_postgres_dead_tuples", table="dispatch.outbox") >= 0


async def test_depths_and_ages_grow(stand: Stand) -> None:
    await stand.run(message(noted("a", 1), 1, payload=b"no json"), message(noted("a", 2), 2), message(noted("b", 3), 3))
    async with stand.db.transaction() as tx:
        await move_clock(tx, timedelta(seconds=600))
    told = Reading(stand.db)
    await told.look()
    assert told("grid_outbox_waiting") == 1  # the dead letter on its way to .dlq
    shards = [told("grid_outbox_shard_waiting", shard=str(shard)) for shard in range(16)]
    assert sorted(shards) == [0.0] * 15 + [1.0]
    assert told("grid_stream_held_events") == 2
    assert told("grid_stream_blocked_keys") == 2
    assert told("grid_stream_dead_letters_open") == 1
    for name in ("grid_outbox_oldest", "grid_stream_held_oldest", "grid_stream_dead_letters_oldest"):
        assert 600 <= told(f"{name}_seconds") < 900


async def test_a_transaction_left_open_is_seen(stand: Stand) -> None:
    told = Reading(stand.db)
    async with stand.db.transaction() as tx:
        await tx.execute(text("SELECT pg_sleep(0.2)"))
        await told.look()
    assert told("grid_postgres_longest_transaction_seconds") >= 0.2


async def test_a_database_that_is_away_is_told_and_ends_nothing() -> None:
    away = Database(DatabaseSettings(url="postgresql://nobody@127.0.0.1:1/none"), "test")
    told = Reading(away)
    await told.look()
    assert told("grid_database_up") == 0
    await away.close()

"""The way to PostgreSQL, against a real one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.chassis.db import Database, NotATestDatabaseError, grid_now, is_transient, move_clock
from services.chassis.settings import DatabaseSettings
from tests.support.postgres import TestServer, name_of

pytestmark = pytest.mark.anyio


async def test_a_block_that_ends_well_is_committed(plumbing: Database) -> None:
    async with plumbing.transaction() as tx:
        await tx.execute(text("CREATE TABLE intake.note (n int)"))
        await tx.execute(text("INSERT INTO intake.note VALUES (1)"))
    async with plumbing.reading() as tx:
        assert (await tx.execute(text("SELECT n FROM intake.note"))).scalar_one() == 1


async def test_a_block_that_raises_leaves_nothing(plumbing: Database) -> None:
    async def work() -> None:
        async with plumbing.transaction() as tx:
            await tx.execute(text("CREATE TABLE intake.note (n int)"))
            raise KeyError

    with pytest.raises(KeyError):
        await work()
    async with plumbing.reading() as tx:
        assert (await tx.execute(text("SELECT to_regclass('intake.note')"))).scalar_one() is None


async def test_reading_cannot_write(plumbing: Database) -> None:
    with pytest.raises(DBAPIError, match="read-only"):
        async with plumbing.reading() as tx:
            await tx.execute(text("CREATE TABLE intake.note (n int)"))
    async with plumbing.transaction() as tx:
        await tx.execute(text("CREATE TABLE intake.note (n int)"))


async def test_all_statements_of_a_reading_see_one_moment(plumbing: Database) -> None:
    async with plumbing.transaction() as tx:
        await tx.execute(text("CREATE TABLE intake.note (n int)"))
    async with plumbing.reading() as reader:
        before = (await reader.execute(text("SELECT count(*) FROM intake.note"))).scalar_one()
        async with plumbing.transaction() as tx:
            await tx.execute(text("INSERT INTO intake.note VALUES (1)"))
        assert (await reader.execute(text("SELECT count(*) FROM intake.note"))).scalar_one() == before


@pytest.mark.parametrize("pooled", [False, True])
async def test_waiting_has_an_end_in_every_transaction(plumbing_url: str, pooled: bool) -> None:
    db = Database(DatabaseSettings(url=plumbing_url, direct_url=plumbing_url if pooled else None), "test")
    async with db.transaction() as tx:
        shown = [
            (await tx.execute(text(f"SHOW {name}"))).scalar_one()
            for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        ]
    await db.close()
    assert shown == ["15s", "5s", "5s"]


async def test_connections_the_server_has_ended_are_replaced_unseen(
    plumbing: Database, plumbing_url: str, postgres: TestServer
) -> None:
    async with plumbing.transaction() as tx:
        await tx.execute(text("SELECT 1"))
    postgres.hang_up_on(name_of(plumbing_url))
    await asyncio.sleep(0.05)
    async with plumbing.transaction() as tx:
        assert (await tx.execute(text("SELECT 1"))).scalar_one() == 1


async def test_a_connection_ended_in_mid_transaction_is_weather(plumbing: Database) -> None:
    with pytest.raises(DBAPIError) as error:
        async with plumbing.transaction() as tx:
            await tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert is_transient(error.value)


async def test_a_session_gives_back_its_locks(plumbing: Database) -> None:
    async with plumbing.session() as one:
        assert (await one.execute(text("SELECT pg_try_advisory_lock(1, 1)"))).scalar_one()
        async with plumbing.session() as two:
            assert not (await two.execute(text("SELECT pg_try_advisory_lock(1, 1)"))).scalar_one()
    await asyncio.sleep(0.1)
    async with plumbing.session() as three:
        assert (await three.execute(text("SELECT pg_try_advisory_lock(1, 1)"))).scalar_one()


async def test_a_test_database_may_run_ahead(plumbing: Database) -> None:
    async with plumbing.transaction() as tx:
        assert abs((await grid_now(tx)) - datetime.now(UTC)) < timedelta(minutes=1)
        await move_clock(tx, timedelta(days=30))
        assert (await grid_now(tx)) - datetime.now(UTC) > timedelta(days=29)


async def test_no_other_database_may(postgres: TestServer, plumbing_url: str) -> None:
    """Not even one restored from a test database with its offset set."""

    async def ahead(url: str, move: bool) -> timedelta:
        db = Database(DatabaseSettings(url=url), "test")
        try:
            async with db.transaction() as tx:
                if move:
                    await move_clock(tx, timedelta(days=30))
                return (await grid_now(tx)) - datetime.now(UTC)
        finally:
            await db.close()

    assert await ahead(plumbing_url, move=True) > timedelta(days=29)
    postgres.execute(f"CREATE DATABASE restored TEMPLATE {name_of(plumbing_url)}")
    try:
        assert await ahead(postgres.url("restored"), move=False) < timedelta(minutes=1)
        with pytest.raises(NotATestDatabaseError):
            await ahead(postgres.url("restored"), move=True)
    finally:
        postgres.drop("restored")

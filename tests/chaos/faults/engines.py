"""Harm done to PostgreSQL and Kafka."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from tests.chaos.plan import Strike
from tests.chaos.pulse import now
from tests.chaos.world import World, rng_of

BACKENDS = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
HANG_UP = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
STORM_EVERY_S = 0.3


async def kill_backend(world: World, strike: Strike) -> str:
    """kill -9 of one server process makes PostgreSQL throw out everybody and recover."""
    pids = [int(str(row[0])) for row in await world.ask(BACKENDS)]
    if pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(rng_of(strike.seed).choice(pids), signal.SIGKILL)
    await asyncio.sleep(0.2)
    await world.database_back()
    return ""


async def broker_outage(world: World, strike: Strike) -> str:
    """No broker for a while."""
    began = now()
    await _away(world, "kafka", signal.SIGKILL, strike.lasts_s)
    world.without_broker.append((began, now()))
    return f"{strike.lasts_s:.0f} s"


async def database_outage(world: World, strike: Strike) -> str:
    """No database for a while."""
    await _away(world, "postgres", signal.SIGQUIT, strike.lasts_s)
    await world.database_back()
    return f"{strike.lasts_s:.0f} s"


async def _away(world: World, engine: str, by: signal.Signals, seconds: float) -> None:
    pid = await world.running(engine)
    async with _nobody_restarts(world):
        os.kill(pid, by)
        await asyncio.sleep(seconds)
    await world.running(engine, other_than=pid)


@asynccontextmanager
async def _nobody_restarts(world: World) -> AsyncIterator[None]:
    """The supervisor would have the engine back in a moment, so it is frozen meanwhile."""
    supervisor = world.status().supervisor
    os.kill(supervisor, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(supervisor, signal.SIGCONT)


async def disk_full(world: World, strike: Strike) -> str:
    """PostgreSQL's disk has no byte left for a while."""
    assert world.disk is not None, "a plan for a machine without a small disk"
    taken = await asyncio.to_thread(world.disk.fill)
    try:
        await asyncio.sleep(strike.lasts_s)
        await asyncio.to_thread(world.disk.fill)  # what was given back meanwhile
    finally:
        await asyncio.to_thread(world.disk.free)
    await world.running("postgres")
    await world.database_back()
    return f"{strike.lasts_s:.0f} s, {taken >> 20} MB taken"


async def hang_up(world: World, strike: Strike) -> str:
    """Every connection is ended, again and again."""
    loop = asyncio.get_running_loop()
    until = loop.time() + strike.lasts_s
    ended = 0
    while loop.time() < until:
        with contextlib.suppress(psycopg.Error):  # another harm at the same time
            ended += len(await world.ask(HANG_UP))
        await asyncio.sleep(STORM_EVERY_S)
    await world.database_back()
    return f"{ended} connections ended"


async def exhaust(world: World, strike: Strike) -> str:
    """Somebody takes every connection there is and does nothing with it."""

    def take() -> list[psycopg.Connection[tuple[object, ...]]]:
        taken = []
        with contextlib.suppress(psycopg.Error):
            while True:
                taken.append(psycopg.connect(world.stand.database_url, connect_timeout=5))
        return taken

    taken = await asyncio.to_thread(take)
    try:
        await asyncio.to_thread(_hang_up_on_others, world)
        await asyncio.sleep(strike.lasts_s)
    finally:
        for connection in taken:
            await asyncio.to_thread(connection.close)
    await world.database_back()
    return f"{len(taken)} taken"


def _hang_up_on_others(world: World) -> None:
    """Those who still had one lose it too, so that everybody meets the refusal."""
    with contextlib.suppress(psycopg.Error), psycopg.connect(world.admin_url(), autocommit=True) as connection:
        connection.execute(HANG_UP.encode() + b" AND usename <> 'grid_owner'")

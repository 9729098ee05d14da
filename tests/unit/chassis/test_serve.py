"""The life of a process: it ends on a signal, on its first fault, and when it cannot start; it always cleans up."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Awaitable, Callable, Iterator

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from services.chassis import serve
from services.chassis.serve import ExitCode, Part, Running, run, watch_collector, watch_lag
from services.chassis.telemetry import Metrics


@pytest.fixture(autouse=True)
def untouched_gc() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


class House:
    """Two parts and what became of them."""

    def __init__(self) -> None:
        self.log: list[str] = []

    async def patient(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self.log.append("patient stopped")

    async def close(self) -> None:
        self.log.append("closed")

    def with_part(self, run_part: Callable[[asyncio.Event], Awaitable[None]]) -> Callable[[], Awaitable[Running]]:
        async def build() -> Running:
            return Running((Part("patient", self.patient), Part("other", run_part)), close=self.close)

        return build


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_well(number: signal.Signals) -> None:
    house = House()

    async def signals_itself(stop: asyncio.Event) -> None:
        await asyncio.sleep(0.05)
        os.kill(os.getpid(), number)
        await stop.wait()

    assert run(house.with_part(signals_itself)) == ExitCode.OK
    assert house.log == ["patient stopped", "closed"]


def test_a_part_that_fails_ends_the_whole() -> None:
    house = House()

    async def fails(_: asyncio.Event) -> None:
        await asyncio.sleep(0.01)
        raise ValueError("broken")

    assert run(house.with_part(fails)) == ExitCode.FAILED
    assert house.log == ["patient stopped", "closed"]


def test_a_part_that_ends_unasked_ends_the_whole() -> None:
    house = House()

    async def leaves(_: asyncio.Event) -> None:
        return

    assert run(house.with_part(leaves)) == ExitCode.FAILED
    assert house.log == ["patient stopped", "closed"]


def test_what_cannot_be_built_fails_without_a_traceback_of_its_own() -> None:
    async def build() -> Running:
        raise ConnectionError("no database")

    assert run(build) == ExitCode.FAILED


def refused(tries: list[int]) -> OperationalError:
    tries.append(1)
    return OperationalError("connect", None, psycopg.OperationalError("connection refused"))


def test_a_start_waits_for_a_database_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "START_AGAIN_S", 0.01)
    house, tries = House(), list[int]()

    async def ends_well(_: asyncio.Event) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0.05)

    whole = house.with_part(ends_well)

    async def build() -> Running:
        if len(tries) < 3:
            raise refused(tries)
        return await whole()

    assert run(build) == ExitCode.OK
    assert len(tries) == 3
    assert house.log == ["patient stopped", "closed"]


def test_who_waits_for_the_database_at_the_start_can_still_be_ended() -> None:
    tries: list[int] = []

    async def build() -> Running:
        os.kill(os.getpid(), signal.SIGTERM)
        raise refused(tries)

    assert run(build) == ExitCode.OK
    assert len(tries) == 1


@pytest.mark.anyio
async def test_a_blocked_loop_shows_in_the_lag() -> None:
    metrics, stop = Metrics("test"), asyncio.Event()
    watching = asyncio.ensure_future(watch_lag(metrics, stop))
    await asyncio.sleep(0)
    import time

    time.sleep(0.7)  # noqa: ASYNC251 - blocking the loop is what is measured
    await asyncio.sleep(0.01)
    stop.set()
    await watching
    total = metrics.registry.get_sample_value("grid_event_loop_lag_seconds_sum")
    assert total is not None
    assert total > 0.15


@pytest.mark.anyio
async def test_a_garbage_collection_shows_as_a_pause() -> None:
    metrics, stop = Metrics("test"), asyncio.Event()
    watching = asyncio.ensure_future(watch_collector(metrics, stop))
    await asyncio.sleep(0)
    before = len(gc.callbacks)
    gc.collect()
    stop.set()
    await watching
    assert (metrics.registry.get_sample_value("grid_gc_pause_seconds_count", {"generation": "2"}) or 0) >= 1
    assert len(gc.callbacks) == before - 1

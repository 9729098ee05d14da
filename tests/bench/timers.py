"""Timers among very many: what a tick costs that finds nothing, how late they fire under load, how fast a backlog goes.

The loop is the product's own, in this process, around a database with a million open cases, two timers armed for each.
Lateness is from the planned moment to the commit of its firing.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from statistics import median, quantiles
from typing import Any, Final

import psycopg

from services.chassis.clock import monotonic
from services.chassis.db import Database
from services.chassis.ids import SystemIds
from services.chassis.settings import DatabaseSettings
from services.chassis.telemetry import Metrics
from services.escalation.settings import TimerSettings
from services.escalation.store.timers import seconds_to_next
from services.escalation.tables import outbox
from services.escalation.timers import TimerLoop
from services.escalation.usecases.fire import fire_due
from tests.bench.ground import Ground, standing
from tests.bench.many_cases import case_id, fill
from tests.bench.result import Result

FEW, MANY = 10_000, 2_000_000
CASES = 1_000_000
TICKS, RUNS = 300, 3
PER_SECOND, SECONDS = 500, 60
BACKLOG = 100_000
AHEAD_S: Final = 3

_FILL = """
INSERT INTO escalation.sla_timers (case_id, clock_id, kind, rev, rung, due_at, rungs, state)
SELECT %(cases)s || lpad(to_hex(n / 2), 12, '0'), 'clock' || n, 'handling', 1, 0,
  directory.grid_now() + interval '1 day' + n %% 2592000 * interval '1 second',
  jsonb_build_array(jsonb_build_object('rung', 1, 'at', directory.grid_now() + interval '60 days')), 'armed'
FROM generate_series(%(first)s::int, %(last)s::int) n"""
_DUE = """
INSERT INTO escalation.sla_timers (case_id, clock_id, kind, rev, rung, due_at, rungs, state)
SELECT %(name)s || n / 2, %(name)s || ':' || n, 'handling', 1, 0,
  directory.grid_now() + %(from)s::float * interval '1 second' + n * %(step)s::float * interval '1 second',
  jsonb_build_array(jsonb_build_object('rung', 1, 'at', directory.grid_now() + interval '60 days')), 'armed'
FROM generate_series(0, %(count)s::int - 1) n"""
_FIRED = "SELECT due_at, fired_at FROM escalation.firings WHERE clock_id LIKE %s ORDER BY fired_at, due_at"
_COUNT = "SELECT count(*) FROM escalation.firings WHERE clock_id LIKE %s"
_OUT_OF_ORDER = """
SELECT count(*) FROM (
  SELECT f.due_at, lag(f.due_at) OVER (ORDER BY o.id) AS before
  FROM escalation.outbox o JOIN escalation.firings f USING (event_id) WHERE f.clock_id LIKE %s) x
WHERE due_at < before"""


def run() -> list[Result]:
    """Idle ticks, a minute of load, a backlog."""
    with standing(kafka=False) as ground:
        return asyncio.run(_measured(ground))


async def _measured(ground: Ground) -> list[Result]:
    db = _Noting(Database(DatabaseSettings(DATABASE_URL=ground.database_url), "bench-timers"))
    try:
        of = case_id(0)[:-12]
        _do(ground, _FILL, first=0, last=FEW - 1, cases=of)
        few = [await _idle(db) for _ in range(RUNS)]
        await asyncio.to_thread(fill, _address(ground), CASES, datetime.now(UTC))
        _do(ground, _FILL, first=FEW, last=MANY - 1, cases=of)
        many = [await _idle(db) for _ in range(RUNS)]
        runs = [{"value": value, "baseline": baseline} for value, baseline in zip(many, few, strict=True)]
        value, baseline = round(median(many), 3), round(median(few), 3)
        idle = Result("timers idle tick", value, "ms", baseline, round(value / baseline, 2), "≤ 1.5 × 10 000", runs)
        return [idle, *await _under_load(db, ground), *await _backlog(db, ground)]
    finally:
        await db.close()


async def _idle(db: _Noting) -> float:
    """The median of ticks that find nothing due, in ms."""
    ids, took = SystemIds(), []
    for _ in range(TICKS):
        began = time.perf_counter()
        async with db.transaction() as tx:
            assert (await fire_due(tx, outbox, ids, 500)).count == 0
            await seconds_to_next(tx)
        took.append((time.perf_counter() - began) * 1000)
    return median(took)


async def _under_load(db: _Noting, ground: Ground) -> list[Result]:
    count = PER_SECOND * SECONDS
    _do(ground, _DUE, name="load", count=count, step=1 / PER_SECOND, **{"from": AHEAD_S})
    await _fire(db, ground, "load%", count, within_s=SECONDS + 60)
    late = sorted(_lateness(db, ground, "load%"))
    p99 = quantiles(late, n=100)[98]
    runs = [{"p50": round(median(late), 1), "p99": round(p99, 1), "worst": round(late[-1], 1)}]
    return [Result(f"timers late at {PER_SECOND}/s", round(p99, 1), "ms", goal="p99 ≤ 250 ms for a minute", runs=runs)]


async def _backlog(db: _Noting, ground: Ground) -> list[Result]:
    _do(ground, _DUE, name="old", count=BACKLOG, step=0.01, **{"from": -7200})
    took = await _fire(db, ground, "old%", BACKLOG, within_s=300)
    with _connected(ground) as connection:
        (disorder,) = connection.execute(_OUT_OF_ORDER, ["old%"]).fetchone() or (0,)
    assert disorder == 0, f"{disorder} fired behind younger ones"
    rate = round(BACKLOG / took)
    return [Result("timers backlog drained", rate, "1/s", goal="≥ 5 000/s, oldest first", runs=[{"seconds": took}])]


async def _fire(db: _Noting, ground: Ground, like: str, count: int, within_s: float) -> float:
    """Run the loop until so many have fired; the seconds from its start."""
    stop = asyncio.Event()
    loop: Any = TimerLoop(db, outbox, SystemIds(), TimerSettings(), Metrics("bench"), monotonic)  # type: ignore[arg-type] # notes commits
    began = time.time()
    running = asyncio.create_task(loop.run(stop))
    try:
        while time.time() - began < within_s:
            await asyncio.sleep(1)
            if await asyncio.to_thread(_fired, ground, like) >= count:
                with _connected(ground) as connection:
                    (last,) = connection.execute("SELECT max(fired_at) FROM escalation.firings").fetchone() or (None,)
                return round(db.ended[bisect_left(db.ended, last.timestamp())] - began, 2)
    finally:
        stop.set()
        await running
    raise TimeoutError(f"{_fired(ground, like)} of {count} have fired")


def _fired(ground: Ground, like: str) -> int:
    with _connected(ground) as connection:
        (count,) = connection.execute(_COUNT, [like]).fetchone() or (0,)
    return int(count)


def _lateness(db: _Noting, ground: Ground, like: str) -> list[float]:
    """ms from each planned moment to the first commit after its firing was written."""
    with _connected(ground) as connection:
        rows = connection.execute(_FIRED, [like]).fetchall()
    ends = db.ended
    return [(ends[bisect_left(ends, fired.timestamp())] - due.timestamp()) * 1000 for due, fired in rows]


def _do(ground: Ground, statement: str, **values: object) -> None:
    with _connected(ground) as connection:
        connection.execute(statement, values)
        connection.execute("VACUUM (ANALYZE) escalation.sla_timers")


def _connected(ground: Ground) -> psycopg.Connection[Any]:
    return psycopg.connect(_address(ground), autocommit=True)


def _address(ground: Ground) -> str:
    return ground.database_url.replace("postgresql+psycopg", "postgresql")


class _Noting:
    """A database that notes when each transaction was committed."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.ended: list[float] = []

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        async with self._db.transaction() as tx:
            yield tx
        self.ended.append(time.time())

    async def close(self) -> None:
        await self._db.close()

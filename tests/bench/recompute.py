"""How long after a phone sends a report an operator sees it, with very many open cases in many streets: alone, and
while the deadlines of all of them are counted anew because the calendar has changed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import median

import psycopg

from tests.bench import many_cases, queue
from tests.bench.result import CHECKOUT, Result
from tests.chaos.stand import Stand, wait_for

CASES = int(os.environ.get("BENCH_CASES", "1000000"))
ALTERNATIONS = 2
PATIENCE_S = 300.0
CALENDARS = CHECKOUT / "deploy" / "rulebooks" / "calendars"


async def watch(stand: Stand) -> list[Result]:
    """Report → visible with and without the job, in turns."""
    now = await asyncio.to_thread(_scalar, stand, "SELECT directory.grid_now()")
    assert isinstance(now, datetime)
    began = time.monotonic()
    await asyncio.to_thread(many_cases.fill, stand.database_url, CASES, now)
    filled_s = round(time.monotonic() - began)
    runs: list[dict[str, float]] = []
    for day in _days_that_matter(now)[:ALTERNATIONS]:
        alone = await queue.times(stand)
        job = await asyncio.to_thread(_load, stand, day)
        try:
            await wait_for("the job to begin", lambda: asyncio.to_thread(_looked, stand), PATIENCE_S)
            before, at = await asyncio.to_thread(_looked, stand), time.monotonic()
            beside = await queue.times(stand)
            rate = (await asyncio.to_thread(_looked, stand) - before) / (time.monotonic() - at)
        finally:
            job.terminate()
            await asyncio.to_thread(job.wait, 60)
            await asyncio.to_thread(_end, stand)
        runs.append(
            {
                "value": queue.p99(beside),
                "baseline": queue.p99(alone),
                "p50": beside[len(beside) // 2],
                "p50_alone": alone[len(alone) // 2],
                "cases_per_s": round(rate, 1),
                "open_cases": CASES,
                "filled_s": filled_s,
            }
        )
    ratio = median(run["value"] / run["baseline"] for run in runs)
    value, baseline = (median(run[name] for run in runs) for name in ("value", "baseline"))
    return [
        Result(
            "recompute_beside_live_p99", round(value, 1), "ms", round(baseline, 1), round(ratio, 2), "ratio ≤ 2", runs
        )
    ]


def _days_that_matter(now: datetime) -> list[date]:
    """Working days, not listed yet, that lie between today and the end of the limits."""
    calendar = many_cases.sample_rulebook().calendar
    parts = calendar.parts(now + timedelta(days=1), many_cases.last_due(now) - timedelta(days=1))
    return [part.date for part in parts if part.works and part.listed is None]


def _load(stand: Stand, day: date) -> subprocess.Popen[bytes]:
    """`grid calendar load` of the day's year with one more holiday, in the background."""
    stored = _scalar(
        stand,
        "SELECT body FROM directory.calendars WHERE body LIKE %s ORDER BY rev DESC LIMIT 1",
        f"%year = {day.year}%",
    )
    file = Path(stand.home) / f"cn-{day.year}.toml"
    file.write_text(f'{stored}\n[[days]]\non = {day}\nkind = "holiday"\nname = "停工"\n', "utf-8")
    words = [sys.executable, "-m", "services.chassis.grid", "calendar", "load", str(file)]
    with (Path(stand.home) / "load.log").open("ab") as log:
        return subprocess.Popen(words, env=stand.environment, cwd=CHECKOUT, stdout=log, stderr=log)


def _looked(stand: Stand) -> int:
    found = _scalar(stand, "SELECT looked FROM dispatch.recomputes WHERE ended_at IS NULL ORDER BY id LIMIT 1")
    return int(str(found or 0))


def _end(stand: Stand) -> None:
    """The next run begins without a job."""
    with psycopg.connect(stand.database_url, autocommit=True) as connection:
        connection.execute("UPDATE dispatch.recomputes SET ended_at = directory.grid_now() WHERE ended_at IS NULL")


def _scalar(stand: Stand, query: str, *values: object) -> object:
    with psycopg.connect(stand.database_url, autocommit=True) as connection:
        row = connection.execute(query.encode(), values or None).fetchone()
    return row[0] if row is not None else None

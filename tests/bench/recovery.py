"""A dispatch worker dies at 200 events a second: when are its partitions served again, do the others fall silent?"""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

import psycopg

from services.chassis.supervisor.status import read_status
from tests.bench.ground import Ground
from tests.bench.result import Result
from tests.bench.streams import send_reports
from tests.chaos.stand import Stand

PER_SECOND = 200.0
KILLS = 2
BEFORE_S = 8.0
AFTER_S = 24.0
VICTIM_SILENT_S = 5.0
"""A partition that was silent for longer belonged to the victim: the group waits ten seconds for a dead member."""


async def survive(stand: Stand) -> list[Result]:
    """Kill a worker twice under steady load."""
    status = read_status(stand.home)
    assert status is not None
    ground = Ground(stand.home, stand.database_url, status.kafka_url)
    seconds = KILLS * (BEFORE_S + AFTER_S)
    load = asyncio.create_task(send_reports(ground, int(seconds * PER_SECOND), PER_SECOND))
    runs = []
    for number in range(KILLS):
        await asyncio.sleep(BEFORE_S)
        killed = await asyncio.to_thread(_kill, stand, f"dispatch-worker-{number + 1}")
        await asyncio.sleep(AFTER_S)
        runs.append(await asyncio.to_thread(_silences, stand, killed))
    await load
    return [
        Result(
            "worker_recovery", median(run["recovery_s"] for run in runs), "s", goal="≤ 12 s at 200 events/s", runs=runs
        ),
        Result("others_silent", max(run["others_s"] for run in runs), "s", goal="≤ 3 s", runs=runs),
    ]


def _kill(stand: Stand, part: str) -> datetime:
    status = read_status(stand.home)
    assert status is not None
    pid = status.parts[part].pid
    assert pid is not None
    with psycopg.connect(stand.database_url) as connection:
        os.kill(pid, signal.SIGKILL)
        row: datetime = connection.execute("SELECT clock_timestamp()").fetchall()[0][0]
    return row


def _silences(stand: Stand, killed: datetime) -> dict[str, float]:
    query = (
        "SELECT part, array_agg(DISTINCT at ORDER BY at) FROM dispatch.inbox WHERE topic = 'grid.report.v1'"
        " AND at BETWEEN %s AND %s GROUP BY part"
    )
    window = (killed - timedelta(seconds=BEFORE_S / 2), killed + timedelta(seconds=AFTER_S))
    with psycopg.connect(stand.database_url) as connection:
        moments: dict[int, list[datetime]] = dict(connection.execute(query, window).fetchall())
    victims: list[float] = []
    others: list[float] = []
    for at in moments.values():
        silent, until = _longest_silence(at)
        if silent > VICTIM_SILENT_S:
            victims.append((until - killed).total_seconds())
        else:
            others.append(silent)
    assert victims, "nothing of the killed worker's was ever silent"
    return {
        "recovery_s": round(max(victims), 2),
        "others_s": round(max(others, default=0.0), 2),
        "victims": len(victims),
        "partitions": len(moments),
    }


def _longest_silence(at: list[datetime]) -> tuple[float, datetime]:
    """Seconds, and when it ended."""
    return max(((after - before).total_seconds(), after) for before, after in pairwise(at))

"""Processes that hang in every way we know are ended, named, and come back; one that only waits is left alone."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.chassis.engines import Launch
from services.chassis.supervisor.console import Console
from services.chassis.supervisor.exposition import serve_metrics
from services.chassis.supervisor.part import Part
from services.chassis.supervisor.runner import Runner
from services.chassis.supervisor.status import PartStatus, Status, read_status
from services.chassis.supervisor.supervisor import Supervisor
from services.chassis.supervisor.watch import Patience
from tests.support.stand import CHECKOUT, free_ports

WAYS = ("well", "frozen", "stuck", "held", "stalled", "leaking", "outage")
HANG = {"frozen": "silent", "stuck": "stuck", "held": "silent", "stalled": "stalled", "leaking": "memory"}
PATIENCE = Patience(silent_s=6.0, boot_s=120.0, memory_mb={"leaking": 300})
LIMITS = {"GRID_WATCHDOG_STUCK_S": "3", "GRID_WATCHDOG_STALLED_S": "5", "GRID_MEMORY_LIMIT_MB": "0"}
ALL_WITHIN_S = 150.0


@dataclass(frozen=True)
class Outcome:
    """What came of it all."""

    home: Path
    status: dict[str, PartStatus]
    console: str
    metrics: str

    def log(self, part: str) -> str:
        return (self.home / "logs" / f"{part}.log").read_text("utf-8", "replace")

    def lives(self, part: str) -> list[str]:
        return (self.home / f"{part}.lives").read_text().split()


def part(name: str, home: Path) -> Part:
    argv = (sys.executable, "-m", "tests.support.hanging", name, str(home / f"{name}.lives"))
    environment = {**os.environ, **LIMITS, "PYTHONPATH": str(CHECKOUT)}
    return Part(name=name, launch=lambda: Launch(argv, environment, CHECKOUT), guarded=True)


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - the condition is other processes'
        await asyncio.sleep(0.1)


def beats(runner: Runner) -> bool:
    return runner.watch.beat is not None


def served(runner: Runner) -> bool:
    return runner.restarts > 0 and runner.watch.beat is not None and runner.watch.beat.serving


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    home, out, (port,) = tmp_path_factory.mktemp("watchdog"), io.StringIO(), free_ports(1)
    boss = Supervisor([part(name, home) for name in WAYS], home, Console(out), Status(os.getpid()), patience=PATIENCE)
    found: list[Outcome] = []

    async def watch_them() -> int:
        runners = boss.runners
        server = await serve_metrics(port, boss.metrics)
        assert server is not None
        await until(lambda: beats(runners["frozen"]))
        frozen = runners["frozen"].pid
        assert frozen is not None
        os.kill(frozen, signal.SIGSTOP)
        await until(lambda: all(served(runners[name]) for name in HANG))
        await until(lambda: beats(runners["outage"]))
        await asyncio.sleep(2.5 * float(LIMITS["GRID_WATCHDOG_STALLED_S"]))  # long enough to be condemned twice
        status = read_status(home)
        assert status is not None
        url = f"http://127.0.0.1:{port}/metrics"
        answer = await asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=10).read().decode())
        server.close()
        now = {name: runner.status() for name, runner in runners.items()}
        found.append(Outcome(home, now, out.getvalue(), answer))
        return 0

    async def whole() -> int:
        async with asyncio.timeout(ALL_WITHIN_S):
            return await boss.run(watch_them)

    assert asyncio.run(whole()) == 0
    return found[0]


@pytest.mark.parametrize(("name", "rule"), HANG.items())
def test_what_hangs_is_ended_for_its_reason_and_works_again(outcome: Outcome, name: str, rule: str) -> None:
    status = outcome.status[name]
    assert (status.restarts, status.reason) == (1, rule)
    assert status.told is not None
    assert status.told.startswith("watchdog: ")
    assert status.ended_at is not None
    assert status.serving
    assert status.rss_mb is not None
    assert status.beat_age_s is not None
    assert f"{name:<18}│ ended ({status.told}), starting it again" in outcome.console


def test_what_works_is_left_alone(outcome: Outcome) -> None:
    assert outcome.status["well"].restarts == 0


def test_who_waits_for_a_database_that_is_away_is_left_alone_and_says_so(outcome: Outcome) -> None:
    assert outcome.status["outage"].restarts == 0
    assert outcome.status["outage"].waits_for == "the database"


def test_the_stacks_of_a_stuck_loop_are_in_its_log(outcome: Outcome) -> None:
    assert "in blocks_the_loop" in outcome.log("stuck")
    record = next(json.loads(line) for line in outcome.log("stuck").splitlines() if '"hung"' in line)
    assert (record["level"], record["rule"]) == ("critical", "stuck")


def test_the_stacks_are_there_also_where_no_other_python_code_could_run(outcome: Outcome) -> None:
    assert "in holds_the_interpreter" in outcome.log("held")


def test_of_a_stalled_process_the_log_tells_what_each_task_waits_for(outcome: Outcome) -> None:
    assert "waits_for_what_never_comes" in outcome.log("stalled")


def test_who_only_holds_too_much_memory_ends_in_good_order(outcome: Outcome) -> None:
    assert outcome.lives("leaking")[:2] == ["born", "closed"]
    assert outcome.lives("stuck")[:2] == ["born", "born"]
    assert "300 are allowed" in (outcome.status["leaking"].told or "")


def test_metrics_and_journal_tell_each_end_by_its_reason(outcome: Outcome) -> None:
    journal = [json.loads(line) for line in (outcome.home / "logs" / "supervisor.log").read_text().splitlines()]
    ends = {(line["part"], line["reason"]) for line in journal if line["event"] == "part_ended"}
    assert ends == set(HANG.items())
    for name, rule in HANG.items():
        assert f'grid_part_restarts_total{{part="{name}",reason="{rule}"}} 1' in outcome.metrics
    assert 'grid_part_up{part="well"} 1' in outcome.metrics
    assert 'grid_part_resident_megabytes{part="well"}' in outcome.metrics

"""One fault run from start to verdict."""

from __future__ import annotations

import asyncio
import csv
import json
import random
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.chaos.checker import Checker, Violation
from tests.chaos.ledger import Ledger, entries
from tests.chaos.load import Writer
from tests.chaos.nemesis import Nemesis, Wound
from tests.chaos.proof import blind_spots
from tests.chaos.receiver import Receiver
from tests.chaos.stand import CHECKOUT, Stand, start, wait_for

FAST_RETRIES = "[1, 1, 2, 2, 4, 4, 8, 8, 16, 16, 16, 16, 16, 16, 16, 16]"
EVENTS = ["case.escalated", "case.overdue", "case.supervised", "case.district_due", "case.closed", "case.reopened"]
PEOPLE_WITHIN_S = 120.0
ROWS_A_FILE = 400
BETWEEN_FILES_S = 2.0
MAPPING = CHECKOUT / "deploy" / "import" / "pingshan.toml"


@dataclass(slots=True)
class Verdict:
    """What a run showed."""

    minutes: float
    seed: int
    acknowledged: int = 0
    imported: int = 0
    retries: int = 0
    cases: int = 0
    deliveries: int = 0
    quiet_after_s: float = 0.0
    wounds: list[Wound] = field(default_factory=list)
    spared: frozenset[str] = frozenset()
    frozen: int = 0
    violations: list[Violation] = field(default_factory=list)

    def report(self) -> str:
        """For a person."""
        lines = [
            f"chaos: {self.minutes:g} min, seed {self.seed}, {len(self.wounds)} kills, {self.frozen} freezes",
            f"  acknowledged reports {self.acknowledged}, imported rows {self.imported}, retries {self.retries},"
            f" cases {self.cases}, webhooks delivered {self.deliveries}, quiet after {self.quiet_after_s:.0f} s",
        ]
        worst: dict[str, float] = {}
        for wound in self.wounds:
            worst[wound.part] = max(worst.get(wound.part, 0.0), wound.back_after_s)
        lines += [f"  {part:<24} back within {seconds:5.1f} s" for part, seconds in sorted(worst.items())]
        lines += [f"  never killed: {', '.join(sorted(self.spared))}"] if self.spared else []
        lines += [f"  BROKEN {one.rule}: {one.what}" for one in self.violations[:40]]
        lines.append(f"  {len(self.violations)} violations")
        return "\n".join(lines)


async def run(folder: Path, minutes: float, seed: int) -> Verdict:
    """Everything of it. The folder gets the home, the ledger and the import file."""
    receiver = Receiver(seed=seed)
    address = await receiver.start()
    extra = {"GRID_WEBHOOK_ALLOW_HOSTS": address, "GRID_WEBHOOK_SCHEDULE_S": FAST_RETRIES, "GRID_SAMPLE_HISTORY": "0"}
    stand = await asyncio.to_thread(start, folder / "home", extra)
    try:
        return await _under_fire(stand, receiver, address, folder, minutes, seed)
    finally:
        await asyncio.to_thread(stand.stop)
        await receiver.stop()


async def _under_fire(
    stand: Stand, receiver: Receiver, address: str, folder: Path, minutes: float, seed: int
) -> Verdict:
    receiver.secret = await _subscribe(stand, f"http://{address}/hook")
    ledger = Ledger(folder / "ledger.jsonl")
    writers = [
        await _writer(stand, login, ledger, seed + n) for n, login in enumerate(("wangge01", "wangge02", "zhibu01"))
    ]
    nemesis = Nemesis(stand.home, seed)
    seconds = minutes * 60
    feed = _people(stand, seed)
    await wait_for("the people's first report", lambda: _count(stand, "intake.reports"), PEOPLE_WITHIN_S)
    async with asyncio.TaskGroup() as group:
        for writer in writers:
            group.create_task(writer.run(seconds))
        group.create_task(nemesis.run(seconds))
        importing = group.create_task(_import(stand, folder, seed, seconds))
    lasted = feed.poll() is None
    feed.terminate()
    await asyncio.to_thread(feed.wait, 30)
    for writer in writers:
        await writer.person.close()
    ledger.close()
    checker = Checker(stand.database_url, folder / "ledger.jsonl", receiver.seen, importing.result())
    judgement = await asyncio.to_thread(checker.judge)
    blind = await asyncio.to_thread(blind_spots, checker)
    idle = [] if lasted else [Violation("the people went home", (stand.home / "feed.log").read_text()[-500:])]
    return Verdict(
        minutes=minutes,
        seed=seed,
        acknowledged=sum(1 for entry in entries(folder / "ledger.jsonl") if entry.acknowledged),
        imported=importing.result(),
        retries=sum(writer.retries for writer in writers),
        cases=await _count(stand, "dispatch.cases"),
        deliveries=len(receiver.seen.by_id),
        quiet_after_s=judgement.quiet_after_s,
        wounds=nemesis.wounds,
        spared=nemesis.spared,
        frozen=nemesis.frozen,
        violations=[*judgement.violations, *blind, *idle],
    )


async def _subscribe(stand: Stand, url: str) -> str:
    """Make the endpoint as the administrator does; answers its secret."""
    person = await stand.person("admin")
    answer = await person.dispatch.post(
        "/api/v1/escalation/webhooks", json={"url": url, "events": EVENTS, "name": "simulated platform"}
    )
    secret: str = answer.raise_for_status().json()["secret"]
    await person.close()
    return secret


async def _writer(stand: Stand, login: str, ledger: Ledger, seed: int) -> Writer:
    person = await stand.person(login)
    kinds, cells = await person.form()
    spots = [spot for cell in cells[:12] for spot in await person.places(cell)]
    return Writer(person, kinds, spots, ledger, seed, per_second=2.0)


def _people(stand: Stand, seed: int) -> subprocess.Popen[bytes]:
    """The sample's people at their desks, so that cases close and webhooks leave; restarted by nobody."""
    words = ("feed", "--people", "--per-minute", "6", "--seed", str(seed), "--patient")
    with (stand.home / "feed.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "services.chassis.grid", *words],
            env=stand.environment,
            cwd=CHECKOUT,
            stdout=log,
            stderr=log,
        )


async def _import(stand: Stand, folder: Path, seed: int, seconds: float) -> int:
    """Import one file after another until the time is up; answers the number of rows in them."""
    until = time.monotonic() + seconds
    rows = 0
    while time.monotonic() < until:
        file = folder / f"rows-{rows}.csv"
        _write_rows(file, seed, rows)
        await _import_until_done(stand, file)
        rows += ROWS_A_FILE
        await asyncio.sleep(BETWEEN_FILES_S)
    return rows


async def _import_until_done(stand: Stand, file: Path) -> None:
    """An import that is started again after each crash must end with every row there once."""
    for _ in range(60):
        words = ("import", str(file), "--mapping", str(MAPPING), "--clock", "now")
        done = await asyncio.to_thread(stand.grid, *words, check=False)
        if done.returncode == 0:
            return
        await asyncio.sleep(1)
    raise AssertionError(f"the import never came through: {done.stderr[-1000:]}")


def _write_rows(file: Path, seed: int, first: int) -> None:
    """Rows of the mapping's shape, invented, numbered from `first`."""
    rng = random.Random(f"{seed} {first}")
    columns = [
        *("REC_ID", "REPORT_NUM", "CREATE_TIME", "DISTRICT_NAME", "DISTRICT_ID", "STREET_NAME", "STREET_ID"),
        *("COMMUNITY_NAME", "COMMUNITY_ID", "EVENT_TYPE_NAME", "EVENT_TYPE_ID", "MAIN_TYPE_NAME", "MAIN_TYPE_ID"),
        *("SUB_TYPE_NAME", "SUB_TYPE_ID", "DISPOSE_UNIT_NAME", "DISPOSE_UNIT_ID", "EVENT_SRC_NAME", "EVENT_SRC_ID"),
        *("OPERATE_NUM", "OVERTIME_ARCHIVE_NUM", "INTIME_TO_ARCHIVE_NUM", "INTIME_ARCHIVE_NUM"),
        *("EVENT_PROPERTY_NAME", "EVENT_PROPERTY_ID", "OCCUR_PLACE"),
    ]
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(columns)
        for number in range(first, first + ROWS_A_FILE):
            street, kind, unit = rng.randint(1, 4), rng.randint(1, 30), rng.randint(1, 9)
            writer.writerow(
                [
                    *(
                        90_000 + number,
                        1,
                        f"2018-{rng.randint(2, 12):02d}-{rng.randint(1, 28):02d} 10:{rng.randint(0, 59):02d}:00",
                    ),
                    *(
                        "甲区",
                        1,
                        f"{street}号街道",
                        100 + street,
                        f"{street}-{kind % 5}社区",
                        10_000 + street * 10 + kind % 5,
                    ),
                    *("市容", 5, "环境", 180, f"第{kind}类", 600 + kind, f"第{unit}单位", 1_500 + unit, "平台", 103),
                    *(1, 0, 0, 1, "投诉", 2, "-"),
                ]
            )


async def _count(stand: Stand, table: str) -> int:
    def ask() -> int:
        with psycopg.connect(stand.database_url) as connection:
            return int(connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchall()[0][0])

    return await asyncio.to_thread(ask)


def write_report(verdict: Verdict, file: Path) -> None:
    """For machines."""
    body: dict[str, Any] = {
        "minutes": verdict.minutes,
        "seed": verdict.seed,
        "kills": len(verdict.wounds),
        "acknowledged": verdict.acknowledged,
        "imported": verdict.imported,
        "violations": [f"{one.rule}: {one.what}" for one in verdict.violations],
        "worst_recovery_s": max((wound.back_after_s for wound in verdict.wounds), default=0),
        "at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(body, ensure_ascii=False, indent=1))


__all__ = ["Verdict", "run", "write_report"]

"""What people see once all is quiet: lists that count right, screens that missed nothing, logs without repairs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from services.dispatch.feed.people import PersonClient
from tests.chaos.load.screens import Screen
from tests.chaos.stand import Stand
from tests.chaos.violation import Violation

TRIES: Final = 30
PAUSE_S: Final = 1.0
REPAIRS: Final = ("antientropy.lost", "antientropy.repaired", "timers.repaired")
"""Lines that tell of a repair, in the logs of relays and timers."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the logs say."""

    repairs: int
    released: int
    fatal: Mapping[str, int]


async def screens_complete(screens: Sequence[Screen]) -> list[Violation]:
    """Each screen knows the newest state of every case in its sight. Cases go on meanwhile, so it may take a moment."""
    found = []
    for screen in screens:
        wanted = await screen.in_sight()
        missing: dict[str, int] = {}
        for _ in range(TRIES):
            missing = {case: seq for case, seq in wanted.items() if screen.newest.get(case, 0) < seq}
            if not missing:
                break
            await asyncio.sleep(PAUSE_S)
        found += [
            Violation("live feed", f"{screen.person.login} has not seen {case} at {seq}: {screen.newest.get(case, 0)}")
            for case, seq in sorted(missing.items())
        ]
    return found


async def counts_right(people: Sequence[PersonClient]) -> list[Violation]:
    """The number on each list is the number of its rows; at some moment, for cases move while the rows are read."""
    found = []
    for person in people:
        wrong: dict[str, tuple[int, int]] = {}
        for _ in range(TRIES):
            wrong = await _miscounted(person, wrong.keys())
            if not wrong:
                break
            await asyncio.sleep(PAUSE_S)
        found += [
            Violation("queue count", f"{person.login} {queue}: says {said}, has {there}")
            for queue, (said, there) in wrong.items()
        ]
    return found


async def _miscounted(person: PersonClient, only: Any) -> dict[str, tuple[int, int]]:
    answer = (await person.dispatch.get("/api/v1/queues")).raise_for_status().json()
    said = {queue["id"]: queue["open"] for queue in answer["queues"] if not only or queue["id"] in only}
    there = {queue: await _rows(person, queue) for queue in said}
    return {queue: (said[queue], there[queue]) for queue in said if said[queue] != there[queue]}


async def _rows(person: PersonClient, queue: str) -> int:
    count, after = 0, None
    while True:
        words = {"limit": "200"} | ({"after": after} if after else {})
        page = (await person.dispatch.get(f"/api/v1/queues/{queue}", params=words)).raise_for_status().json()
        count += len(page["rows"])
        after = page["next"]
        if after is None:
            return count


def audit_whole(stand: Stand) -> list[Violation]:
    """The record of who did what is as it was written."""
    told = stand.grid("audit", "verify", check=False)
    return [Violation("audit", (told.stdout + told.stderr)[-500:])] if told.returncode else []


def read_logs(folder: Path) -> Told:
    """What was repaired, let go of, and which process found itself beyond help how often."""
    repairs = released = 0
    fatal: dict[str, int] = {}
    for log in sorted(folder.glob("*.log")):
        for line in log.read_text(errors="replace").splitlines():
            if not line.startswith("{"):
                continue
            event, row = _event(line)
            if event in REPAIRS:
                repairs += int(row.get("rows", 1))
            if event == "stream.fatal":
                fatal[log.stem] = fatal.get(log.stem, 0) + 1
            released += event == "stream.held"
    return Told(repairs, released, fatal)


def _event(line: str) -> tuple[str, dict[str, Any]]:
    try:
        row: dict[str, Any] = json.loads(line)
    except ValueError:
        return "", {}  # cut off by a kill
    return str(row.get("event", "")), row

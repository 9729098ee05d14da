"""A process that hangs in the way its first argument says, in its first life only. It notes its lives in a file."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from services.chassis.db import Database
from services.chassis.serve import Part, Running, run
from services.chassis.settings import DatabaseSettings
from services.chassis.telemetry import configure_logging
from services.chassis.watchdog.pulse import Pulse
from services.chassis.watchdog.weather import Weather

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"

Way = Callable[[Pulse, asyncio.Event], Coroutine[Any, Any, None]]


async def works_well(pulse: Pulse, stop: asyncio.Event) -> None:
    while not stop.is_set():
        pulse.has(1)
        pulse.did()
        await asyncio.sleep(0.1)


async def blocks_the_loop(pulse: Pulse, stop: asyncio.Event) -> None:
    time.sleep(600)  # noqa: ASYNC251 - that is the point


async def holds_the_interpreter(pulse: Pulse, stop: asyncio.Event) -> None:
    await asyncio.sleep(1.5)  # some heartbeats first
    re.match("(a+)+$", "a" * 80 + "b")


async def waits_for_what_never_comes(pulse: Pulse, stop: asyncio.Event) -> None:
    pulse.has(12)
    await asyncio.gather(turns_without_work_done(pulse, stop), asyncio.Event().wait())


async def turns_without_work_done(pulse: Pulse, stop: asyncio.Event) -> None:
    while not stop.is_set():
        pulse.has(12)
        pulse.turn()
        await asyncio.sleep(0.1)


async def leaks(pulse: Pulse, stop: asyncio.Event) -> None:
    kept = []
    while not stop.is_set():
        pulse.turn()
        if len(kept) < 40:
            kept.append(bytearray(b"x" * 8 * 1024 * 1024))
        await asyncio.sleep(0.02)


WAYS: dict[str, Way] = {
    "well": works_well,
    "frozen": works_well,
    "stuck": blocks_the_loop,
    "held": holds_the_interpreter,
    "stalled": waits_for_what_never_comes,
    "leaking": leaks,
    "outage": turns_without_work_done,
}


def note(lives: Path, what: str) -> None:
    with lives.open("a") as file:
        file.write(f"{what} ")


def main(name: str, lives: Path) -> int:
    configure_logging("test")
    again = lives.exists() and name != "outage"
    note(lives, "born")

    async def build() -> Running:
        db = Database(DatabaseSettings(url=NOWHERE), "hanging")
        pulse = Pulse(name, Weather(db).excuse if name == "outage" else None)
        way = works_well if again else WAYS[name]

        async def close() -> None:
            await db.close()
            note(lives, "closed")

        return Running((Part(name, lambda stop: way(pulse, stop), pulse),), close=close)

    return run(build)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], Path(sys.argv[2])))

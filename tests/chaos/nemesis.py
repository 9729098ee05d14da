"""Kills parts of a running system, one after another, seeded, and writes down what it did and how long it hurt."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from services.chassis.supervisor.status import Status, read_status

IMMEDIATE: Final = {"postgres": signal.SIGQUIT}  # what `pg_ctl stop -m immediate` sends
NEVER: Final = frozenset({"migrate", "topics", "sample", "history"})
BACK_WITHIN_S: Final = 90.0


@dataclass(frozen=True, slots=True)
class Wound:
    """One kill: which part, after how many seconds of the run, and how long until it ran again."""

    part: str
    at_s: float
    back_after_s: float


@dataclass(slots=True)
class Nemesis:
    """`run` goes through every part in random order, again and again, until the time is up."""

    home: Path
    seed: int
    pause_s: tuple[float, float] = (1.0, 4.0)
    wounds: list[Wound] = field(default_factory=list)

    async def run(self, seconds: float) -> None:
        rng = random.Random(self.seed)
        began = time.monotonic()
        order: list[str] = []
        while time.monotonic() - began < seconds:
            order = order or self._targets(rng)
            part = order.pop()
            at = time.monotonic() - began
            pid = self._pid(part)
            if pid is None:
                await asyncio.sleep(0.5)
                continue
            os.kill(pid, IMMEDIATE.get(part, signal.SIGKILL))
            self.wounds.append(Wound(part, at, await self._back(part, pid)))
            await asyncio.sleep(rng.uniform(*self.pause_s))

    def _targets(self, rng: random.Random) -> list[str]:
        names = sorted(set(self._status().parts) - NEVER)
        rng.shuffle(names)
        return names

    async def _back(self, part: str, old: int) -> float:
        """Seconds until another process of the part runs. AssertionError when it never comes back."""
        began = time.monotonic()
        while time.monotonic() - began < BACK_WITHIN_S:
            pid = self._pid(part)
            if pid is not None and pid != old and self._status().parts[part].state in ("running", "ready"):
                return time.monotonic() - began
            await asyncio.sleep(0.2)
        raise AssertionError(f"{part} was killed and did not come back within {BACK_WITHIN_S:.0f} s")

    def _pid(self, part: str) -> int | None:
        return self._status().parts[part].pid

    def _status(self) -> Status:
        status = read_status(self.home)
        assert status is not None, "the supervisor is gone"
        return status

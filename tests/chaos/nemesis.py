"""Kills parts of a running system, one after another, seeded, and writes down what it did and how long it hurt."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from services.chassis.supervisor.status import PartStatus, read_status

IMMEDIATE: Final = {"postgres": signal.SIGQUIT}  # what `pg_ctl stop -m immediate` sends
FREEZE_SHARE: Final = 0.2
FREEZE_S: Final = (3.0, 15.0)  # longer than Kafka's patience with a silent worker
GROUND: Final = ("postgres", "kafka")  # nothing can move without these: the next kill waits until they are back
BACK_WITHIN_S: Final = 90.0
LOOK_EVERY_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Wound:
    """One kill: which part, after how many seconds of the run, and how long until it ran again."""

    part: str
    at_s: float
    back_after_s: float


@dataclass(slots=True)
class Nemesis:
    """`run` goes through every part in random order, again and again, until the time is up.

    A part is killed only while it runs; the next victim need not wait for the last one, unless that was an engine.
    Once each has been killed, some are frozen for a while instead and then go on as if nothing had been (a zombie).
    """

    home: Path
    seed: int
    pause_s: tuple[float, float] = (1.5, 4.0)
    wounds: list[Wound] = field(default_factory=list)
    parts: frozenset[str] = frozenset()
    frozen: int = 0

    async def run(self, seconds: float) -> None:
        """Returns when every part it killed runs again. AssertionError when one never does."""
        rng = random.Random(self.seed)
        began = time.monotonic()
        self.parts = frozenset(name for name, part in self._status().items() if part.state == "ready")
        order: list[str] = []
        async with asyncio.TaskGroup() as healing:
            while time.monotonic() - began < seconds:
                order = order or rng.sample(sorted(self.parts), len(self.parts))
                part = order.pop()
                pid = await self._running(part)
                if not self.spared and part not in GROUND and rng.random() < FREEZE_SHARE:
                    healing.create_task(self._freeze(pid, rng.uniform(*FREEZE_S)))
                    continue
                os.kill(pid, IMMEDIATE.get(part, signal.SIGKILL))
                healed = healing.create_task(self._heal(part, pid, time.monotonic() - began))
                if part in GROUND:
                    await healed
                await asyncio.sleep(rng.uniform(*self.pause_s))

    @property
    def spared(self) -> frozenset[str]:
        """Parts that were never killed."""
        return self.parts - {wound.part for wound in self.wounds}

    async def _freeze(self, pid: int, seconds: float) -> None:
        self.frozen += 1
        with contextlib.suppress(ProcessLookupError):  # killed meanwhile
            os.kill(pid, signal.SIGSTOP)
            try:
                await asyncio.sleep(seconds)
            finally:
                os.kill(pid, signal.SIGCONT)

    async def _heal(self, part: str, killed: int, at_s: float) -> None:
        began = time.monotonic()
        await self._running(part, other_than=killed)
        self.wounds.append(Wound(part, at_s, time.monotonic() - began))

    async def _running(self, part: str, other_than: int | None = None) -> int:
        """The process id of a part, once it is ready."""
        began = time.monotonic()
        while time.monotonic() - began < BACK_WITHIN_S:
            now = self._status()[part]
            if now.state == "ready" and now.pid is not None and now.pid != other_than:
                return now.pid
            await asyncio.sleep(LOOK_EVERY_S)
        raise AssertionError(f"{part} was killed and did not come back within {BACK_WITHIN_S:.0f} s")

    def _status(self) -> dict[str, PartStatus]:
        status = read_status(self.home)
        assert status is not None, "the supervisor is gone"
        return status.parts

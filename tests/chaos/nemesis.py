"""Does what the plan says, one harm after another, and writes down what it did and how long it hurt."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.chaos.faults import FAULTS
from tests.chaos.plan import Fault, Strike
from tests.chaos.world import World


@dataclass(frozen=True, slots=True)
class Wound:
    """One harm done: what, to whom, after how many seconds of the run, and how long until all was well again."""

    number: int
    fault: str
    part: str
    at_s: float
    back_after_s: float
    told: str = ""


@dataclass(slots=True)
class Nemesis:
    """`run` goes through the plan. A harm that takes the ground away is waited for; the others overlap."""

    world: World
    plan: Sequence[Strike]
    log: Path
    wounds: list[Wound] = field(default_factory=list)

    async def run(self) -> None:
        """Returns when everything it hurt is well again. NotBack (in a group) when something never is."""
        began = time.monotonic()
        late = 0.0
        healing: set[asyncio.Task[None]] = set()
        async with asyncio.TaskGroup() as group:
            for strike in self.plan:
                await asyncio.sleep(max(0.0, strike.at_s + late - (time.monotonic() - began)))
                if strike.waits and healing:
                    await asyncio.wait(healing)
                at = time.monotonic() - began
                task = group.create_task(self._strike(strike, at))
                healing.add(task)
                task.add_done_callback(healing.discard)
                if strike.blocks:
                    await task
                    late = max(late, time.monotonic() - began - strike.at_s - strike.lasts_s)

    @property
    def spared(self) -> frozenset[str]:
        """Processes that the plan wanted to kill and that were not."""
        wanted = {strike.target for strike in self.plan if strike.fault is Fault.KILL}
        return frozenset(wanted - {wound.part for wound in self.wounds if wound.fault == Fault.KILL})

    async def _strike(self, strike: Strike, at_s: float) -> None:
        began = time.monotonic()
        self._write({"strikes": asdict(strike), "at_s": round(at_s, 2)})
        told = await FAULTS[strike.fault](self.world, strike)
        hurt = time.monotonic() - began
        wound = Wound(strike.number, strike.fault.value, strike.target, round(at_s, 2), round(hurt, 2), told)
        self.wounds.append(wound)
        self._write({"healed": asdict(wound)})

    def _write(self, row: dict[str, object]) -> None:
        with self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")

"""How much the processes take meanwhile: memory, files, connections. What grows without bound is a fault."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psycopg

from tests.chaos.violation import Violation
from tests.chaos.world import World

LOOK_EVERY_S: Final = 3.0
RSS_MB: Final = 400
FILES: Final = 400
CONNECTIONS: Final = 100
"""Of the 120 that the embedded server allows."""
PAGE_KB: Final = 4
ENGINES: Final = ("postgres", "kafka")
_COUNT: Final = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name <> ''"
"""Ours have names; those that a fault takes have none."""


@dataclass(slots=True)
class Bounds:
    """The highest values seen."""

    rss_mb: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    connections: int = 0

    async def run(self, world: World, stop: asyncio.Event) -> None:
        """Look again and again until asked to stop."""
        while not stop.is_set():
            for name, pid in _pids(world).items():
                with contextlib.suppress(OSError):
                    self._note(name, pid)
            with contextlib.suppress(psycopg.Error):
                found = int(str((await world.ask(_COUNT))[0][0]))
                self.connections = max(self.connections, found)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_EVERY_S)

    def violations(self) -> list[Violation]:
        """What was over its bound."""
        found = [Violation("memory", f"{name}: {mb} MB") for name, mb in self.rss_mb.items() if mb > RSS_MB]
        found += [Violation("files", f"{name}: {count}") for name, count in self.files.items() if count > FILES]
        if self.connections > CONNECTIONS:
            found.append(Violation("connections", str(self.connections)))
        return found

    def _note(self, name: str, pid: int) -> None:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        self.rss_mb[name] = max(self.rss_mb.get(name, 0), pages * PAGE_KB // 1024)
        self.files[name] = max(self.files.get(name, 0), len(list(Path(f"/proc/{pid}/fd").iterdir())))


def _pids(world: World) -> dict[str, int]:
    parts = {name: part.pid for name, part in world.parts().items() if part.pid and name not in ENGINES}
    guests = {name: pid for name in world.guests.members if (pid := world.guests.pid(name)) is not None}
    return {**parts, **guests}

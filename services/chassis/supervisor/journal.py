"""logs/supervisor.log: one JSON line for every life of a part that ended unasked or hung."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from services.chassis.clock import Clock, SystemClock


class Journal:
    """Appends; a disk that is full costs the line, not the supervisor."""

    def __init__(self, home: Path, clock: Clock | None = None) -> None:
        self._file = home / "logs" / "supervisor.log"
        self._clock = clock or SystemClock()

    def write(self, event: str, level: str, **what: object) -> None:
        """One line, with the fields every log line of the system has."""
        head = {"event": event, "level": level, "logger": "supervisor", "service": "grid-up"}
        line = {**head, "timestamp": self._clock.now().isoformat(), **what}
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")

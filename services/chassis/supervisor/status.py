"""GRID_HOME/run/parts.json: what runs where, for `grid status`, tests and the fault suite."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class PartStatus:
    """One part as the file shows it."""

    state: str
    pid: int | None = None
    restarts: int = 0
    exit_code: int | None = None
    port: int | None = None
    url: str | None = None
    metrics: int | None = None
    log: str = ""
    reason: str | None = None
    """Why its last life ended, in one word, and told for people; None while the first one lasts."""
    told: str | None = None
    ended_at: str | None = None
    serving: bool | None = None
    """Whether it does its work (a worker: has partitions); None where it does not say."""
    waits_for: str | None = None
    """What it lacks at the moment, such as the database."""
    rss_mb: int | None = None
    beat_age_s: float | None = None
    """Seconds since its last heartbeat, when this was written."""


@dataclass(slots=True)
class Status:
    """The whole file."""

    supervisor: int
    ready: bool = False
    home: str = ""
    database: str = "embedded"
    kafka_url: str = ""
    parts: dict[str, PartStatus] = field(default_factory=dict)


def status_file(home: Path) -> Path:
    """Where the status lies."""
    return home / "run" / "parts.json"


def write_status(home: Path, status: Status) -> None:
    """Replace the file at once, so that no reader sees half of it."""
    file = status_file(home)
    file.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(status), indent=1))
    os.replace(fresh, file)


def read_status(home: Path) -> Status | None:
    """What the supervisor wrote last, or None where none has run or it stopped cleanly."""
    try:
        raw: dict[str, Any] = json.loads(status_file(home).read_text())
    except FileNotFoundError:
        return None
    parts = {name: PartStatus(**part) for name, part in raw.pop("parts").items()}
    return Status(**raw, parts=parts)

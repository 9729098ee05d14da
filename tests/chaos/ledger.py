"""What was acknowledged, on disk before anybody may rely on it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One report as its sender knows it. `acknowledged` False: the answer never came, so it may or may not exist."""

    key: str
    acknowledged: bool
    report_id: str | None
    text: str


@dataclass(frozen=True, slots=True)
class PhotoEntry:
    """A photo of an acknowledged report, as its sender knows it."""

    key: str
    acknowledged: bool
    report_id: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Deed:
    """An operator's act as he knows it. `outcome`: "maybe" (no answer yet), "done" or "refused"."""

    key: str
    outcome: str
    account: str
    case_no: str
    action: str
    version: int = 0


@dataclass(frozen=True, slots=True)
class PoisonEntry:
    """A message that nobody should have sent: its key, and where it has to end ("dead" or "held") at whom."""

    key: str
    acknowledged: bool
    topic: str
    fate: str


class Ledger:
    """Append-only, one JSON line an entry, each fsynced before `add` returns. Entries are told apart by their key."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("a", encoding="utf-8")

    def add(self, entry: Entry | PhotoEntry | Deed | PoisonEntry) -> None:
        self._file.write(json.dumps(asdict(entry), ensure_ascii=False) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


def entries(path: Path) -> Iterator[Entry]:
    """Every report in the ledger; the last entry of a key counts."""
    yield from (Entry(**row) for row in _last(path))


def photos(path: Path) -> Iterator[PhotoEntry]:
    """Every photo."""
    yield from (PhotoEntry(**row) for row in _last(path))


def deeds(path: Path) -> Iterator[Deed]:
    """Every act."""
    yield from (Deed(**row) for row in _last(path))


def poison(path: Path) -> Iterator[PoisonEntry]:
    """Every message that does not belong."""
    yield from (PoisonEntry(**row) for row in _last(path))


def _last(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as file:
        return [*{row["key"]: row for row in map(json.loads, file)}.values()]

"""What was acknowledged, on disk before anybody may rely on it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Entry:
    """One report as its sender knows it. `acknowledged` False: the answer never came, so it may or may not exist."""

    key: str
    acknowledged: bool
    report_id: str | None
    text: str


class Ledger:
    """Append-only, one JSON line an entry, each fsynced before `add` returns."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("a", encoding="utf-8")

    def add(self, entry: Entry) -> None:
        self._file.write(json.dumps(asdict(entry), ensure_ascii=False) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


def entries(path: Path) -> Iterator[Entry]:
    """Everything in the ledger; the last entry of a key counts."""
    with path.open(encoding="utf-8") as file:
        yield from {entry.key: entry for entry in (Entry(**json.loads(line)) for line in file)}.values()

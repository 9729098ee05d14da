"""A partition that stands still although messages wait in it, noticed by what the broker says of it.

A worker whose other partitions move looks lively, and its own client may believe that it has read everything: it has
thrown messages away, or never asks for those of one partition. Only the broker knows what is committed and what waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from services.chassis.streams.lags import Place

LOOK_EVERY_S: Final = 30.0
LOOKS: Final = 4
"""So many looks in a row that find the same commit before the same or a later end: two minutes at least. A look that
comes late, because the machine slept, is one look all the same."""


class StoodStill(RuntimeError):
    """Messages wait in partitions of ours and nothing of them gets committed."""


class Standstill:
    """Compares one look with the looks before; partitions that went to another process are forgotten."""

    def __init__(self, looks: int = LOOKS) -> None:
        self._looks = looks
        self._stood: dict[Place, tuple[int, int]] = {}

    def look(self, reached: Mapping[Place, tuple[int, int]]) -> None:
        """`reached`: per partition of ours what is committed and where it ends. Raises StoodStill."""
        stood: dict[Place, tuple[int, int]] = {}
        for place, (committed, end) in reached.items():
            before, looks = self._stood.get(place, (committed, 0))
            if committed < end:
                stood[place] = (committed, looks + 1 if before == committed else 1)
        self._stood = stood
        if late := [f"{place.topic}/{place.partition}" for place, (_, looks) in stood.items() if looks > self._looks]:
            raise StoodStill(f"nothing committed over {self._looks} looks: {', '.join(sorted(late))}")

    def forgive(self) -> None:
        """Start over: the worker had a reason to wait, or the broker could not be asked."""
        self._stood.clear()

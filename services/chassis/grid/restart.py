"""`grid restart`: one part after the other, each back at work before the next one goes."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from services.chassis.clock import monotonic
from services.chassis.grid.exits import FAILED, NOT_RUNNING, USAGE
from services.chassis.supervisor.asked import ask
from services.chassis.supervisor.lock import holder
from services.chassis.supervisor.settings import home_folder
from services.chassis.supervisor.status import PartStatus, read_status

END_WITHIN = 25.0
BACK_WITHIN = 120.0
LOOK_EVERY = 0.1
ENGINES = ("postgres", "kafka")


class NotBack(RuntimeError):
    """A part did not end, or did not come back to its work; the text names it."""


def run_restart(wanted: Sequence[str]) -> int:
    """Restart these parts (names or patterns; without any, every service process) in turn; answers the exit code."""
    home = home_folder()
    status = read_status(home) if holder(home) is not None else None
    if status is None:
        sys.stderr.write(f"grid: nothing runs on {home}\n")
        return NOT_RUNNING
    names, unknown = chosen(status.parts, wanted)
    if unknown:
        sys.stderr.write(f"grid: no such part runs: {', '.join(unknown)}; `grid status` lists them\n")
        return USAGE
    try:
        for name in names:
            seconds = Restart(home, name).run()
            sys.stdout.write(f"{name:<20} back after {seconds:.1f} s\n")
            sys.stdout.flush()
    except NotBack as error:
        sys.stderr.write(f"grid: {error}\n")
        return FAILED
    return 0


def chosen(parts: Mapping[str, PartStatus], wanted: Sequence[str]) -> tuple[list[str], list[str]]:
    """The parts meant, in the table's order, and the words that mean none. Engines and one-shots are never meant."""
    able = [name for name, part in parts.items() if name not in ENGINES and part.state == "ready"]
    if not wanted:
        return able, []
    meant = [name for name in able if any(fnmatchcase(name, word) for word in wanted)]
    return meant, [word for word in wanted if not any(fnmatchcase(name, word) for name in able)]


class Restart:
    """One part's end and return."""

    def __init__(self, home: Path, name: str) -> None:
        self._home = home
        self._name = name

    def run(self) -> float:
        """Seconds from the signal until it and its peers are at work again; raises NotBack."""
        began = monotonic()
        pid = self._parts()[self._name].pid
        if pid is not None:
            ask(self._home, self._name, pid)
            self._end(pid)
        self._until(lambda: self._back(pid), BACK_WITHIN, "did not come back to work")
        return monotonic() - began

    def _end(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        try:
            self._until(lambda: self._parts()[self._name].pid != pid, END_WITHIN, "")
        except NotBack:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _back(self, old: int | None) -> bool:
        """It runs anew, and it and its peers (workers of one group share partitions) serve."""
        parts = self._parts()
        if parts[self._name].pid in (None, old):
            return False
        return all(
            parts[peer].state == "ready" and parts[peer].serving is not False for peer in peers(self._name, parts)
        )

    def _parts(self) -> Mapping[str, PartStatus]:
        status = read_status(self._home)
        if status is None or holder(self._home) is None:
            raise NotBack("the supervisor has stopped")
        return status.parts

    def _until(self, true: Callable[[], bool], seconds: float, otherwise: str) -> None:
        deadline = monotonic() + seconds
        while not true():
            if monotonic() > deadline:
                raise NotBack(f"{self._name} {otherwise} within {seconds:.0f} s")
            time.sleep(LOOK_EVERY)


def peers(name: str, parts: Mapping[str, PartStatus]) -> list[str]:
    """Parts that do the same work under numbered names, the part itself among them."""
    stem = re.sub(r"-\d+$", "", name)
    return [each for each in parts if re.sub(r"-\d+$", "", each) == stem]

"""`grid rulebook what-if`: dispatch compares; the database of a system that is stopped is started for the while."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from services.chassis.grid.exits import NOT_RUNNING
from services.chassis.grid.owned import run_owned
from services.chassis.supervisor.environment import Surroundings
from services.chassis.supervisor.lock import HomeLock, holder
from services.chassis.supervisor.settings import SupervisorSettings

_HELP = frozenset({"--help", "-h"})


def run_whatif(words: list[str]) -> int:
    """The exit code of dispatch's command. Raises EngineFailed where the database does not start."""
    if _HELP & set(words):
        return run_owned("dispatch", ("what-if", *words))
    surroundings = Surroundings(SupervisorSettings.read())
    if surroundings.postgres is not None and not surroundings.postgres.made:
        sys.stderr.write(f"grid: no case was ever recorded at {surroundings.home}; `grid up` starts there\n")
        return NOT_RUNNING
    with _database(surroundings):
        return run_owned("dispatch", ("what-if", *words))


@contextmanager
def _database(surroundings: Surroundings) -> Iterator[None]:
    """A server to ask: the one that runs, or the embedded one for as long as this takes."""
    postgres = surroundings.postgres
    if postgres is None or holder(surroundings.home) is not None:
        yield
        return
    with HomeLock(surroundings.home):
        postgres.start()
        try:
            yield
        finally:
            postgres.stop()

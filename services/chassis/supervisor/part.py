"""What the supervisor knows about one part: how to start it, when it counts as ready, what it needs, how it ends."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from services.chassis.engines import Launch, StopStep

STOP_STEPS: tuple[StopStep, ...] = ((signal.SIGTERM, 25.0),)
"""Then SIGKILL, which is safe for every part: what was not committed is done again."""


class PartState(StrEnum):
    """Where a part stands."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    DONE = "done"
    PAUSING = "pausing"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One row of the table of parts."""

    name: str
    launch: Callable[[], Launch]
    needs: tuple[str, ...] = ()
    once: bool = False
    """Runs to its end; ready when it ended well."""
    vital: bool = False
    """A one-shot or engine without which nothing can start: if it keeps failing at the start, the start is given up."""
    prepare: Callable[[], None] | None = None
    """Blocking work before each start, done in a thread."""
    probe: Callable[[], Awaitable[bool]] | None = None
    """Whether it is ready; without one a part is ready when its process runs."""
    settle: Callable[[], None] | None = None
    """Blocking work each time it became ready (a one-shot: ended well), in a thread, before others may rely on it."""
    awaited: bool = True
    """Whether the whole counts as ready only with this part."""
    stop_steps: tuple[StopStep, ...] = STOP_STEPS
    crash_pause: float = 0.5
    """Least seconds between a crash and the next start."""
    engine: bool = False
    """Stopped after all others."""
    yields: bool = False
    """Where processors are scarce the others go first."""
    guarded: bool = False
    """It sends heartbeats, and is ended when they stop."""
    port: int | None = None
    url: str | None = None
    metrics: int | None = None
    """The port on loopback where it shows its metrics."""

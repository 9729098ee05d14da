"""Harm done to a running system, and the wait until it is well again."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from services.chassis.supervisor.status import Status, read_status
from tests.e2e.town import until
from tests.support.stand import Stand

BACK_WITHIN_S = 240.0
"""Generous: a machine under other load is slow, not broken."""


def kill(stand: Stand, part: str) -> None:
    """kill -9; the supervisor starts it again."""
    pid = _running(stand, part)
    os.kill(pid, signal.SIGKILL)
    _running(stand, part, other_than=pid)


def away(stand: Stand, part: str, by: signal.Signals, seconds: float) -> None:
    """Stopped by this signal, not there for a while, then started again."""
    pid = _running(stand, part)
    with _nobody_restarts(stand):
        os.kill(pid, by)
        time.sleep(seconds)
    _running(stand, part, other_than=pid)


def _running(stand: Stand, part: str, other_than: int | None = None) -> int:
    """The process id of a part, once it is ready."""

    def look() -> int | None:
        found = _status(stand).parts[part]
        return found.pid if found.state == "ready" and found.pid != other_than else None

    return until(f"{part} runs", look, BACK_WITHIN_S)


def _status(stand: Stand) -> Status:
    status = read_status(stand.home)
    assert status is not None, "the supervisor is gone"
    return status


@contextmanager
def _nobody_restarts(stand: Stand) -> Iterator[None]:
    """The supervisor would have it back in a moment, so it is frozen meanwhile."""
    supervisor = _status(stand).supervisor
    os.kill(supervisor, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(supervisor, signal.SIGCONT)

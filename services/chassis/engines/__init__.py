"""The embedded engines: PostgreSQL and Apache Kafka from packages, for machines that have neither.

Only the supervisor and the tests start them. A service never knows: it sees DATABASE_URL and KAFKA_URL.
Everything here runs on the standard library (jgo is imported only when a jar is missing), because the supervisor
imports it and has to start at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGTERM, Signals

Say = Callable[[str], None]
"""Where progress goes: one short line per step a person waits for."""


def quiet(_line: str) -> None:
    """Progress for callers that show none."""


class EngineFailed(RuntimeError):
    """An engine cannot be prepared, started or reached; the text names the cause and, if there is one, the remedy."""


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start one process: what to run, with which environment, as whom, and what it gets if we die."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    uid: int | None = None
    gid: int | None = None
    death_signal: Signals | None = SIGTERM


StopStep = tuple[Signals, float]
"""A signal and the seconds the process has to obey before the next step."""

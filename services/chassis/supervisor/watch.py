"""What the supervisor knows of a part's health: its heartbeats, and when their absence has lasted too long."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self

from services.chassis.clock import monotonic
from services.chassis.supervisor.settings import BadSetting
from services.chassis.watchdog.beat import Beat
from services.chassis.watchdog.rules import SilenceJudge, Verdict


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a part may say nothing, and how much memory single parts may hold."""

    on: bool = True
    silent_s: float = 20.0
    boot_s: float = 180.0
    """From the start of its process to its first heartbeat."""
    memory_mb: Mapping[str, int] = field(default_factory=dict)
    """Limits of parts that differ from the rest (GRID_MEMORY_LIMIT_MB)."""

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Self:
        """From the environment; raises BadSetting."""
        usual = cls()
        return cls(
            on=env.get("GRID_WATCHDOG", "1") not in ("0", "false"),
            silent_s=_seconds(env, "GRID_WATCHDOG_SILENT_S", usual.silent_s),
            boot_s=usual.boot_s,
            memory_mb=_limits(env.get("GRID_MEMORY_LIMITS", "")),
        )

    def environment(self, part: str) -> dict[str, str]:
        """What the part itself has to know of it."""
        limit = self.memory_mb.get(part)
        return {} if limit is None else {"GRID_MEMORY_LIMIT_MB": str(limit)}


class Watch:
    """One part's health, through all its lives."""

    def __init__(self, patience: Patience, catch_up: Callable[[], None]) -> None:
        self._patience = patience
        self._catch_up = catch_up
        self._pid = 0
        self._beats = 0
        self._heard_at = 0.0
        self._judge = SilenceJudge(patience.silent_s, patience.boot_s)
        self.beat: Beat | None = None
        """The last one of this life."""
        self.verdict: Verdict | None = None
        """Why this life has to end, or ended itself."""

    def born(self, pid: int) -> None:
        """A new life begins."""
        self._pid, self._beats, self.beat, self.verdict = pid, 0, None, None

    def hear(self, beat: Beat) -> bool:
        """Take in a heartbeat; whether it changed what others wait for."""
        before, self.beat = self.beat, beat
        self._beats += 1
        self._heard_at = monotonic()
        self.verdict = self.verdict or beat.verdict
        return before is None or (before.serving, before.waits_for) != (beat.serving, beat.waits_for)

    def look(self, now: float) -> Verdict | None:
        """A new verdict, told once per life."""
        if self.verdict is not None or not self._patience.on:
            return None
        self.verdict = self._judge.look(self._pid, self._beats, now)
        return self.verdict

    def last_verdict(self) -> Verdict | None:
        """Of a life that has just ended: its last heartbeat may still be on the way."""
        self._catch_up()
        return self.verdict

    @property
    def age_s(self) -> float | None:
        """Seconds since the last heartbeat of this life."""
        return round(monotonic() - self._heard_at, 1) if self.beat is not None else None


def _seconds(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name)
    if not text:
        return default
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if seconds < 5:
        raise BadSetting(f"{name}={text!r} is no number of seconds from 5 up")
    return seconds


def _limits(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for word in filter(None, (each.strip() for each in text.split(","))):
        part, _, number = word.partition("=")
        if not number.isdigit():
            raise BadSetting(f"GRID_MEMORY_LIMITS: {word!r} is not part=MB")
        found[part.strip()] = int(number)
    return found

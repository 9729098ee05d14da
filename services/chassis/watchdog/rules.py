"""When a process counts as hung. Pure: what is seen and what time it is go in, a verdict comes out.

Nobody is condemned for time in which the judge did not run: on a machine that was suspended or is far too busy, the
judge's own looks are late as well, and a late look counts as one look.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

LOOK_S: Final = 1.0
"""A judge looks about once a second."""
LONGEST_STEP_S: Final = 2.0
"""What a single look may add to anybody's silence, however late it comes."""
MEMORY_LOOKS: Final = 5
"""So many looks in a row over the limit are not a passing peak."""


class Rule(StrEnum):
    """Why a process is ended."""

    SILENT = "silent"
    """No heartbeat arrives: it is stopped, or not even its watching thread gets to run."""
    STUCK = "stuck"
    """The event loop does not turn."""
    STALLED = "stalled"
    """One of its loops does not come round, or there is work and nothing of it gets done."""
    MEMORY = "memory"
    """It holds more memory than it may."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A process to be ended, and why, in a line for people."""

    rule: Rule
    told: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How long what may last (seconds), and how much memory a process may hold (MB; 0: any)."""

    stuck_s: float = 30.0
    stalled_s: float = 60.0
    patience_s: float = 300.0
    """For a loop that says what it waits for; it still has to come round."""
    memory_mb: int = 0


@dataclass(frozen=True, slots=True)
class LoopSeen:
    """What a loop tells of itself at a look: see `pulse.Pulse`."""

    name: str
    turns: int = 0
    work: int = 0
    done: int = 0
    waits_for: str | None = None
    excused: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A process at one look."""

    ticks: int
    rss_mb: int = 0
    loops: tuple[LoopSeen, ...] = ()


class OwnTime:
    """Seconds the judge was awake since its first look."""

    def __init__(self, longest_step_s: float = LONGEST_STEP_S) -> None:
        self._longest = longest_step_s
        self._last: float | None = None
        self._at = 0.0

    def at(self, now: float) -> float:
        """Advance to `now` (monotonic seconds)."""
        if self._last is not None:
            self._at += min(max(0.0, now - self._last), self._longest)
        self._last = now
        return self._at


class Unchanged:
    """For how long a value has been the same."""

    def __init__(self) -> None:
        self._value: object = self
        self._since = 0.0

    def seconds(self, value: object, at: float) -> float:
        """How long `value` has been what it is."""
        if value != self._value:
            self._value, self._since = value, at
        return at - self._since

    def forgive(self) -> None:
        """Start over with the next look."""
        self._value = self


class LoopJudge:
    """One loop of a process."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._turned = Unchanged()
        self._moved = Unchanged()

    def look(self, loop: LoopSeen, at: float) -> str | None:
        """What is wrong with it, or None."""
        if loop.excused is not None:
            self._turned.forgive()
            self._moved.forgive()
            return None
        still = self._turned.seconds(loop.turns, at)
        if still > (self._limits.stalled_s if loop.waits_for is None else self._limits.patience_s):
            return f"{loop.name} has not come round for {still:.0f} s"
        if not loop.work or loop.waits_for is not None:
            self._moved.forgive()
            return None
        idle = self._moved.seconds(loop.done, at)
        if idle > self._limits.stalled_s:
            return f"{loop.name} has got nothing done for {idle:.0f} s, and {loop.work} waits"
        return None


class Judge:
    """Judges one process by a series of looks."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._time = OwnTime()
        self._ticked = Unchanged()
        self._loops: dict[str, LoopJudge] = {}
        self._heavy = 0

    def look(self, seen: Seen, now: float) -> Verdict | None:
        """The verdict after one more look at `now` (monotonic seconds), or None."""
        at = self._time.at(now)
        still = self._ticked.seconds(seen.ticks, at)
        if still > self._limits.stuck_s:
            return Verdict(Rule.STUCK, f"the event loop has not turned for {still:.0f} s")
        if (trouble := self._loop_trouble(seen, at)) is not None:
            return Verdict(Rule.STALLED, trouble)
        self._heavy = self._heavy + 1 if 0 < self._limits.memory_mb < seen.rss_mb else 0
        if self._heavy >= MEMORY_LOOKS:
            return Verdict(Rule.MEMORY, f"{seen.rss_mb} MB of memory, {self._limits.memory_mb} are allowed")
        return None

    def _loop_trouble(self, seen: Seen, at: float) -> str | None:
        self._loops = {loop.name: self._loops.get(loop.name) or LoopJudge(self._limits) for loop in seen.loops}
        found = [self._loops[loop.name].look(loop, at) for loop in seen.loops]
        return next((each for each in found if each is not None), None)


class SilenceJudge:
    """What the supervisor asks of a process from outside: that heartbeats arrive."""

    def __init__(self, silent_s: float, boot_s: float) -> None:
        self._silent_s = silent_s
        self._boot_s = boot_s
        self._time = OwnTime()
        self._heard = Unchanged()

    def look(self, life: int, beats: int, now: float) -> Verdict | None:
        """`life` names the process (its id), `beats` how many were heard of it; 0 while it starts."""
        silent = self._heard.seconds((life, beats), self._time.at(now))
        if silent > (self._silent_s if beats else self._boot_s):
            return Verdict(Rule.SILENT, f"no heartbeat for {silent:.0f} s")
        return None

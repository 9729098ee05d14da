"""When to try again, and when to leave an endpoint alone for a while."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

OPEN_AFTER: Final = 5
WINDOW_S: Final = 60
SLICE_S: Final = 5
ENOUGH_TO_JUDGE: Final = 20
FIRST_PAUSE_S: Final = 30
LONGEST_PAUSE_S: Final = 900
LONGEST_RETRY_AFTER_S: Final = 86_400
GONE: Final = 410


def next_try(
    schedule_s: Sequence[float], failed: int, now: datetime, jitter: random.Random, retry_after_s: float | None = None
) -> datetime | None:
    """When to try after the `failed`-th failure (from 1), ±20 %; None when the schedule is used up.

    A receiver's Retry-After is honoured when it asks for more patience than the plan.
    """
    if failed > len(schedule_s):
        return None
    wait = schedule_s[failed - 1] * jitter.uniform(0.8, 1.2)
    if retry_after_s is not None:
        wait = max(wait, min(retry_after_s, LONGEST_RETRY_AFTER_S))
    return now + timedelta(seconds=wait)


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds of a Retry-After header, given as seconds or as an HTTP date; None where it is missing or unreadable."""
    if not value:
        return None
    if value.isascii() and value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (ValueError, TypeError):
        return None


@dataclass(frozen=True, slots=True)
class Slice:
    """Attempts of five seconds: when they began (Unix seconds), how many there were and how many of them failed."""

    second: int
    tried: int
    failed: int


@dataclass(frozen=True, slots=True)
class Breaker:
    """An endpoint's standing: failures in a row, until when nothing is sent, and how the last minute went."""

    failures: int
    open_for_s: int
    open_until: datetime | None
    recent: tuple[Slice, ...] = ()

    def after_success(self, now: datetime) -> Breaker:
        """Whoever answers well is let go on, whatever the others of the last minute met."""
        return Breaker(0, 0, None, self._counted(now, failed=0))

    def after_failure(self, now: datetime) -> Breaker:
        """Opens at the fifth failure in a row, or when of twenty and more in a minute most have failed.

        Each failed probe doubles the pause, up to a quarter of an hour. Messages that were under way when it opened
        are no probes: their failures leave the pause as it is.
        """
        failures, recent = self.failures + 1, self._counted(now, failed=1)
        if self.open_until is not None and now < self.open_until:
            return Breaker(failures, self.open_for_s, self.open_until)
        probed = self.open_until is not None
        if not (probed or failures >= OPEN_AFTER or _mostly_failed(recent)):
            return Breaker(failures, 0, None, recent)
        pause = min(LONGEST_PAUSE_S, self.open_for_s * 2 or FIRST_PAUSE_S)
        return Breaker(failures, pause, now + timedelta(seconds=pause))  # and the minute is counted anew afterwards

    def _counted(self, now: datetime, *, failed: int) -> tuple[Slice, ...]:
        second = int(now.timestamp()) // SLICE_S * SLICE_S
        kept = [one for one in self.recent if second - WINDOW_S < one.second < second]
        this = next((one for one in self.recent if one.second == second), Slice(second, 0, 0))
        return (*kept, Slice(second, this.tried + 1, this.failed + failed))


def _mostly_failed(recent: Sequence[Slice]) -> bool:
    tried, failed = sum(one.tried for one in recent), sum(one.failed for one in recent)
    return tried >= ENOUGH_TO_JUDGE and failed * 2 > tried

"""When to try again, and when to leave an endpoint alone for a while."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

OPEN_AFTER: Final = 5
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
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (ValueError, TypeError):
        return None


@dataclass(frozen=True, slots=True)
class Breaker:
    """An endpoint's standing: failures in a row, and until when nothing is sent."""

    failures: int
    open_for_s: int
    open_until: datetime | None

    def after_success(self) -> Breaker:
        return Breaker(0, 0, None)

    def after_failure(self, now: datetime) -> Breaker:
        """Opens at the fifth failure in a row; each failed probe doubles the pause, up to a quarter of an hour.

        Messages that were under way when it opened are no probes: their failures leave the pause as it is.
        """
        failures = self.failures + 1
        if self.open_until is not None and now < self.open_until:
            return Breaker(failures, self.open_for_s, self.open_until)
        if failures < OPEN_AFTER:
            return Breaker(failures, 0, None)
        pause = min(LONGEST_PAUSE_S, self.open_for_s * 2 or FIRST_PAUSE_S)
        return Breaker(failures, pause, now + timedelta(seconds=pause))

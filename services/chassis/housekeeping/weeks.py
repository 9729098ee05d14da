"""Which weeks of a table there should be. Pure; a week is named by its Monday, UTC.

Weeks, not days: every statement on the outbox pays for each partition there is, and thirty days are five of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

WEEK: Final = timedelta(days=7)
AHEAD: Final = timedelta(days=14)
FARTHEST: Final = timedelta(days=98)
"""A row of a week farther ahead stays in the default partition: somebody's clock is wrong, and the alarm says so."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to make and what to drop, oldest first."""

    make: tuple[date, ...]
    drop: tuple[date, ...]


def monday_of(moment: datetime) -> date:
    """The week a moment lies in."""
    day = moment.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())


def plan(existing: Set[date], moments: Iterable[datetime], strays: Iterable[date], keep: timedelta) -> Plan:
    """The weeks to make and to drop.

    `moments` are the clocks that rows are stamped by, the database's first; each gets its fourteen days. `strays` are
    weeks whose rows lie in the default partition: they get their partition unless it would be dropped at once.
    """
    clocks = tuple(moments)
    last = _last_dropped(clocks[0], keep)
    wanted = {week for clock in clocks for week in _weeks_from(clock)}
    limit = monday_of(clocks[0] + FARTHEST)
    wanted |= {week for week in strays if last < week <= limit}
    old = {week for week in existing if week <= last}
    return Plan(tuple(sorted(wanted - existing)), tuple(sorted(old - wanted)))


def days_ahead(existing: Set[date], now: datetime) -> float:
    """For how many days from now on every moment has its partition."""
    week = monday_of(now)
    if week not in existing:
        return 0.0
    while week in existing:
        week += WEEK
    return (start_of(week) - now) / timedelta(days=1)


def start_of(week: date) -> datetime:
    """Its first moment."""
    return datetime.combine(week, time.min, UTC)


def _weeks_from(clock: datetime) -> Iterable[date]:
    week, last = monday_of(clock), monday_of(clock + AHEAD)
    while week <= last:
        yield week
        week += WEEK


def _last_dropped(now: datetime, keep: timedelta) -> date:
    """The newest week that ended so long ago."""
    return monday_of(now - keep) - WEEK

"""A limit put on a calendar, and what it means that a calendar has changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.governance.worktime.calendar import Calendar
from services.governance.worktime.days import DAY_S
from services.governance.worktime.limits import Basis, Budget, DayConvention, LimitUnit

_SECONDS = {
    LimitUnit.URGENT_MINUTE: 60,
    LimitUnit.URGENT_HOUR: 3600,
    LimitUnit.WORK_MINUTE: 60,
    LimitUnit.WORK_HOUR: 3600,
    LimitUnit.NATURAL_DAY: DAY_S,
}


def seconds_of(budget: Budget, start: datetime, calendar: Calendar, convention: DayConvention) -> int:
    """The budget as seconds of its own basis, for an allowance that starts at `start`."""
    if budget.unit is not LimitUnit.WORK_DAY:
        return budget.value * _SECONDS[budget.unit]
    if convention is DayConvention.ROLL:
        return budget.value * calendar.day_length(start)
    return calendar.elapsed(start, calendar.add_days(start, budget.value, convention))


def shift(start: datetime, seconds: int, basis: str, calendar: Calendar) -> datetime:
    """`start` plus seconds of a basis."""
    if basis == Basis.WORK:
        return calendar.add(start, seconds)
    return start + timedelta(seconds=seconds)


def spent(begin: datetime, end: datetime, basis: str, calendar: Calendar) -> int:
    """Seconds of a basis between two instants; never negative."""
    if basis == Basis.WORK:
        return calendar.elapsed(begin, end)
    return max(0, (end - begin) // timedelta(seconds=1))


@dataclass(frozen=True, slots=True)
class CalendarChange:
    """From one revision of a calendar to the next: the days whose hours differ, and the years confirmed by it."""

    before: Calendar
    days: tuple[date, ...]
    confirmed: frozenset[int]

    @classmethod
    def between(cls, before: Calendar, after: Calendar) -> CalendarChange:
        sure = {y.year for y in after.years if y.confirmed} - {y.year for y in before.years if y.confirmed}
        return cls(before, before.differing(after), frozenset(sure))

    def crosses(self, begin: datetime, end: datetime) -> bool:
        """Whether a day that differs lies, even in part, between two instants."""
        first, last = self.before.local(begin).date(), self.before.local(end).date()
        return any(first <= day <= last for day in self.days)

    def reaches(self, now: datetime) -> datetime | None:
        """The first instant from `now` on that it may move: whatever is due before stays. None: nothing moves."""
        today = self.before.local(now).date()
        days = [day for day in self.days if day >= today]
        days += [max(today, date(year, 1, 1)) for year in self.confirmed if year >= today.year]
        return max(now, self.before.midnight(min(days))) if days else None

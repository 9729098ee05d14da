"""Counting on a calendar, exact to the microsecond: windows, lunch, holidays, make-up days, provisional years.

Everything is integer arithmetic on instants; a calendar is data and carries its own zone offset. Working time up to
any midnight is a prefix sum, so that `add` is one bisection and `elapsed` two look-ups whatever the distance.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from services.governance.errors import OutsideCalendar
from services.governance.worktime.days import DAY_S, CalendarDay, CalendarYear, DayKind, Schedule, Window
from services.governance.worktime.limits import DayConvention

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MICRO = timedelta(microseconds=1)
_SECOND_US = 1_000_000
_DAY_US = DAY_S * _SECOND_US
_YEARS_AHEAD = 5  # years without data after the last one: weekends only, provisional

Stretch = tuple[datetime, datetime]
_Windows = tuple[tuple[int, int], ...]  # microseconds from local midnight


@dataclass(frozen=True, slots=True)
class DayPart:
    """What one local day gave to a stretch of time: the windows used, and why it is no ordinary day."""

    date: date
    used: tuple[Stretch, ...]
    seconds: int
    works: bool
    whole: bool  # every second of its windows was used
    listed: CalendarDay | None


@dataclass(frozen=True, slots=True)
class _Table:
    """Prefix sums of one calendar: `worked[i]` microseconds of work before local midnight of day `first + i`."""

    first: int
    worked: tuple[int, ...]
    windows: tuple[_Windows, ...]
    lengths: tuple[int, ...]
    doubtful: frozenset[int]
    listed: dict[int, CalendarDay]  # by index


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days and hours of work. `revision` changes with the data; `weekend` holds weekday numbers, Monday 0."""

    id: str
    revision: str
    schedules: tuple[Schedule, ...]
    years: tuple[CalendarYear, ...]
    zone_offset_s: int = 8 * 3600
    weekend: frozenset[int] = frozenset({5, 6})
    _table: _Table = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.schedules or not self.years:
            raise OutsideCalendar(self.id, 0)
        object.__setattr__(self, "_table", _tabulate(self))

    # --- arithmetic ---------------------------------------------------------------------------------------------
    def add(self, start: datetime, seconds: int) -> datetime:
        """The first instant by which `seconds` of working time have passed since `start`. Zero gives `start`."""
        if seconds <= 0:
            return start
        table = self._table
        target = self._worked_until(start) + seconds * _SECOND_US
        day = bisect_left(table.worked, target) - 1
        if day + 1 >= len(table.worked):
            raise OutsideCalendar(self.id, date.fromordinal(table.first + day).year)
        rest = target - table.worked[day]
        for begin, end in table.windows[day]:
            if rest <= end - begin:
                return self._instant(day, begin + rest)
            rest -= end - begin
        raise AssertionError("prefix sums and windows disagree")

    def elapsed(self, begin: datetime, end: datetime) -> int:
        """Whole working seconds from `begin` to `end`; 0 where `end` is earlier."""
        return max(0, self._worked_until(end) - self._worked_until(begin)) // _SECOND_US

    def day_length(self, at: datetime) -> int:
        """Seconds of a standard working day by the schedule in force at `at`."""
        index, _ = self._locate(at)
        return self._table.lengths[index]

    def add_days(self, start: datetime, days: int, convention: DayConvention) -> datetime:
        """`days` working days after `start` by the convention chosen."""
        if convention is DayConvention.ROLL:
            return self.add(start, days * self.day_length(start))
        if convention is DayConvention.SAME_TIME:
            index, offset = self._locate(self.opening(start))
            return self._instant(self._nth_working_day(index, days), offset)
        index, _ = self._locate(start)
        last = self._nth_working_day(index, days)
        return self._instant(last, self._table.windows[last][-1][1])

    def opening(self, at: datetime) -> datetime:
        """`at` where work goes on then, else the next instant at which it begins."""
        index, offset = self._locate(at)
        for begin, end in self._table.windows[index]:
            if offset < end:
                return self._instant(index, max(offset, begin))
        following = self._nth_working_day(index, 1)
        return self._instant(following, self._table.windows[following][0][0])

    # --- looking ------------------------------------------------------------------------------------------------
    def is_working(self, at: datetime) -> bool:
        """Whether `at` lies inside a working window (its end excluded)."""
        index, offset = self._locate(at)
        return any(begin <= offset < end for begin, end in self._table.windows[index])

    def hours(self, begin: datetime, end: datetime) -> tuple[Stretch, ...]:
        """The working windows of the local days from `begin` to `end`, whole and in order."""
        first, last = self._locate(begin)[0], self._locate(end)[0]
        return tuple(
            (self._instant(day, start), self._instant(day, stop))
            for day in range(first, last + 1)
            for start, stop in self._table.windows[day]
        )

    def doubtful(self, begin: datetime, end: datetime) -> tuple[int, ...]:
        """Years between the two whose list is not confirmed."""
        years = self._table.doubtful
        if not years:
            return ()
        return tuple(y for y in range(self.local(begin).year, self.local(end).year + 1) if y in years)

    def is_provisional(self, begin: datetime, end: datetime) -> bool:
        """Whether a day between the two lies in a year whose list is not confirmed."""
        return bool(self.doubtful(begin, end))

    def local(self, at: datetime) -> datetime:
        """`at` as the street's wall clock shows it, without zone; for showing, never for arithmetic."""
        return (at + timedelta(seconds=self.zone_offset_s)).replace(tzinfo=None)

    def midnight(self, day: date) -> datetime:
        """The instant at which a local day begins."""
        return self._instant(day.toordinal() - self._table.first, 0)

    def parts(self, begin: datetime, end: datetime) -> tuple[DayPart, ...]:
        """What every local day from `begin` to `end` gave, in order."""
        first, last = self._locate(begin)[0], self._locate(end)[0]
        return tuple(self._part(day, begin, end) for day in range(first, last + 1))

    def differing(self, other: Calendar) -> tuple[date, ...]:
        """Days whose hours are not the same in both, in order; days that only one of them has are left out."""
        first = max(self._table.first, other._table.first)
        last = min(self._table.first + len(self._table.windows), other._table.first + len(other._table.windows))
        return tuple(date.fromordinal(day) for day in range(first, last) if self._hours_of(day) != other._hours_of(day))

    # --- parts --------------------------------------------------------------------------------------------------
    def _part(self, day: int, begin: datetime, end: datetime) -> DayPart:
        windows = tuple((self._instant(day, a), self._instant(day, b)) for a, b in self._table.windows[day])
        used = tuple((max(a, begin), min(b, end)) for a, b in windows if a < end and b > begin)
        seconds = sum((b - a) // timedelta(seconds=1) for a, b in used)
        when = date.fromordinal(self._table.first + day)
        return DayPart(when, used, seconds, bool(windows), used == windows, self._table.listed.get(day))

    def _hours_of(self, ordinal: int) -> _Windows:
        return self._table.windows[ordinal - self._table.first]

    def _locate(self, at: datetime) -> tuple[int, int]:
        """Index of the local day and microseconds since its midnight."""
        micros = (at - _EPOCH) // _MICRO + self.zone_offset_s * _SECOND_US
        day, offset = divmod(micros, _DAY_US)
        index = day + _EPOCH_DAY - self._table.first
        if not 0 <= index < len(self._table.windows):
            raise OutsideCalendar(self.id, at.year)
        return index, offset

    def _worked_until(self, at: datetime) -> int:
        index, offset = self._locate(at)
        done = self._table.worked[index]
        for begin, end in self._table.windows[index]:
            if offset <= begin:
                break
            done += min(offset, end) - begin
        return done

    def _instant(self, index: int, offset: int) -> datetime:
        days = index + self._table.first - _EPOCH_DAY
        return _EPOCH + timedelta(days=days, microseconds=offset - self.zone_offset_s * _SECOND_US)

    def _nth_working_day(self, index: int, days: int) -> int:
        windows = self._table.windows
        while days > 0:
            index += 1
            if index >= len(windows):
                raise OutsideCalendar(self.id, date.fromordinal(self._table.first + index).year)
            days -= bool(windows[index])
        return index


# --- from data to prefix sums ----------------------------------------------------------------------------------------
def _tabulate(calendar: Calendar) -> _Table:
    years = {y.year: y for y in calendar.years}
    first_year, last_year = min(years) - 1, max(years) + _YEARS_AHEAD
    listed = {d.date.toordinal(): d for y in calendar.years for d in y.days}
    first, last = date(first_year, 1, 1).toordinal(), date(last_year, 12, 31).toordinal()
    worked, windows, lengths, total = [0], [], [], 0
    for ordinal, schedule in _by_schedule(calendar, first, last):
        spans = _spans(_windows_of(ordinal, listed.get(ordinal), schedule, calendar.weekend))
        total += sum(end - begin for begin, end in spans)
        worked.append(total)
        windows.append(spans)
        lengths.append(schedule.day_s)
    doubtful = frozenset(y for y in range(first_year, last_year + 1) if y not in years or not years[y].confirmed)
    by_index = {ordinal - first: day for ordinal, day in listed.items()}
    return _Table(first, tuple(worked), tuple(windows), tuple(lengths), doubtful, by_index)


def _by_schedule(calendar: Calendar, first: int, last: int) -> Iterator[tuple[int, Schedule]]:
    """Every day with the schedule begun last; before the first one begins, the first."""
    coming = sorted(calendar.schedules, key=lambda s: s.since, reverse=True)
    in_force = coming.pop()
    for ordinal in range(first, last + 1):
        while coming and coming[-1].since.toordinal() <= ordinal:
            in_force = coming.pop()
        yield ordinal, in_force


def _windows_of(
    ordinal: int, listed: CalendarDay | None, schedule: Schedule, weekend: frozenset[int]
) -> tuple[Window, ...]:
    if listed is None:
        return () if date.fromordinal(ordinal).weekday() in weekend else schedule.windows
    return () if listed.kind is DayKind.HOLIDAY else listed.windows or schedule.windows


def _spans(windows: tuple[Window, ...]) -> _Windows:
    return tuple((w.start_s * _SECOND_US, w.end_s * _SECOND_US) for w in windows)

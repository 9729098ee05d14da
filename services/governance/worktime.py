"""Working time, exact to the microsecond: windows, lunch, holidays, make-up days, provisional years.

Everything is integer arithmetic on instants; a calendar is data and carries its own zone offset. Working time up to
any midnight is a prefix sum, so that `add` and `elapsed` are two look-ups whatever the distance.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from services.governance.errors import OutsideCalendar, UnparsableLimit

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MICRO = timedelta(microseconds=1)
_SECOND_US = 1_000_000
DAY_S = 86_400
_DAY_US = DAY_S * _SECOND_US
_YEARS_AHEAD = 5  # years without data after the last one: weekends only, provisional


class Basis(StrEnum):
    """What an allowance runs on."""

    WALL = "wall"  # every second counts
    WORK = "work"  # working windows only
    NATURAL = "natural"  # whole days of 24 hours


class LimitUnit(StrEnum):
    """Units a limit may be written in."""

    URGENT_MINUTE = "urgent_minute"
    URGENT_HOUR = "urgent_hour"
    WORK_MINUTE = "work_minute"
    WORK_HOUR = "work_hour"
    WORK_DAY = "work_day"
    NATURAL_DAY = "natural_day"  # 紧急工作日 too


_BASIS = {
    LimitUnit.URGENT_MINUTE: Basis.WALL,
    LimitUnit.URGENT_HOUR: Basis.WALL,
    LimitUnit.WORK_MINUTE: Basis.WORK,
    LimitUnit.WORK_HOUR: Basis.WORK,
    LimitUnit.WORK_DAY: Basis.WORK,
    LimitUnit.NATURAL_DAY: Basis.NATURAL,
}
_SECONDS = {
    LimitUnit.URGENT_MINUTE: 60,
    LimitUnit.URGENT_HOUR: 3600,
    LimitUnit.WORK_MINUTE: 60,
    LimitUnit.WORK_HOUR: 3600,
    LimitUnit.NATURAL_DAY: DAY_S,
}


@dataclass(frozen=True, slots=True)
class Budget:
    """An amount of time as a rule writes it: value and unit, never seconds of an unknown clock."""

    value: int
    unit: LimitUnit

    @property
    def basis(self) -> Basis:
        return _BASIS[self.unit]


class DayConvention(StrEnum):
    """How N working days are counted; a rulebook setting."""

    ROLL = "A"  # N times the length of a standard day
    SAME_TIME = "B"  # the same clock time N working days later
    DAY_END = "C"  # end of the Nth working day, the first day not counted


class DayKind(StrEnum):
    HOLIDAY = "holiday"
    WORKDAY = "workday"  # 调休上班


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """One day that differs from its weekday."""

    date: date
    kind: DayKind
    name: str = ""


@dataclass(frozen=True, slots=True)
class CalendarYear:
    """The exceptions of one year. `confirmed` rests on the notice named; else deadlines in it are provisional."""

    year: int
    confirmed: bool
    source: str
    days: tuple[CalendarDay, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a local day, in seconds from midnight: 08:00–12:00 is (28800, 43200)."""

    start_s: int
    end_s: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """Working windows from a date on (summer and winter hours are two). `day_s`: length of a standard day."""

    since: date
    windows: tuple[Window, ...]

    @property
    def day_s(self) -> int:
        return sum(w.end_s - w.start_s for w in self.windows)


OFFICE_HOURS = (Window(8 * 3600, 12 * 3600), Window(14 * 3600, 18 * 3600))
ROUND_THE_CLOCK = (Window(0, DAY_S),)


@dataclass(frozen=True, slots=True)
class Span:
    """A run of days, for an explanation: working seconds in it, and the holiday's name where it is free."""

    begin: datetime
    end: datetime
    seconds: int
    name: str
    works: bool


@dataclass(frozen=True, slots=True)
class _Table:
    """Prefix sums of one calendar: `worked[i]` microseconds of work before local midnight of day `first + i`."""

    first: int
    worked: tuple[int, ...]
    windows: tuple[tuple[tuple[int, int], ...], ...]
    lengths: tuple[int, ...]
    provisional_years: frozenset[int]


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
            index, offset = self._locate(self._next_working(start))
            return self._instant(self._nth_working_day(index, days), offset)
        index, _ = self._locate(start)
        last = self._nth_working_day(index, days)
        return self._instant(last, self._table.windows[last][-1][1])

    def is_working(self, at: datetime) -> bool:
        """Whether `at` lies inside a working window (its end excluded)."""
        index, offset = self._locate(at)
        return any(begin <= offset < end for begin, end in self._table.windows[index])

    def hours(self, begin: datetime, end: datetime) -> tuple[tuple[datetime, datetime], ...]:
        """The working windows of the local days from `begin` to `end`, whole and in order."""
        first, last = self._locate(begin)[0], self._locate(end)[0]
        return tuple(
            (self._instant(day, start), self._instant(day, stop))
            for day in range(first, last + 1)
            for start, stop in self._table.windows[day]
        )

    def is_provisional(self, begin: datetime, end: datetime) -> bool:
        """Whether a day between the two lies in a year whose list is not confirmed."""
        years = self._table.provisional_years
        if not years:
            return False
        shift = timedelta(seconds=self.zone_offset_s)
        first, last = (begin + shift).year, (end + shift).year
        return first in years or last in years or any(y in years for y in range(first + 1, last))

    def local(self, at: datetime) -> datetime:
        """`at` as the street's wall clock shows it, without zone; for showing, never for arithmetic."""
        return (at + timedelta(seconds=self.zone_offset_s)).replace(tzinfo=None)

    def spans(self, begin: datetime, end: datetime) -> tuple[Span, ...]:
        """The days from `begin` to `end`, runs of working and of free days taken together."""
        names = {d.date: d.name for y in self.years for d in y.days if d.kind is DayKind.HOLIDAY}
        spans: list[Span] = []
        first, _ = self._locate(begin)
        last, _ = self._locate(end)
        for index in range(first, last + 1):
            left, right = max(begin, self._instant(index, 0)), min(end, self._instant(index + 1, 0))
            if right <= left:
                continue
            seconds = self.elapsed(left, right)
            works = bool(self._table.windows[index])
            name = "" if works else names.get(date.fromordinal(self._table.first + index), "")
            if spans and spans[-1].works is works:
                before = spans[-1]
                spans[-1] = Span(before.begin, right, before.seconds + seconds, before.name or name, works)
            else:
                spans.append(Span(left, right, seconds, name, works))
        return tuple(spans)

    # --- parts --------------------------------------------------------------------------------------------------
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

    def _next_working(self, at: datetime) -> datetime:
        index, offset = self._locate(at)
        for begin, end in self._table.windows[index]:
            if offset < end:
                return self._instant(index, max(offset, begin))
        following = self._nth_working_day(index, 1)
        return self._instant(following, self._table.windows[following][0][0])

    def _nth_working_day(self, index: int, days: int) -> int:
        windows = self._table.windows
        while days > 0:
            index += 1
            if index >= len(windows):
                raise OutsideCalendar(self.id, date.fromordinal(self._table.first + index).year)
            days -= bool(windows[index])
        return index


def _tabulate(calendar: Calendar) -> _Table:
    years = {y.year: y for y in calendar.years}
    first_year, last_year = min(years) - 1, max(years) + _YEARS_AHEAD
    exceptions = {d.date: d.kind for y in calendar.years for d in y.days}
    schedules = sorted(calendar.schedules, key=lambda s: s.since)
    first, last = date(first_year, 1, 1).toordinal(), date(last_year, 12, 31).toordinal()
    worked, windows, lengths, total = [0], [], [], 0
    for ordinal in range(first, last + 1):
        day = date.fromordinal(ordinal)
        schedule = _schedule_on(schedules, day)
        spans = _spans(schedule) if _works(day, exceptions, calendar.weekend) else ()
        total += sum(end - begin for begin, end in spans)
        worked.append(total)
        windows.append(spans)
        lengths.append(schedule.day_s)
    doubtful = {y for y in range(first_year, last_year + 1) if y not in years or not years[y].confirmed}
    return _Table(first, tuple(worked), tuple(windows), tuple(lengths), frozenset(doubtful))


def _works(day: date, exceptions: Mapping[date, DayKind], weekend: frozenset[int]) -> bool:
    kind = exceptions.get(day)
    return day.weekday() not in weekend if kind is None else kind is DayKind.WORKDAY


def _schedule_on(schedules: list[Schedule], day: date) -> Schedule:
    """The last one begun; before the first, the first."""
    in_force = schedules[0]
    for schedule in schedules:
        if schedule.since > day:
            break
        in_force = schedule
    return in_force


def _spans(schedule: Schedule) -> tuple[tuple[int, int], ...]:
    return tuple((w.start_s * _SECOND_US, w.end_s * _SECOND_US) for w in schedule.windows)


# --- limits on a calendar --------------------------------------------------------------------------------------------
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


# --- reading a written limit -----------------------------------------------------------------------------------------
_URGENT = {
    "分钟": LimitUnit.URGENT_MINUTE,
    "分": LimitUnit.URGENT_MINUTE,
    "小时": LimitUnit.URGENT_HOUR,
    "时": LimitUnit.URGENT_HOUR,
    "天": LimitUnit.NATURAL_DAY,
    "日": LimitUnit.NATURAL_DAY,
}
_PLAIN = {
    "分钟": LimitUnit.WORK_MINUTE,
    "分": LimitUnit.WORK_MINUTE,
    "小时": LimitUnit.WORK_HOUR,
    "时": LimitUnit.WORK_HOUR,
    "天": LimitUnit.WORK_DAY,
    "日": LimitUnit.WORK_DAY,
}
_SHORT = {
    "um": LimitUnit.URGENT_MINUTE,
    "uh": LimitUnit.URGENT_HOUR,
    "ud": LimitUnit.NATURAL_DAY,
    "nd": LimitUnit.NATURAL_DAY,
    "nh": LimitUnit.URGENT_HOUR,
    "m": LimitUnit.WORK_MINUTE,
    "min": LimitUnit.WORK_MINUTE,
    "h": LimitUnit.WORK_HOUR,
    "d": LimitUnit.WORK_DAY,
}
_WRITTEN = re.compile(r"(?P<value>\d+)(?:个)?(?P<kind>紧急|自然)?(?:工作)?(?P<unit>分钟|小时|分|时|天|日)")
_CODED = re.compile(r"(?P<value>\d+)(?P<unit>[a-z_]+)")


def parse_limit(text: str) -> Budget:
    """Read '2紧急工作时', '5工作日', '3天', '2uh', '4 work_hour'. 紧急 wins over the unit; anything else is refused."""
    compact = "".join(text.split())
    written = _WRITTEN.fullmatch(compact)
    if written is not None:
        units = _URGENT if written["kind"] else _PLAIN
        return _positive(int(written["value"]), units[written["unit"]], text)
    coded = _CODED.fullmatch(compact)
    if coded is not None:
        name = coded["unit"]
        known = _SHORT.get(name) or next((u for u in LimitUnit if u.value == name), None)
        if known is not None:
            return _positive(int(coded["value"]), known, text)
    raise UnparsableLimit(text)


def _positive(value: int, unit: LimitUnit, text: str) -> Budget:
    if value < 1:
        raise UnparsableLimit(text)
    return Budget(value, unit)

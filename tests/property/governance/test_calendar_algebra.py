"""Laws of working time, for any instants and amounts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.governance import sla
from services.governance.cycle import ClockKind, Urgency
from services.governance.worktime import (
    Basis,
    Calendar,
    CalendarDay,
    CalendarYear,
    DayConvention,
    DayKind,
    LimitUnit,
    Schedule,
    Window,
    parse_limit,
)
from tests.support.governance import BOOK, calendar

CAL = calendar()
instants = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 1)).map(lambda d: d.replace(tzinfo=UTC))
amounts = st.integers(0, 60 * 8 * 3600)


def naive_elapsed(cal: Calendar, begin: datetime, end: datetime) -> int:
    """The same by walking over every day: slow, and too simple to be wrong."""
    listed = {d.date: d.kind for y in cal.years for d in y.days}
    total, day = timedelta(), cal.local(begin).date()
    while day <= cal.local(end).date():
        kind = listed.get(day)
        if (day.weekday() < 5) if kind is None else kind is DayKind.WORKDAY:
            midnight = datetime(day.year, day.month, day.day)
            for window in cal.schedules[0].windows:
                left = max(cal.local(begin), midnight + timedelta(seconds=window.start_s))
                right = min(cal.local(end), midnight + timedelta(seconds=window.end_s))
                total += max(timedelta(), right - left)
        day += timedelta(days=1)
    return total // timedelta(seconds=1)


@given(instants, st.timedeltas(timedelta(), timedelta(days=40)))
@settings(max_examples=200, deadline=None)
def test_elapsed_is_what_a_day_by_day_count_gives(begin: datetime, span: timedelta) -> None:
    assert CAL.elapsed(begin, begin + span) == naive_elapsed(CAL, begin, begin + span)


@given(instants, amounts)
@settings(max_examples=300, deadline=None)
def test_add_and_elapsed_undo_each_other(start: datetime, seconds: int) -> None:
    due = CAL.add(start, seconds)
    assert CAL.elapsed(start, due) == seconds
    assert due >= start
    if seconds:
        assert CAL.elapsed(start, due - timedelta(microseconds=1)) == seconds - 1, "the first instant, not a later one"


@given(instants, amounts, amounts)
@settings(max_examples=200, deadline=None)
def test_adding_twice_is_adding_the_sum(start: datetime, first: int, second: int) -> None:
    assert CAL.add(CAL.add(start, first), second) == CAL.add(start, first + second)


@given(instants, instants, amounts)
@settings(max_examples=200, deadline=None)
def test_later_starts_are_never_due_earlier(one: datetime, other: datetime, seconds: int) -> None:
    early, late = sorted((one, other))
    assert CAL.add(early, seconds) <= CAL.add(late, seconds) or seconds == 0


@given(instants, st.integers(1, 15), st.sampled_from(DayConvention))
@settings(max_examples=200, deadline=None)
def test_days_by_any_convention_end_inside_working_time(start: datetime, days: int, way: DayConvention) -> None:
    due = CAL.add_days(start, days, way)
    assert due > start
    assert CAL.elapsed(due - timedelta(seconds=1), due + timedelta(seconds=1)) > 0
    assert CAL.add_days(start, days + 1, way) > due


@given(instants, st.integers(60, 5 * 8 * 3600), st.lists(st.tuples(amounts, amounts), max_size=4), st.booleans())
@settings(max_examples=200, deadline=None)
def test_pauses_never_cost_or_give_a_second(
    start: datetime, budget: int, pauses: list[tuple[int, int]], wall: bool
) -> None:
    basis = Basis.WALL if wall else Basis.WORK
    kind, urgency = ClockKind.HANDLING, Urgency.ORDINARY
    clock = sla.start(BOOK, "k", kind, sla.Allowance(budget, basis), start.replace(microsecond=0), urgency)
    now = clock.started_at
    for run, rest in pauses:
        used = sla.used(clock, now, CAL)
        run = min(run, max(0, budget - used - 1))
        now = (now + timedelta(seconds=run)) if wall else CAL.add(now, run)
        clock = sla.pause(clock, now, CAL)
        now += timedelta(seconds=rest % (20 * 86400))
        clock = sla.resume(clock, now, BOOK, urgency)
        assert clock.original_due <= clock.due_at
    assert sla.used(clock, clock.due_at, CAL) == budget
    assert [r.at for r in clock.rungs] == sorted(r.at for r in clock.rungs)


@given(st.integers(1, 500), st.sampled_from(LimitUnit))
def test_every_unit_is_read_back_from_its_own_name(value: int, unit: LimitUnit) -> None:
    assert parse_limit(f"{value} {unit.value}").unit is unit


@given(st.sets(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=40), st.integers(0, 20), instants, amounts)
@settings(max_examples=100, deadline=None)
def test_the_laws_hold_for_any_list_of_days(days: set[date], cut: int, start: datetime, seconds: int) -> None:
    listed = sorted(days)
    kinds = [DayKind.HOLIDAY if n >= cut else DayKind.WORKDAY for n in range(len(listed))]
    year = CalendarYear(2026, True, "any", tuple(CalendarDay(d, k) for d, k in zip(listed, kinds, strict=True)))
    windows = (Window(9 * 3600, 12 * 3600 + 30 * 60), Window(13 * 3600, 24 * 3600))
    start += timedelta(days=1)  # the first day of the list in any zone
    cal = Calendar("any", "r", (Schedule(date(2020, 1, 1), windows),), (year,), zone_offset_s=-5 * 3600)
    due = cal.add(start, seconds)
    assert cal.elapsed(start, due) == seconds == naive_elapsed(cal, start, due)

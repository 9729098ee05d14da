"""Whatever a notice changes: nothing is late by it, nothing counted is lost, and once is as good as twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.governance import sla
from services.governance.cycle import ClockKind, Urgency
from services.governance.worktime import (
    Basis,
    CalendarChange,
    CalendarDay,
    CalendarYear,
    DayKind,
)
from tests.support.governance import BOOK, YEARS, calendar

starts = st.datetimes(datetime(2026, 11, 1), datetime(2027, 2, 1)).map(lambda d: d.replace(tzinfo=UTC))
days = st.sets(st.dates(date(2027, 1, 1), date(2027, 3, 31)), max_size=25)


@given(starts, st.integers(1, 30 * 8 * 3600), st.integers(0, 40 * 86400), days, st.booleans(), st.booleans())
@settings(max_examples=300, deadline=None)
def test_a_notice_is_fair(
    start: datetime, budget: int, later: int, free: set[date], opens: bool, confirmed: bool
) -> None:
    listed = tuple(CalendarDay(day, DayKind.HOLIDAY) for day in sorted(free))
    year = CalendarYear(2027, confirmed, "any", listed)
    after = replace(calendar((*YEARS[:2], year)), revision="r2")
    change = CalendarChange.between(BOOK.calendar, after)
    book = replace(BOOK, calendar=after)
    allowance = sla.Allowance(budget, Basis.WORK, opens)
    clock = sla.start(BOOK, "k", ClockKind.HANDLING, allowance, start, Urgency.ORDINARY)
    now = start + timedelta(seconds=later)
    moved = sla.recalendar(clock, now, change, 0, book, Urgency.ORDINARY)
    assert sla.recalendar(moved, now, change, 0, book, Urgency.ORDINARY) == moved
    assert moved.original_due <= moved.due_at
    if clock.due_at <= now or not change.crosses(now, clock.due_at):
        assert (moved.due_at, moved.rungs) == (clock.due_at, clock.rungs)
    else:
        assert moved.due_at >= now
        assert abs(sla.used(moved, moved.due_at, after) - budget) <= 1
        if not change.crosses(start, now):
            fresh = sla.start(book, "k", ClockKind.HANDLING, allowance, start, Urgency.ORDINARY)
            assert (moved.due_at, moved.rungs) == (fresh.due_at, fresh.rungs), "as if it had been known from the start"


@given(starts, st.integers(1, 20), days)
@settings(max_examples=200, deadline=None)
def test_what_cannot_move_is_not_looked_for(start: datetime, hours: int, free: set[date]) -> None:
    after = replace(
        calendar((*YEARS[:2], CalendarYear(2027, False, "any", tuple(CalendarDay(d, DayKind.HOLIDAY) for d in free)))),
        revision="r2",
    )
    change = CalendarChange.between(BOOK.calendar, after)
    clock = sla.start(BOOK, "k", ClockKind.HANDLING, sla.Allowance(hours * 3600, Basis.WORK), start, Urgency.ORDINARY)
    since = change.reaches(start)
    if since is None or clock.due_at < since:
        book = replace(BOOK, calendar=after)
        assert sla.recalendar(clock, start, change, 0, book, Urgency.ORDINARY).due_at == clock.due_at

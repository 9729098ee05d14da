"""Clocks and calendars at their edges: the last day known, the shortest allowance, ladders that fire again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from services.governance import sla
from services.governance.acts import ClockState
from services.governance.cycle import ClockKind, Urgency
from services.governance.errors import OutsideCalendar, UnparsableLimit
from services.governance.explain import moments_of
from services.governance.tiers import Ladder, LadderStep, RungAct
from services.governance.worktime import Basis, CalendarChange, parse_limit
from tests.support.governance import BOOK, YEARS, Walk, at, calendar, to_dispatched

U1, U2 = Urgency.URGENT, Urgency.ORDINARY
START = at("2026-03-06 09:00")
CALENDAR = BOOK.calendar
FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2033, 1, 1, tzinfo=UTC)
"""A year before the first list and five after the last, on the street's clock eight hours earlier."""
EARLY, LATE = FIRST - timedelta(hours=8), LAST - timedelta(hours=8)


# --- how far a calendar reaches ---------------------------------------------------------------------------------------
def test_it_reaches_from_a_year_before_its_lists_to_five_years_after() -> None:
    instant = timedelta(microseconds=1)
    assert not CALENDAR.is_working(EARLY)
    assert not CALENDAR.is_working(LATE - instant)
    for outside in (EARLY - instant, LATE):
        with pytest.raises(OutsideCalendar):
            CALENDAR.is_working(outside)


def test_its_first_day_counts_to_the_microsecond() -> None:
    opening = EARLY + timedelta(days=1, hours=8)
    assert CALENDAR.elapsed(EARLY, opening) == 8 * 3600
    assert CALENDAR.elapsed(EARLY, opening + timedelta(seconds=1) - timedelta(microseconds=1)) == 8 * 3600


def test_its_last_working_day_can_be_reached_and_no_further_one() -> None:
    friday = datetime(2032, 12, 31, 1, tzinfo=UTC)  # nine in the morning, street time
    assert CALENDAR.day_length(friday) == 8 * 3600
    assert CALENDAR.add(friday, 7 * 3600) == friday + timedelta(hours=9)
    with pytest.raises(OutsideCalendar) as refused:
        CALENDAR.add(friday, 7 * 3600 + 1)
    assert refused.value.params == {"calendar": "cn", "year": 2033}


@pytest.mark.parametrize(("year", "doubtful"), [(2024, True), (2025, False), (2026, False), (2027, True), (2032, True)])
def test_years_without_a_list_of_their_own_are_doubtful(year: int, doubtful: bool) -> None:
    june = datetime(year, 6, 1, tzinfo=UTC)
    assert CALENDAR.is_provisional(june, june) is doubtful
    assert CALENDAR.doubtful(june, june) == ((year,) if doubtful else ())


def test_years_it_does_not_reach_are_not_said_to_be_doubtful() -> None:
    assert CALENDAR.doubtful(FIRST - timedelta(days=400), LAST + timedelta(days=400)) == (
        *(2024, 2027, 2028, 2029, 2030, 2031, 2032),
    )


def test_a_limit_without_an_amount_is_refused_with_its_text() -> None:
    for text in ("0工作日", "0h"):
        with pytest.raises(UnparsableLimit) as refused:
            parse_limit(text)
        assert refused.value.params == {"text": text}


# --- allowances -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("span", "seconds"), [(timedelta(0), 1), (timedelta(seconds=1.9), 1), (timedelta(hours=1), 3600)]
)
def test_a_moment_named_gives_whole_seconds_and_at_least_one(span: timedelta, seconds: int) -> None:
    assert sla.allow_until(START, START + span) == sla.Allowance(seconds, Basis.WALL)


@pytest.mark.parametrize(
    ("limit", "window"),
    [("4h", 3600), ("5d", 4 * 3600), ("2uh", 1800), ("30um", 900), ("15nd", 4 * 3600), ("1ud", 4 * 3600)],
)
def test_the_time_to_object_is_a_quarter_between_a_floor_and_a_ceiling(limit: str, window: int) -> None:
    handling = sla.allow(parse_limit(limit), START, BOOK)
    assert sla.return_window(handling, START, BOOK) == sla.Allowance(window, handling.basis)


# --- changes of a clock -----------------------------------------------------------------------------------------------
def clock(seconds: int = 4 * 3600, basis: Basis = Basis.WORK, urgency: Urgency = U2) -> sla.Clock:
    return sla.start(BOOK, "k", ClockKind.HANDLING, sla.Allowance(seconds, basis), START, urgency)


def test_more_time_for_a_paused_clock_is_kept_for_when_it_runs_again() -> None:
    paused = sla.pause(clock(), at("2026-03-06 10:00"), CALENDAR)
    longer = sla.extend(paused, 3600, BOOK, U2)
    assert (longer.state, longer.budget_s, longer.rev) == (ClockState.PAUSED, 5 * 3600, paused.rev + 1)
    assert sla.resume(longer, at("2026-03-09 08:00"), BOOK, U2).due_at == at("2026-03-09 12:00")


def test_another_allowance_for_a_paused_clock_moves_its_due_time_at_once() -> None:
    paused = sla.pause(clock(), at("2026-03-06 10:00"), CALENDAR)
    changed = sla.recompute(paused, sla.Allowance(7200, Basis.WALL), BOOK, U2)
    assert (changed.rev, changed.basis, changed.consumed_s) == (paused.rev + 1, "wall", 1800)
    assert changed.due_at == changed.original_due == at("2026-03-06 11:00")


def test_urgency_counts_in_every_ladder_made_anew() -> None:
    urgent = clock(urgency=U1)
    paused = sla.pause(urgent, at("2026-03-06 10:00"), CALENDAR)
    anew = (
        sla.extend(urgent, 0, BOOK, U1),
        sla.resume(paused, at("2026-03-06 10:00"), BOOK, U1),
        sla.recompute(urgent, sla.Allowance(4 * 3600, Basis.WORK), BOOK, U1),
        sla.rework(sla.stop(urgent, START, CALENDAR), START, BOOK, U1),
    )
    assert {one.rungs for one in anew} == {urgent.rungs}
    assert sla.extend(urgent, 0, BOOK, U2).rungs == clock().rungs != urgent.rungs


def test_only_points_that_repeat_are_forgotten_when_the_due_time_moves() -> None:
    steps = (LadderStep(RungAct.REMIND, 75, again=True), LadderStep(RungAct.OVERDUE, 100))
    book = replace(BOOK, ladders={**BOOK.ladders, ClockKind.HANDLING: Ladder(ClockKind.HANDLING, steps)})
    fired = replace(clock(), fired=(0, 1, 2, 7))  # 2 and 7: of a longer ladder that was in force before
    assert sla.extend(fired, 60, book, U2).fired == (1, 2, 7)


def test_a_clock_whose_time_is_used_up_keeps_its_due_time() -> None:
    paused = sla.pause(clock(), at("2026-03-06 15:00"), CALENDAR)
    assert paused.consumed_s == paused.budget_s
    resumed = sla.resume(paused, at("2026-03-09 08:00"), BOOK, U2)
    assert (resumed.due_at, resumed.state) == (clock().due_at, ClockState.RUNNING)


def test_a_notice_that_only_confirms_takes_the_mark_and_nothing_else() -> None:
    begun = at("2026-12-31 16:00")
    doubtful = sla.start(BOOK, "k", ClockKind.HANDLING, sla.Allowance(4 * 3600, Basis.WORK), begun, U2)
    sure = replace(calendar((*YEARS[:2], replace(YEARS[2], confirmed=True))), revision="r2")
    book = replace(BOOK, calendar=sure)
    change = CalendarChange.between(CALENDAR, sure)
    assert doubtful.provisional
    assert sla.recalendar(doubtful, begun, change, 0, book, U2) == replace(
        doubtful, provisional=False, calendar_rev="r2"
    )
    assert sla.recalendar(doubtful, begun, CalendarChange.between(CALENDAR, CALENDAR), 0, BOOK, U2) is doubtful


def test_what_is_due_at_this_instant_is_not_moved_by_a_notice() -> None:
    begun = at("2026-03-06 09:00")
    free = replace(YEARS[1].days[0], date=date(2026, 3, 6))
    changed = replace(calendar((YEARS[0], replace(YEARS[1], days=(*YEARS[1].days, free)), YEARS[2])), revision="r2")
    running = clock()
    change, book = CalendarChange.between(CALENDAR, changed), replace(BOOK, calendar=changed)
    assert sla.recalendar(running, running.due_at, change, 0, book, U2) == running
    assert sla.recalendar(running, begun, change, 0, book, U2).due_at > running.due_at


# --- the history of a clock -------------------------------------------------------------------------------------------
def test_the_moments_of_a_clock_are_its_changes_without_the_points_of_its_ladder() -> None:
    walk = to_dispatched(Walk())
    begun = walk.now
    walk.fire(ClockKind.HANDLING, 1)
    walk.later(minutes=1)
    clock_id = walk.clock(ClockKind.HANDLING).clock_id
    (started,) = moments_of(walk.facts, clock_id)
    assert (started.at, started.fact, started.why) == (begun, "case.dispatched", "started")

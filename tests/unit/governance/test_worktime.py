"""Working time against worked examples of the 2026 calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.governance.errors import OutsideCalendar, UnparsableLimit
from services.governance.worktime import (
    OFFICE_HOURS,
    ROUND_THE_CLOCK,
    Basis,
    Budget,
    Calendar,
    CalendarChange,
    CalendarDay,
    CalendarYear,
    DayConvention,
    DayKind,
    LimitUnit,
    Schedule,
    Window,
    parse_limit,
    seconds_of,
    shift,
    spent,
)
from tests.support.governance import YEARS, at, calendar

CAL = calendar()
A, B, C = DayConvention.ROLL, DayConvention.SAME_TIME, DayConvention.DAY_END


@pytest.mark.parametrize(
    ("start", "limit", "due"),
    [
        ("2026-09-30 17:00", "4h", "2026-10-08 11:00"),
        ("2026-09-30 17:00", "4uh", "2026-09-30 21:00"),
        ("2026-01-03 20:00", "2h", "2026-01-04 10:00"),
        ("2026-06-18 17:00", "2h", "2026-06-22 09:00"),
        ("2026-03-06 11:30", "2h", "2026-03-06 15:30"),
        ("2026-05-09 10:00", "4h", "2026-05-09 16:00"),
        ("2026-02-14 16:00", "1d", "2026-02-24 16:00"),
        ("2026-02-13 09:00", "5d", "2026-02-27 09:00"),
        ("2026-02-13 17:30", "2h", "2026-02-14 09:30"),
        ("2026-09-20 08:00", "1d", "2026-09-20 18:00"),
        ("2026-03-06 18:30", "4h", "2026-03-09 12:00"),
        ("2026-10-11 10:00", "1d", "2026-10-12 18:00"),
        ("2026-03-06 11:30", "2nd", "2026-03-08 11:30"),
    ],
)
def test_due_times_of_the_worked_examples(start: str, limit: str, due: str) -> None:
    budget = parse_limit(limit)
    seconds = seconds_of(budget, at(start), CAL, A)
    assert shift(at(start), seconds, budget.basis, CAL) == at(due)


@pytest.mark.parametrize(
    ("start", "convention", "due"),
    [
        ("2026-10-11 10:00", A, "2026-10-12 18:00"),
        ("2026-10-11 10:00", B, "2026-10-13 08:00"),
        ("2026-10-11 10:00", C, "2026-10-12 18:00"),
        ("2026-09-30 17:00", A, "2026-10-08 17:00"),
        ("2026-09-30 17:00", B, "2026-10-08 17:00"),
        ("2026-09-30 17:00", C, "2026-10-08 18:00"),
        ("2026-03-06 13:00", B, "2026-03-09 14:00"),
    ],
)
def test_three_ways_to_count_working_days(start: str, convention: DayConvention, due: str) -> None:
    assert CAL.add_days(at(start), 1, convention) == at(due)
    seconds = seconds_of(Budget(1, LimitUnit.WORK_DAY), at(start), CAL, convention)
    reached = CAL.add(at(start), seconds)
    assert CAL.elapsed(at(start), reached) == CAL.elapsed(at(start), at(due))


def test_nothing_is_lost_below_a_second() -> None:
    start = at("2026-03-06 11:30") + timedelta(microseconds=123_457)
    due = CAL.add(start, 2 * 3600)
    assert due == at("2026-03-06 15:30") + timedelta(microseconds=123_457)
    assert CAL.elapsed(start, due) == 2 * 3600


def test_no_working_time_at_night_at_lunch_or_on_a_holiday() -> None:
    assert CAL.elapsed(at("2026-03-06 12:00"), at("2026-03-06 14:00")) == 0
    assert CAL.elapsed(at("2026-03-06 18:00"), at("2026-03-09 08:00")) == 0
    assert CAL.elapsed(at("2026-10-01 00:00"), at("2026-10-08 00:00")) == 0
    assert CAL.elapsed(at("2026-02-14 00:00"), at("2026-02-15 00:00")) == 8 * 3600
    assert CAL.elapsed(at("2026-03-09 10:00"), at("2026-03-06 10:00")) == 0


def test_round_the_clock_and_summer_hours_are_calendars_too() -> None:
    always = Calendar("always", "r", (Schedule(date(2020, 1, 1), ROUND_THE_CLOCK),), YEARS, weekend=frozenset())
    start = at("2026-03-06 23:00")
    assert always.add(start, 7 * 3600) == start + timedelta(hours=7)
    seasons = Calendar(
        "seasons",
        "r",
        (Schedule(date(2026, 7, 1), (Window(9 * 3600, 15 * 3600),)), Schedule(date(2020, 1, 1), OFFICE_HOURS)),
        YEARS,
    )
    assert seasons.add(at("2026-06-30 17:00"), 2 * 3600) == at("2026-07-01 10:00")
    assert seasons.day_length(at("2026-07-02 10:00")) == 6 * 3600
    assert seasons.day_length(at("2026-06-02 10:00")) == 8 * 3600


def test_a_year_that_is_not_confirmed_makes_its_deadlines_provisional() -> None:
    start = at("2026-12-30 16:00")
    due = CAL.add(start, 5 * 8 * 3600)
    assert due.year == 2027
    assert CAL.is_provisional(start, due)
    assert not CAL.is_provisional(at("2026-03-06 10:00"), at("2026-12-31 20:00"))
    confirmed = calendar((*YEARS[:2], replace(YEARS[2], confirmed=True)))
    assert not confirmed.is_provisional(start, due)


def test_after_the_last_year_with_data_only_weekends_are_free_and_doubtful() -> None:
    start = at("2028-05-01 09:00")  # a Monday that no list has looked at
    assert CAL.add(start, 3600) == at("2028-05-01 10:00")
    assert CAL.is_provisional(start, start)


def test_a_calendar_says_where_it_ends() -> None:
    with pytest.raises(OutsideCalendar):
        CAL.add(at("2032-12-31 17:00"), 40 * 3600)
    with pytest.raises(OutsideCalendar):
        CAL.elapsed(at("2019-01-01 00:00"), at("2026-01-01 00:00"))


def test_pausing_counts_work_seconds_not_wall_seconds() -> None:
    """Thirty days of suspension are thirty days, not ninety working ones."""
    paused, resumed = at("2026-03-06 16:00"), at("2026-04-07 16:00")
    used = CAL.elapsed(at("2026-03-06 14:00"), paused)
    assert CAL.add(resumed, 8 * 3600 - used) == at("2026-04-08 12:00")
    assert spent(paused, resumed, Basis.WALL, CAL) == 32 * 86400


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("2紧急工作时", 2, LimitUnit.URGENT_HOUR),
        ("2 紧急工作日", 2, LimitUnit.NATURAL_DAY),
        ("15紧急分钟", 15, LimitUnit.URGENT_MINUTE),
        ("3小时", 3, LimitUnit.WORK_HOUR),
        ("4工作时", 4, LimitUnit.WORK_HOUR),
        ("5工作日", 5, LimitUnit.WORK_DAY),
        ("5个工作日", 5, LimitUnit.WORK_DAY),
        ("3天", 3, LimitUnit.WORK_DAY),
        ("7自然日", 7, LimitUnit.NATURAL_DAY),
        ("30分钟", 30, LimitUnit.WORK_MINUTE),
        ("2uh", 2, LimitUnit.URGENT_HOUR),
        ("15 urgent_minute", 15, LimitUnit.URGENT_MINUTE),
    ],
)
def test_limits_are_read_by_their_text(text: str, value: int, unit: LimitUnit) -> None:
    assert parse_limit(text) == Budget(value, unit)


@pytest.mark.parametrize("text", ["", "尽快", "0h", "2", "h", "-1h", "2 weeks", "约3天", "1.5h"])
def test_what_cannot_be_read_is_refused_not_guessed(text: str) -> None:
    with pytest.raises(UnparsableLimit) as refused:
        parse_limit(text)
    assert text in str(refused.value.args), "as it was written"


def test_parts_tell_which_days_counted_and_which_hours_of_them() -> None:
    parts = CAL.parts(at("2026-09-30 17:00"), at("2026-10-08 11:00"))
    assert [(p.seconds, p.works, p.whole) for p in (parts[0], parts[1], parts[-1])] == [
        (3600, True, False),
        (0, False, True),
        (3 * 3600, True, False),
    ]
    assert parts[0].used == ((at("2026-09-30 17:00"), at("2026-09-30 18:00")),)
    assert [p.listed.name for p in parts if p.listed] == ["假日"] * 7


def test_a_day_may_have_hours_of_its_own() -> None:
    half = CalendarDay(date(2026, 2, 13), DayKind.WORKDAY, "除夕前半天", windows=(Window(8 * 3600, 12 * 3600),))
    cal = calendar((CalendarYear(2026, True, "notice", (half,)),))
    assert cal.elapsed(at("2026-02-13 00:00"), at("2026-02-14 00:00")) == 4 * 3600
    assert cal.add(at("2026-02-13 11:00"), 2 * 3600) == at("2026-02-16 09:00")


def test_summer_and_winter_hours_change_the_length_of_a_day() -> None:
    summer = Schedule(date(2026, 6, 1), (Window(8 * 3600, 12 * 3600), Window(15 * 3600, 18 * 3600)))
    winter = Schedule(date(2026, 10, 1), OFFICE_HOURS)
    cal = Calendar("seasons", "r", (winter, summer, Schedule(date(2020, 1, 1), OFFICE_HOURS)), YEARS)
    lengths = [cal.day_length(at(f"2026-{day} 10:00")) // 3600 for day in ("05-29", "06-01", "09-30", "10-08")]
    assert lengths == [8, 7, 7, 8]
    assert cal.add(at("2026-07-01 11:30"), 3600) == at("2026-07-01 15:30")  # a lunch of three hours
    assert cal.add_days(at("2026-09-30 09:00"), 1, A) == at("2026-10-08 09:00")


def test_two_revisions_tell_the_days_that_differ() -> None:
    sure = calendar((*YEARS[:2], CalendarYear(2027, True, "notice 2027", YEARS[2].days[1:])))
    change = CalendarChange.between(CAL, sure)
    assert (change.days, change.confirmed) == ((date(2027, 1, 1),), frozenset({2027}))
    assert change.crosses(at("2026-12-30 10:00"), at("2027-01-04 10:00"))
    assert not change.crosses(at("2026-12-30 10:00"), at("2026-12-31 10:00"))
    assert not change.crosses(at("2027-01-02 10:00"), at("2027-01-04 10:00"))
    assert change.reaches(at("2026-11-20 10:00")) == at("2027-01-01 00:00")
    assert change.reaches(at("2027-03-01 10:00")) == at("2027-03-01 10:00"), (
        "confirmed: the flags of the year still fall"
    )
    assert CalendarChange.between(CAL, CAL).reaches(at("2026-11-20 10:00")) is None

"""Laws of the plan for weeks, whatever the clocks say and whatever is there already."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.chassis.housekeeping.weeks import AHEAD, FARTHEST, WEEK, days_ahead, monday_of, plan, start_of

moments = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))
skews = st.timedeltas(timedelta(days=-120), timedelta(days=120))
keeps = st.integers(30, 400).map(lambda number: timedelta(days=number))


@st.composite
def weeks(draw: st.DrawFn, around: datetime) -> set[date]:
    offsets = draw(st.sets(st.integers(-70, 20)))
    return {monday_of(around) + n * WEEK for n in offsets}


@given(st.data(), moments, skews, keeps)
def test_every_clock_has_its_fourteen_days_and_nothing_young_goes(
    data: st.DataObject, now: datetime, skew: timedelta, keep: timedelta
) -> None:
    existing, strays = data.draw(weeks(now)), data.draw(weeks(now))
    clocks = (now, now + skew)
    made = plan(existing, clocks, strays, keep)
    after = (existing | set(made.make)) - set(made.drop)

    for clock in clocks:
        step = data.draw(st.timedeltas(timedelta(), AHEAD))
        assert monday_of(clock + step) in after
        assert days_ahead(after, clock) >= 14
    for week in made.drop:
        assert start_of(week + WEEK) + keep <= now, "its youngest row is past keeping"
    assert all(week.weekday() == 0 for week in (*made.make, *made.drop))
    assert not set(made.make) & set(made.drop)
    assert not set(made.make) & existing
    assert set(made.drop) <= existing


@given(st.data(), moments, skews, keeps)
def test_a_second_look_finds_nothing_to_do(
    data: st.DataObject, now: datetime, skew: timedelta, keep: timedelta
) -> None:
    existing, strays, clocks = data.draw(weeks(now)), data.draw(weeks(now)), (now, now + skew)
    made = plan(existing, clocks, strays, keep)
    again = plan((existing | set(made.make)) - set(made.drop), clocks, strays, keep)
    assert (again.make, again.drop) == ((), ())


@given(st.data(), moments, keeps)
def test_strays_get_their_week_within_bounds(data: st.DataObject, now: datetime, keep: timedelta) -> None:
    strays = data.draw(weeks(now))
    made = set(plan(set(), (now,), strays, keep).make)
    for week in strays:
        old = start_of(week + WEEK) + keep <= now
        far = week > monday_of(now + FARTHEST)
        assert (week in made) == (not old and not far)


@given(moments, st.integers(0, 60))
def test_from_day_to_day_no_moment_is_ever_without_its_week(now: datetime, days: int) -> None:
    there: set[date] = set()
    for n in range(days):
        today = now + n * timedelta(days=1)
        there |= set(plan(there, (today,), (), timedelta(days=30)).make)
        assert days_ahead(there, today + timedelta(days=1)) >= 13
    assert days_ahead(set(), now) == 0

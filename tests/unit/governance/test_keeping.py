"""What a case keeps of its facts: where it began, and how it stood before an act that may be taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from services.governance.acts import CaseRef, Recompute
from services.governance.case import evolve
from services.governance.cycle import Action, ClockKind
from services.governance.worktime import CalendarChange, CalendarDay, DayKind
from tests.support.governance import BOOK, SECRETARY, WORKER, YEARS, Walk, calendar, report, rulebook
from tests.support.merging import Cases


def test_it_begins_with_its_opening() -> None:
    walk = Walk()
    (first, *_) = walk.facts
    with pytest.raises(TypeError, match=r"^the first change of a case is Opened$"):
        evolve(None, replace(first, changes=first.changes[1:]))


def test_it_remembers_the_ended_case_that_its_reporter_took_it_for() -> None:
    earlier = CaseRef("c0", "441802001-20260301-0007")
    assert Walk(report(earlier=earlier)).case.earlier == earlier
    assert Walk().case.earlier is None


def test_before_an_act_of_the_machine_it_keeps_no_requests_before_a_merge_it_does() -> None:
    walk = Walk()
    walk.act(WORKER, Action.CALL_UP, reason="no_means")
    asked = walk.case.requests
    cases = Cases()
    cases.add(walk.case, walk.facts)
    cases.open(report(case_id="c2", case_no="NO2", report_id="r2"))
    cases.merge("c1", "c2", walk.now)
    merged = cases["c1"].undo
    walk.fire(ClockKind.GRID_RESPONSE)
    called = walk.case.undo
    assert merged is not None
    assert called is not None
    assert (merged.rule, merged.requests) == ("case.merged", asked)
    assert (called.rule, called.requests, called.absorbed) == ("auto_call_up_t0", (), ())


def test_a_call_is_taken_back_under_the_calendar_of_now() -> None:
    """A day has become free meanwhile: as much time as before, due a day later."""
    walk = Walk()
    before = walk.clock(ClockKind.WHOLE)
    walk.fire(ClockKind.GRID_RESPONSE)
    free = CalendarDay(date(2026, 3, 9), DayKind.HOLIDAY, "假日")
    years = (YEARS[0], replace(YEARS[1], days=(*YEARS[1].days, free)), YEARS[2])
    walk.book = rulebook(calendar=replace(calendar(years), revision="r2"))
    walk.do(Recompute(CalendarChange.between(BOOK.calendar, walk.book.calendar)))
    walk.act(SECRETARY, Action.RECALL)
    after = walk.clock(ClockKind.WHOLE)
    assert (after.budget_s, after.calendar_rev) == (before.budget_s, "r2")
    assert f"{BOOK.calendar.local(before.due_at):%m-%d %H:%M}" == "03-10 09:00"
    assert f"{BOOK.calendar.local(after.due_at):%m-%d %H:%M}" == "03-11 09:00"

"""Why a clock is due when it is: what is said where facts are missing, days have names and classes have changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from services.governance.case import clock_of
from services.governance.cycle import Action, ClockKind
from services.governance.explain import Step, StepKind, explain
from services.governance.worktime import CalendarDay, DayKind
from tests.support.governance import (
    BOOK,
    CHIEF,
    HEAP,
    LEAD,
    PHOTO,
    STALL,
    YEARS,
    Walk,
    at,
    calendar,
    report,
    rulebook,
    to_handling,
)


def steps(walk: Walk, facts: int | None = None) -> tuple[Step, ...]:
    """Of the handling clock, by the first so many facts."""
    clock = clock_of(walk.case, ClockKind.HANDLING)
    assert clock is not None
    return explain(walk.case, clock, walk.facts[:facts], walk.book).steps


def kinds(walk: Walk, facts: int | None = None) -> list[StepKind]:
    return [step.kind for step in steps(walk, facts)]


def suspended(walk: Walk) -> Walk:
    walk.act(LEAD, Action.SUSPEND_REQUEST, reason="funding", note="n", until=at("2026-03-16 09:00"))
    walk.act(CHIEF, Action.APPROVE)
    return walk


def test_a_day_is_called_by_both_its_names() -> None:
    day = CalendarDay(date(2026, 3, 9), DayKind.HOLIDAY, "植树节", "Arbor Day")
    years = (YEARS[0], replace(YEARS[1], days=(*YEARS[1].days, day)), YEARS[2])
    walk = to_handling(Walk(report(HEAP), rulebook(calendar=calendar(years))), condition="litter.heap")
    skipped = [(s.name, s.english) for s in steps(walk) if s.kind is StepKind.SKIPPED]
    assert skipped == [("", ""), ("植树节", "Arbor Day"), ("", "")]


def test_amounts_are_counted_between_whole_minutes() -> None:
    begin = at("2026-03-06 09:00") + timedelta(milliseconds=700)
    walk = to_handling(Walk(report(STALL, begin)), condition="stall")
    walk.later(minutes=10, milliseconds=-400)
    assert [s.seconds for s in steps(suspended(walk)) if s.kind is StepKind.COUNTED] == [600]


def test_without_the_fact_that_it_runs_again_nothing_is_counted_from_there() -> None:
    walk = suspended(to_handling(Walk()).later(minutes=30)).later(hours=1)
    known = len(walk.facts)
    walk.act(CHIEF, Action.RESUME)
    assert kinds(walk)[-3:] == [StepKind.RESUMED, StepKind.COUNTED, StepKind.DUE]
    assert kinds(walk, known) == [StepKind.STARTED, StepKind.COUNTED, StepKind.PAUSED, StepKind.DUE]


def test_without_the_fact_that_it_stopped_nothing_is_counted_at_all() -> None:
    walk = to_handling(Walk()).later(minutes=30)
    known = len(walk.facts)
    walk.act(LEAD, Action.FEEDBACK, note="n", close_condition_met=True, evidence=PHOTO)
    assert kinds(walk) == [StepKind.STARTED, StepKind.COUNTED, StepKind.STOPPED, StepKind.DUE]
    assert kinds(walk, known) == [StepKind.STARTED, StepKind.DUE]


def test_a_condition_that_the_class_no_longer_has_is_named_without_it() -> None:
    walk = to_handling(Walk(report(HEAP)), condition="litter.heap")
    rule = explain(walk.case, walk.clock(ClockKind.HANDLING), walk.facts, walk.book).rule
    assert (rule.category, rule.condition, rule.number) == (BOOK.categories[HEAP], "litter.heap", 1)
    changed = replace(BOOK.categories[HEAP], conditions=("stall",))
    later = rulebook(categories={**BOOK.categories, HEAP: changed})
    rule = explain(walk.case, walk.clock(ClockKind.HANDLING), walk.facts, later).rule
    assert (rule.category, rule.condition, rule.number) == (None, "litter.heap", None)

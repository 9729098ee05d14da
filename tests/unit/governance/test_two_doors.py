"""The same matter through two doors: one case under the stricter terms, whichever door it came through first."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.governance.acts import ClockState, FactKind, OpenCase
from services.governance.case import Case, clock_of, live_clock
from services.governance.case.grounds import Rests, ground_of
from services.governance.cycle import Action, ClockKind, Flag
from tests.support.governance import (
    BOOK,
    CLERK,
    HEAP,
    LEAD,
    LITTER,
    QUARREL,
    Walk,
    at,
    report,
    to_dispatched,
    to_handling,
)
from tests.support.merging import Cases

NINE = at("2026-03-06 09:00")  # a Friday
HOTLINE = ("hotline", "GD20260306001")


def pushed(category: str | None = HEAP, when: datetime = NINE, due: datetime | None = None, **more: object) -> OpenCase:
    """A hotline's order, as another authority hands it over."""
    values: dict[str, object] = {"report_id": "h1", "source": "hotline_12345", "external": (HOTLINE,), **more}
    return report(category, when, partner=True, due=due, staff=False, **values)


def whole(case: Case) -> datetime:
    clock = clock_of(case, ClockKind.WHOLE)
    assert clock is not None
    return clock.due_at


def both(first: OpenCase, second: OpenCase) -> Walk:
    walk = Walk(first)
    walk.now = max(first.reported_at, second.reported_at)
    walk.do(second)
    return walk


# --- what the sender asks for -----------------------------------------------------------------------------------------
def test_an_earlier_due_time_of_the_sender_counts_from_the_first_moment() -> None:
    asked = at("2026-03-06 15:00")
    case = Walk(pushed(due=asked)).case
    clock = live_clock(case, ClockKind.WHOLE)
    assert clock is not None
    assert clock.due_at == clock.original_due == asked
    assert max(rung.at for rung in clock.rungs if rung.rung < 2) == asked, "the ladder ends where the clock does"
    assert ground_of(case, clock, BOOK).rests is Rests.ASKED
    assert case.reports == ("h1",)


def test_a_later_one_changes_nothing() -> None:
    plain, generous = Walk(pushed()).case, Walk(pushed(due=at("2026-06-01 00:00"))).case
    assert whole(plain) == whole(generous)
    clock = clock_of(generous, ClockKind.WHOLE)
    assert clock is not None
    assert ground_of(generous, clock, BOOK).rests is Rests.WHOLE


def test_it_counts_for_the_handling_that_begins_later() -> None:
    asked = at("2026-03-06 11:30")
    walk = to_handling(Walk(pushed(LITTER, due=asked)))
    handling = walk.clock(ClockKind.HANDLING)
    assert handling.due_at == asked
    assert ground_of(walk.case, handling, BOOK).rests is Rests.ASKED
    free = to_handling(Walk(pushed(LITTER)))
    assert free.clock(ClockKind.HANDLING).due_at > asked


def test_working_time_ends_before_a_due_time_on_a_free_day() -> None:
    sunday = at("2026-03-08 12:00")
    case = Walk(pushed(HEAP, due=sunday)).case
    assert at("2026-03-06 17:00") <= whole(case) <= sunday
    clock = clock_of(case, ClockKind.WHOLE)
    assert clock is not None
    assert ground_of(case, clock, BOOK).rests is Rests.ASKED


def test_one_that_has_passed_is_overdue_at_once() -> None:
    walk = Walk(pushed(when=NINE, due=NINE - timedelta(days=2)))
    assert whole(walk.case) <= NINE + timedelta(seconds=1)
    walk.later(minutes=1).do(report(report_id="r9"))
    assert Flag.OVERDUE in walk.case.flags


# --- the second door --------------------------------------------------------------------------------------------------
def test_the_second_report_brings_its_stricter_limit_and_its_number() -> None:
    walk = to_handling(Walk(report(HEAP)), condition="litter.heap")
    before = walk.clock(ClockKind.HANDLING)
    (fact,) = walk.later(minutes=5).do(pushed(LITTER))
    assert fact.kind == FactKind.REPORT_ATTACHED
    assert [c.external for c in fact.changes if hasattr(c, "external")] == [(HOTLINE,)]
    after = walk.clock(ClockKind.HANDLING)
    assert after.due_at < before.due_at
    assert after.rev == before.rev + 1, "timers are armed anew"
    assert walk.case.reports == ("r1", "h1")
    assert walk.case.condition == "litter.heap", "the class of the case stays its own"
    ground = ground_of(walk.case, after, BOOK)
    assert ground.budget == BOOK.conditions["litter"].limit


def test_a_milder_one_moves_nothing() -> None:
    walk = to_handling(Walk(report(LITTER)))
    before = walk.case.clocks
    walk.later(minutes=5).do(pushed(HEAP, due=at("2026-06-01 00:00")))
    assert walk.case.clocks == before
    assert walk.case.reports == ("r1", "h1")


def test_the_same_report_again_changes_nothing() -> None:
    walk = Walk(report(HEAP))
    command = pushed(LITTER, due=at("2026-03-06 12:00"))
    assert walk.do(command)
    assert walk.do(command) == ()


def test_a_further_report_of_nobody_else_s_brings_no_terms() -> None:
    walk = Walk(report(HEAP))
    before = walk.case
    walk.do(replace(report(LITTER, report_id="r2"), source="app"))
    assert (walk.case.clocks, walk.case.absorbed) == (before.clocks, before.absorbed)


@pytest.mark.parametrize("swapped", [False, True])
def test_a_restricted_matter_makes_the_whole_case_restricted(swapped: bool) -> None:
    pair = report(LITTER), pushed(QUARREL)
    walk = both(*(reversed(pair) if swapped else pair))
    assert walk.case.restricted


def test_a_due_time_that_has_passed_is_a_breach_at_once() -> None:
    walk = to_handling(Walk(report(HEAP)), condition="litter.heap").later(hours=3)
    facts = walk.do(pushed(HEAP, due=walk.now - timedelta(hours=1)))
    assert FactKind.OVERDUE in [fact.kind for fact in facts]
    assert Flag.OVERDUE in walk.case.flags


def test_a_class_chosen_later_stays_within_what_was_asked_for() -> None:
    asked = at("2026-03-06 11:00")
    walk = Walk(report(LITTER))
    walk.do(pushed(LITTER, due=asked))
    to_dispatched(walk)
    walk.act(CLERK, Action.RECLASSIFY, category=HEAP, condition="litter.heap", reason="wrong_class")
    assert whole(walk.case) <= asked


def test_stopped_clocks_stay_stopped() -> None:
    walk = to_handling(Walk(report(HEAP)), condition="litter.heap")
    stopped = [c for c in walk.case.clocks if c.state is ClockState.STOPPED]
    walk.do(pushed(LITTER, due=at("2026-03-06 12:00")))
    assert [c for c in walk.case.clocks if c.state is ClockState.STOPPED] == stopped


# --- with a merge ---------------------------------------------------------------------------------------------------
def test_what_was_asked_for_goes_along_with_a_merge_and_comes_back() -> None:
    cases = Cases()
    asked = at("2026-03-06 15:00")
    cases.open(report(HEAP, case_id="a", case_no="A", report_id="r.a"))
    cases.open(pushed(HEAP, case_id="b", case_no="B", report_id="r.b", due=asked))
    alone = whole(cases["a"])
    assert alone > asked
    cases.merge("b", "a", NINE + timedelta(minutes=1))
    assert whole(cases["a"]) == asked
    assert set(cases["a"].reports) == {"r.a", "r.b"}
    cases.unmerge("b", NINE + timedelta(minutes=2))
    assert whole(cases["a"]) == alone
    assert whole(cases["b"]) == asked
    assert (cases["a"].reports, cases["b"].reports) == (("r.a",), ("r.b",))
    assert not cases["a"].absorbed


def test_the_unit_sees_why() -> None:
    walk = to_handling(Walk(pushed(LITTER, due=at("2026-03-06 11:30"))))
    walk.act(LEAD, Action.FEEDBACK, note="cleaned", close_condition_met=True, evidence=("p",))
    clock = clock_of(walk.case, ClockKind.HANDLING)
    assert clock is not None
    assert ground_of(walk.case, clock, BOOK).rests is Rests.ASKED, "also when it has stopped"

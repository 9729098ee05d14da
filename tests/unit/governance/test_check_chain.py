"""核实 and 核查 that nobody does: the task goes from one to the next, and to the community where nobody is left."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.governance.acts import ActorRef, Around, TaskState, Told
from services.governance.case import had_check, offers
from services.governance.cycle import Action, ClockKind, Flag, MachineRule, Role, State
from services.governance.tiers import Ladder, LadderStep, RungAct
from tests.support.governance import (
    BOOK,
    CLERK,
    COMMUNITY_SECRETARY,
    LEAD,
    PHOTO,
    VERIFIER,
    WORKER2,
    Walk,
    to_fed_back,
    to_street,
)

_STEPS = (
    LadderStep(RungAct.OVERDUE, tell=("owner",)),
    LadderStep(RungAct.NEXT_CHECKER, tell=("community_secretary",)),
    LadderStep(RungAct.FORCE_CHOICE, 200, tell=("community_secretary",)),
)
_CHECKS = {kind: Ladder(kind, _STEPS) for kind in (ClockKind.CONFIRM, ClockKind.VERIFY)}
PASSING = replace(BOOK, ladders={**BOOK.ladders, **_CHECKS})
BESIDE = Around(verifier=ActorRef(WORKER2.account, Role.GRID_WORKER))


def by(account: str) -> Around:
    return Around(verifier=ActorRef(account, Role.GRID_WORKER))


def checks(walk: Walk, kind: str = "verify") -> list[tuple[str | None, TaskState]]:
    return [(t.person, t.state) for t in walk.case.tasks if t.kind == kind]


def waiting(book_of: Walk) -> Walk:
    """A check that the grid's worker was given, and whose limit is over; the one beside it is next."""
    walk = to_fed_back(book_of)
    walk.around = BESIDE
    walk.fire(ClockKind.VERIFY, 1)
    return walk


def test_a_check_that_nobody_did_goes_to_the_next() -> None:
    walk = waiting(Walk(book=PASSING, around=by("wangge01")))
    assert checks(walk) == [("wangge01", TaskState.DROPPED), ("wangge02", TaskState.DOING)]
    late, passed = walk.facts[-2:]
    assert (late.kind, passed.kind, passed.reason) == ("case.overdue", "case.check_passed_on", "verify")
    assert passed.rule is not None
    assert (passed.rule.rule, passed.rule.rulebook) == ("check_task", PASSING.version)
    grid = walk.case.spot.grid or ""
    assert passed.tell == (Told("another_worker", grid), Told("owner_before", grid))
    assert walk.case.state is State.FED_BACK
    assert Flag.FORCED_CHOICE not in walk.case.flags


def test_the_next_checks_though_the_case_is_not_of_his_grid() -> None:
    walk = to_fed_back(Walk(book=PASSING, around=by("wangge01")))
    assert Action.VERIFY_PASS not in offered(walk)
    walk.around = BESIDE
    walk.fire(ClockKind.VERIFY, 1)
    assert Action.VERIFY_PASS in offered(walk)
    walk.act(WORKER2, Action.VERIFY_PASS, means="on_site")
    assert walk.case.state is State.CLOSED


def offered(walk: Walk) -> list[Action]:
    return [o.action for o in offers(walk.case, WORKER2, walk.book, walk.now)]


def test_as_much_again_and_the_community_hears_of_it() -> None:
    walk = waiting(Walk(book=PASSING, around=by("wangge01")))
    (told,) = walk.fire(ClockKind.VERIFY, 2)
    assert (told.kind, told.tell) == ("case.choice_forced", (Told("community_secretary"),))
    assert checks(walk)[-1] == ("wangge02", TaskState.DOING)


@pytest.mark.parametrize(
    "left",
    [None, by("wangge01"), by("huanwei"), by("zhiban")],
    ids=["nobody", "who had it", "who handled", "who filed"],
)
def test_where_nobody_is_left_the_community_hears_of_it_at_once(left: Around | None) -> None:
    walk = to_fed_back(Walk(book=PASSING, around=by("wangge01")))
    walk.around = left or Around()
    *_, told = walk.fire(ClockKind.VERIFY, 1)
    assert (told.kind, told.tell) == ("case.choice_forced", (Told("community_secretary"),))
    assert checks(walk) == [("wangge01", TaskState.DOING)]


def test_a_street_that_has_the_rule_switched_off_passes_nothing_on() -> None:
    book = replace(PASSING, machine=PASSING.machine - {MachineRule.CHECK_TASK})
    walk = waiting(Walk(book=book, around=by("wangge01")))
    assert walk.facts[-1].kind == "case.choice_forced"
    assert checks(walk) == [("wangge01", TaskState.DOING)]


def test_a_look_on_site_goes_to_the_next_too() -> None:
    walk = to_street(Walk(book=PASSING, around=by("wangge01")))
    walk.act(CLERK, Action.CONFIRM_REQUEST, note="what colour is it")
    walk.around = BESIDE
    walk.fire(ClockKind.CONFIRM, 1)
    assert checks(walk, "confirm") == [("wangge01", TaskState.DROPPED), ("wangge02", TaskState.DOING)]
    assert had_check(walk.case) == {"wangge01", "wangge02"}
    walk.act(WORKER2, Action.CONFIRM_DONE, note="green", evidence=PHOTO)
    assert walk.case.state is State.AT_STREET
    assert had_check(walk.case) == frozenset()


def test_after_rework_everybody_may_be_asked_again() -> None:
    walk = waiting(Walk(book=PASSING, around=by("wangge01")))
    walk.act(VERIFIER, Action.VERIFY_FAIL, reason="not_found_fixed", note="still there", evidence=PHOTO)
    assert had_check(walk.case) == frozenset()
    walk.around = by("wangge01")
    walk.later(minutes=5).act(LEAD, Action.FEEDBACK, note="n", close_condition_met=True, evidence=PHOTO)
    assert had_check(walk.case) == {"wangge01"}


def test_the_verifier_may_leave_the_check_where_it_was() -> None:
    walk = waiting(Walk(book=PASSING, around=by("wangge01")))
    clock = walk.clock(ClockKind.VERIFY)
    walk.later(minutes=1).act(VERIFIER, Action.RECALL)
    assert checks(walk) == [("wangge01", TaskState.DOING), ("wangge02", TaskState.DROPPED)]
    again = walk.clock(ClockKind.VERIFY)
    assert (again.due_at, set(again.fired)) == (clock.due_at, {0, 1})
    walk.later(hours=1).act(VERIFIER, Action.NOTE, note="n")
    assert walk.kinds().count("case.check_passed_on") == 1


def test_the_community_checks_where_it_did_not_handle() -> None:
    walk = waiting(Walk(book=PASSING, around=by("wangge01")))
    walk.act(COMMUNITY_SECRETARY, Action.VERIFY_PASS, means="on_site")
    assert walk.case.state is State.CLOSED

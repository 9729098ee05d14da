"""Natures without clocks, imported history, who sees what, and states that remember where they came from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.governance.acts import Actor, CategoryRef, Spot, Task, TaskState
from services.governance.case import Sight, may_see, offers, stage_of
from services.governance.cycle import (
    CYCLE,
    Action,
    ClockKind,
    ClosedKind,
    Flag,
    Nature,
    Stage,
    State,
    remembered,
    stage_of_state,
)
from services.governance.errors import GovernanceError, IllegalTransition, InvalidInput, MissingInput
from tests.support.governance import (
    AUDITOR,
    CHIEF,
    CITY_OFFICE,
    CLERK,
    COMMUNITY_SECRETARY,
    DISTRICT,
    ENFORCERS,
    EVERYBODY,
    HEAP,
    LEAD,
    LEADER,
    LITTER,
    QUARREL,
    RESIDENT,
    SECRETARY,
    VERIFIER,
    WORKER,
    WORKER2,
    Walk,
    recorded,
    report,
    to_community,
    to_dispatched,
    to_fed_back,
    to_filed,
    to_handling,
    to_street,
)


def test_an_enquiry_runs_the_reply_clock_alone() -> None:
    walk = Walk(report(nature=Nature.ENQUIRY))
    assert [c.kind for c in walk.case.clocks] == [ClockKind.REPLY]
    to_fed_back(walk)
    assert [c.kind for c in walk.case.clocks] == [ClockKind.REPLY]
    assert walk.case.clocks[0].stopped_at is not None
    assert Walk(report(nature=Nature.THANKS)).case.clocks == ()


def test_history_keeps_its_own_outcome_and_stays_outside_the_live_queues() -> None:
    walk = Walk(report(HEAP, recorded=recorded("unknown office", overdue=True), staff=False))
    assert walk.kinds() == ["case.recorded"]
    case = walk.case
    assert (case.state, case.closed_as, case.recorded_unit) == (State.CLOSED, ClosedKind.RECORDED, "unknown office")
    assert (case.clocks, case.history, Flag.OVERDUE in case.flags) == ((), True, True)
    assert case.routed is not None
    assert (case.routed.basis, case.routed.rulebook_lead) == ("import", "huanwei")
    assert case.closed_at == recorded().closed_at
    assert offers(case, CHIEF, walk.book, walk.now) == ()
    with pytest.raises(IllegalTransition):
        walk.act(CHIEF, Action.REOPEN, reason="not_solved", note="x")


def test_history_without_an_end_is_open_and_without_a_unit_goes_by_rules_alone() -> None:
    walk = Walk(report(recorded=recorded(closed=False)))
    assert (walk.case.state, walk.case.clocks, walk.case.closed_at) == (State.HANDLING, (), None)
    alone = Walk(report(recorded=recorded(None)))
    assert alone.case.routed is not None
    assert (alone.case.routed.basis, alone.case.routed.lead) == ("catalogue", "huanwei")


def test_an_imported_unit_leads_beside_the_rulebooks_choice() -> None:
    walk = Walk(report(imported_unit="zhifa"))
    assert walk.case.routed is not None
    assert (walk.case.routed.lead, walk.case.routed.rulebook_lead) == ("zhifa", "huanwei")
    to_filed(walk).act(CLERK, Action.DISPATCH, lead_unit="zhifa")
    assert walk.case.lead == "zhifa"


def test_a_category_of_another_edition_is_kept_but_has_no_rule() -> None:
    odd = CategoryRef("CJ/T 214", "2007", LITTER)
    case = Walk(replace(report(), category=odd)).case
    assert (case.category, case.condition) == (odd, None)
    assert Flag.NO_RULE in case.flags
    assert {c.kind for c in case.clocks} == {ClockKind.WHOLE, ClockKind.GRID_RESPONSE}


def test_outside_every_cell_is_kept_and_marked() -> None:
    spot = Spot("441802001", lng=113.9, lat=23.1)
    walk = Walk(report(spot=spot))
    assert Flag.CROSS_BORDER in walk.case.flags
    assert walk.case.state is State.AT_STREET


def test_unsure_needs_a_category_before_filing() -> None:
    walk = to_street(Walk(report(None)))
    with pytest.raises(MissingInput):
        walk.act(CHIEF, Action.FILE, condition="litter")
    walk.act(CHIEF, Action.FILE, category=LITTER, condition="litter")
    assert Flag.NO_RULE not in walk.case.flags


# --- who sees what ---------------------------------------------------------------------------------------------------
def test_each_sees_only_its_own_cases() -> None:
    walk = to_dispatched(Walk(), co_units=("chengguan",))
    full = {a.account for a in EVERYBODY if may_see(walk.case, a) is Sight.FULL}
    assert full == {
        "wangge01",
        "zhibu01",
        "shequ01",
        "shouli",
        "jieting",
        "zhiban",
        "zhiban2",
        "lingdao",
        "huanwei",
        "chengguan",
    }
    assert may_see(walk.case, WORKER2) is Sight.NONE
    assert may_see(walk.case, ENFORCERS) is Sight.NONE
    assert may_see(to_fed_back(Walk()).case, VERIFIER) is Sight.FULL
    assert may_see(walk.case, DISTRICT) is Sight.NONE
    assert may_see(walk.case, RESIDENT) is Sight.NONE, "without an account he reads the progress page, not the case"


def test_a_verifier_still_sees_what_he_may_visit_and_reopen() -> None:
    walk = to_fed_back(Walk(report(source="hotline_12345")))
    walk.act(VERIFIER, Action.VERIFY_PASS, means="on_site")
    walk.act(VERIFIER, Action.VISIT, grade="satisfied")
    walk.act(CHIEF, Action.CLOSE)
    assert may_see(walk.case, VERIFIER) is Sight.FULL
    assert Action.REOPEN in {o.action for o in offers(walk.case, VERIFIER, walk.book, walk.now)}


def test_whoever_handled_a_case_keeps_seeing_it() -> None:
    walk = to_handling(Walk())
    moved_on = Actor(LEAD.account, ())
    assert may_see(walk.case, moved_on) is Sight.FULL
    checker = Actor("checker", ())
    for state, sight in ((TaskState.DOING, Sight.FULL), (TaskState.DONE, Sight.FULL), (TaskState.DROPPED, Sight.NONE)):
        task = Task("t", "confirm", None, "checker", state, walk.now)
        assert may_see(replace(walk.case, tasks=(task,)), checker) is sight, state


def test_a_restricted_case_shows_class_and_community_above_its_chain() -> None:
    case = Walk(report(QUARREL)).case
    assert Flag.RESTRICTED in case.flags
    assert may_see(case, WORKER) is Sight.FULL
    assert [may_see(case, a) for a in (COMMUNITY_SECRETARY, CLERK, LEADER)] == [Sight.CLASS_ONLY] * 3
    called = to_community(Walk(report(QUARREL))).case
    assert may_see(called, COMMUNITY_SECRETARY) is Sight.FULL
    assert may_see(called, CLERK) is Sight.CLASS_ONLY
    assert may_see(called, AUDITOR) is Sight.NONE


# --- offers ----------------------------------------------------------------------------------------------------------
def test_offers_are_what_decide_would_take() -> None:
    walk = Walk()
    assert {o.action for o in offers(walk.case, SECRETARY, walk.book, walk.now)} == {
        Action.CALL_UP,
        Action.SELF_RESOLVE_START,
        Action.ASK_MORE,
        Action.RECLASSIFY,
        Action.URGE,
        Action.NOTE,
        Action.MERGE,
        Action.ASK_REPORTER,
    }
    assert offers(walk.case, AUDITOR, walk.book, walk.now) == ()
    assert {o.action for o in offers(walk.case, RESIDENT, walk.book, walk.now)} == {
        Action.URGE,
        Action.NOTE,
        Action.WITHDRAW,
    }


def test_an_offers_form_knows_the_cases_own_choices() -> None:
    walk = to_street(Walk())
    filing = next(o for o in offers(walk.case, CHIEF, walk.book, walk.now) if o.action is Action.FILE)
    condition = next(i for i in filing.inputs if i.name == "condition")
    assert condition.choices == ("litter", "litter.heap")
    assert filing.primary
    handled = to_dispatched(Walk(), co_units=("chengguan",))
    waive = next(o for o in offers(handled.case, CHIEF, handled.book, handled.now) if o.action is Action.WAIVE)
    assert waive.inputs[0].choices == ("c1:t2",)


def test_a_form_asks_for_the_class_where_the_case_has_none() -> None:
    def asked(walk: Walk) -> bool:
        filing = next(o for o in offers(walk.case, CHIEF, walk.book, walk.now) if o.action is Action.FILE)
        return next(i for i in filing.inputs if i.name == "category").required

    assert asked(to_street(Walk(report(None))))
    assert not asked(to_street(Walk()))


def test_feedback_is_offered_once_no_co_task_is_open_and_asks_for_evidence() -> None:
    walk = to_dispatched(Walk(), co_units=("chengguan",))
    walk.act(LEAD, Action.RESPOND, means="phone")
    assert Action.FEEDBACK not in {o.action for o in offers(walk.case, LEAD, walk.book, walk.now)}
    walk.act(CITY_OFFICE, Action.CO_DONE, note="signed")
    feedback = next(o for o in offers(walk.case, LEAD, walk.book, walk.now) if o.action is Action.FEEDBACK)
    assert next(i for i in feedback.inputs if i.name == "evidence").required


def test_a_choice_outside_the_list_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        Walk().act(SECRETARY, Action.CALL_UP, reason="tired")
    assert refused.value.field == "reason"
    with pytest.raises(TypeError):
        GovernanceError()


# --- states ----------------------------------------------------------------------------------------------------------
def test_a_state_without_a_step_shows_the_one_it_came_from() -> None:
    assert remembered(State.HANDLING, None, State.SUSPENDED) is State.HANDLING
    assert stage_of_state(State.SUSPENDED, State.HANDLING) is Stage.DISPOSAL
    assert remembered(State.SUSPENDED, State.HANDLING, State.VOID) is State.HANDLING
    assert remembered(State.FED_BACK, State.HANDLING, State.VERIFIED) is State.HANDLING
    assert remembered(State.FED_BACK, State.HANDLING, State.VOID) is State.FED_BACK
    assert remembered(State.VERIFIED, State.HANDLING, State.CLOSED) is State.HANDLING
    assert remembered(State.HANDLING, None, State.FILED) is None
    walk = Walk()
    walk.act(RESIDENT, Action.WITHDRAW, reason="mistaken")
    assert stage_of(walk.case) is Stage.DISCOVERY
    assert set(CYCLE) == set(State)

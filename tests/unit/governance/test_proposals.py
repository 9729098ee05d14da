"""Asked for by one, decided by another: any row of the table, the same way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.governance.acts import Actor, Around, CaseRef, Inputs, Other, Post, Request
from services.governance.case import count_of, evolve, live_clock, offers, pending
from services.governance.case.model import Case
from services.governance.case.proposals import comes_to
from services.governance.cycle import Action, ClockKind, ClosedKind, Flag, Role, State, Urgency
from services.governance.errors import (
    IllegalTransition,
    InvalidInput,
    LimitReached,
    MissingInput,
    NotPermitted,
    SeparationOfDuties,
    TooLate,
    UnknownCondition,
    UnknownRequest,
    Unsettled,
)
from tests.support.governance import (
    CHIEF,
    CHIEF2,
    CITY_OFFICE,
    CLERK,
    COMMITTEE,
    COMMUNITY_SECRETARY,
    COVER,
    DISTRICT,
    HOME,
    LEAD,
    LEADER,
    LITTER,
    ONLY_CLERK,
    PHOTO,
    PROPERTY,
    SECRETARY,
    STALL,
    STREET,
    VERIFIER,
    WORKER,
    Walk,
    at,
    person,
    report,
    to_community,
    to_dispatched,
    to_fed_back,
    to_filed,
    to_handling,
    to_street,
)

ONLY_DISPATCHER = person("paiqian", Post(Role.DISPATCHER))


def last(walk: Walk) -> Request:
    return walk.case.requests[-1]


def offered(walk: Walk, actor: Actor) -> dict[Action, bool]:
    """Action → whether it is only asked for."""
    return {offer.action: offer.ask for offer in offers(walk.case, actor, walk.book, walk.now)}


def answered(walk: Walk) -> Walk:
    to_street(walk).act(CLERK, Action.ANSWER)
    return walk


# --- one mechanism ---------------------------------------------------------------------------------------------------
def test_a_clerk_proposes_filing_and_the_chief_files_with_the_clerks_inputs() -> None:
    walk = answered(Walk())
    assert offered(walk, ONLY_CLERK)[Action.FILE]
    facts = walk.act(ONLY_CLERK, Action.FILE, condition="litter.heap", urgency=Urgency.LONG_TERM)
    assert [f.kind for f in facts] == ["case.proposed"]
    assert facts[0].reason == "file"
    assert [(t.post, t.code) for t in facts[0].tell] == [("DC", STREET)]
    asked = last(walk)
    assert (asked.kind, asked.status, asked.deciders) == (Action.FILE, "pending", (Role.DUTY_CHIEF,))
    assert asked.inputs == Inputs(condition="litter.heap", urgency=Urgency.LONG_TERM)
    assert walk.case.state is State.AT_STREET
    assert walk.clock(ClockKind.FILE).running_since is not None, "a request stops no clock"
    facts = walk.act(CHIEF, Action.APPROVE)
    assert [(f.kind, f.action, f.actor.account) for f in facts] == [("case.filed", Action.APPROVE, "zhiban")]
    assert (walk.case.state, walk.case.condition) == (State.FILED, "litter.heap")
    assert walk.case.urgency is Urgency.LONG_TERM
    assert (last(walk).status, [a.account for a in last(walk).approvals]) == ("approved", ["zhiban"])
    assert ("IC", "") in [(t.post, t.code) for t in facts[0].tell], "the asker is told"


def test_words_stay_with_who_took_them() -> None:
    walk = answered(Walk())
    walk.act(ONLY_CLERK, Action.NOT_FILE, reason="not_street_matter", note="go to the owners' meeting")
    assert last(walk).inputs == Inputs(reason="not_street_matter")
    walk.act(CHIEF, Action.APPROVE)
    assert (walk.case.state, walk.facts[-1].reason) == (State.NOT_FILED, "not_street_matter")


def test_what_cannot_be_done_now_cannot_be_asked_for() -> None:
    walk = answered(Walk())
    with pytest.raises(UnknownCondition):
        walk.act(ONLY_CLERK, Action.FILE, condition="stall")
    with pytest.raises(MissingInput):
        walk.act(ONLY_CLERK, Action.FILE)
    assert walk.case.requests == ()
    supervised = to_handling(Walk())
    with pytest.raises(InvalidInput):
        supervised.act(ONLY_DISPATCHER, Action.SUPERVISE, note="x", until=supervised.now)


def test_the_same_is_not_asked_twice_at_a_time_and_again_after_a_denial() -> None:
    walk = answered(Walk())
    walk.act(ONLY_CLERK, Action.FILE, condition="litter")
    with pytest.raises(Unsettled):
        walk.act(ONLY_CLERK, Action.FILE, condition="litter")
    assert Action.FILE not in offered(walk, ONLY_CLERK)
    assert not offered(walk, CHIEF)[Action.FILE], "who decides may do it himself"
    walk.act(CHIEF, Action.DENY, note="look again")
    assert walk.facts[-1].reason == "file"
    assert [(t.post, t.code) for t in walk.facts[-1].tell] == [("IC", STREET)]
    walk.act(ONLY_CLERK, Action.FILE, condition="litter")
    assert [r.status for r in walk.case.requests] == ["denied", "pending"]
    assert len({r.request_id for r in walk.case.requests}) == 2


def test_the_same_act_again_asks_nothing_new() -> None:
    walk = answered(Walk())
    walk.act(ONLY_CLERK, Action.FILE, op_id="once", condition="litter")
    assert walk.act(ONLY_CLERK, Action.FILE, op_id="once", condition="litter") == ()
    walk.act(CHIEF, Action.APPROVE, op_id="yes")
    assert walk.act(CHIEF, Action.APPROVE, op_id="yes") == ()


def test_a_request_lapses_with_its_state() -> None:
    walk = to_filed(Walk())
    walk.act(LEADER, Action.DISPATCH, lead_unit="zhifa", reason="on_duty")
    walk.act(LEADER, Action.SUPERVISE, note="answer", until=walk.now + timedelta(days=1))
    walk.act(CLERK, Action.DISPATCH, lead_unit="huanwei")
    assert (last(walk).status, pending(walk.case)) == ("lapsed", ())
    assert Action.APPROVE not in offered(walk, ONLY_DISPATCHER)
    with pytest.raises((UnknownRequest, IllegalTransition)):
        walk.act(ONLY_DISPATCHER, Action.APPROVE)


def test_a_request_ends_with_the_case() -> None:
    walk = to_handling(Walk())
    walk.act(CLERK, Action.VOID, reason="test_data", note="x")
    walk.act(LEAD, Action.EXTEND_REQUEST, reason="weather", note="rain")
    walk.act(CHIEF, Action.APPROVE, request=walk.case.requests[0].request_id)
    assert walk.case.state is State.VOID
    assert [r.status for r in sorted(walk.case.requests, key=lambda r: r.request_id)] == ["approved", "withdrawn"]


def test_conditions_are_asked_again_at_approval() -> None:
    walk = to_handling(Walk())
    walk.act(ONLY_DISPATCHER, Action.SUPERVISE, note="hurry", until=walk.now + timedelta(hours=2))
    assert offered(walk, CHIEF)[Action.APPROVE] is False
    walk.later(hours=3)
    assert Action.APPROVE not in offered(walk, CHIEF), "the moment to answer by has passed"
    with pytest.raises(InvalidInput):
        walk.act(CHIEF, Action.APPROVE)
    walk.act(CHIEF, Action.DENY, note="too late now")
    assert last(walk).status == "denied"


def test_nobody_decides_what_he_asked_for_and_only_whose_word_is_awaited() -> None:
    both = person("both", Post(Role.INTAKE_CLERK), Post(Role.DUTY_CHIEF))
    walk = to_handling(Walk())
    walk.act(both, Action.VOID, reason="test_data", note="x")
    with pytest.raises(SeparationOfDuties):
        walk.act(both, Action.APPROVE)
    with pytest.raises(NotPermitted):
        walk.act(LEADER, Action.APPROVE)
    with pytest.raises(NotPermitted):
        walk.act(COMMITTEE, Action.APPROVE)
    walk.act(CHIEF, Action.APPROVE)
    assert walk.case.state is State.VOID


def test_several_requests_must_be_named() -> None:
    walk = to_handling(Walk())
    walk.act(LEAD, Action.EXTEND_REQUEST, reason="weather", note="rain")
    walk.act(CLERK, Action.VOID, reason="test_data", note="x")
    with pytest.raises(MissingInput):
        walk.act(CHIEF, Action.APPROVE)
    with pytest.raises(UnknownRequest):
        walk.act(CHIEF, Action.APPROVE, request="c1:r9")
    walk.act(CHIEF, Action.APPROVE, request=walk.case.requests[0].request_id)
    assert count_of(walk.case, "extensions") == 1


def test_a_request_of_an_earlier_version_is_decided_by_the_row_alone() -> None:
    walk = to_handling(Walk())
    walk.act(LEAD, Action.SUSPEND_REQUEST, reason="funding", note="plan", until=walk.now + timedelta(days=20))
    walk._case = _as_before(walk.case)
    with pytest.raises(NotPermitted):
        walk.act(LEADER, Action.APPROVE)
    walk.act(CHIEF, Action.APPROVE)
    assert walk.case.state is State.SUSPENDED
    assert walk.clock(ClockKind.REVIEW).due_at == walk.now + timedelta(days=20)


def _as_before(case: Case) -> Case:
    bare = replace(case.requests[-1], inputs=None, deciders=())
    return replace(case, requests=(bare,))


def test_replay_gives_the_same_case() -> None:
    walk = answered(Walk())
    walk.act(ONLY_CLERK, Action.FILE, condition="litter")
    walk.act(CHIEF, Action.APPROVE)
    again: Case | None = None
    for fact in walk.facts:
        again = evolve(again, fact)
    assert again == walk.case


# --- who asks whom ---------------------------------------------------------------------------------------------------
def test_a_worker_asks_the_branch_to_call() -> None:
    walk = Walk()
    walk.act(WORKER, Action.CALL_UP, reason="no_means")
    assert (walk.case.state, last(walk).deciders) == (State.REPORTED, (Role.GRID_SECRETARY,))
    walk.act(SECRETARY, Action.APPROVE)
    assert (walk.case.state, walk.facts[-1].reason) == (State.AT_COMMUNITY, "no_means")
    silent = Walk().later(minutes=30)
    assert offered(silent, WORKER)[Action.CALL_UP] is False


def test_a_unit_asks_for_another_class() -> None:
    walk = to_handling(Walk())
    walk.act(LEAD, Action.RECLASSIFY, reason="wrong_class", category=STALL, condition="stall")
    assert set(last(walk).deciders) == {Role.INTAKE_CLERK, Role.DISPATCHER, Role.DUTY_CHIEF}
    before = walk.clock(ClockKind.HANDLING).due_at
    walk.act(CLERK, Action.APPROVE)
    assert walk.case.condition == "stall"
    assert walk.clock(ClockKind.HANDLING).due_at != before


def test_a_leader_asks_for_another_unit_and_the_dispatcher_decides() -> None:
    walk = to_handling(Walk())
    walk.act(LEADER, Action.REDISPATCH, lead_unit="zhifa", reason="on_duty")
    walk.act(ONLY_DISPATCHER, Action.APPROVE)
    assert (walk.case.lead, walk.facts[-1].kind) == ("zhifa", "case.redispatched")


def test_a_dispatcher_proposes_the_ruling() -> None:
    walk = to_dispatched(Walk())
    returned = {"reason": "not_our_duty", "note": "x", "suggested_unit": "zhifa"}
    walk.act(LEAD, Action.RETURN, **returned)
    walk.act(CLERK, Action.DISPATCH, lead_unit="huanwei")
    walk.act(LEAD, Action.RETURN, **returned)
    walk.act(ONLY_DISPATCHER, Action.RULE, lead_unit="zhifa", note="duty list 3.2")
    assert last(walk).deciders == (Role.DUTY_CHIEF,)
    walk.act(CHIEF, Action.APPROVE)
    assert (walk.case.state, walk.case.lead, walk.facts[-1].actor.account) == (State.DISPATCHED, "zhifa", "zhiban")


def test_handed_over_three_times_a_leader_rules() -> None:
    walk = to_dispatched(Walk())
    returned = {"reason": "not_our_duty", "note": "x", "suggested_unit": "zhifa"}
    walk.act(LEAD, Action.RETURN, **returned)
    walk.act(CLERK, Action.DISPATCH, lead_unit="zhifa", reason="on_duty")
    walk.act(CLERK, Action.REDISPATCH, lead_unit="huanwei", reason="line_unfit")
    walk.act(LEAD, Action.RETURN, **returned)
    assert walk.case.state is State.DISPUTED
    with pytest.raises(NotPermitted):
        walk.act(CHIEF, Action.RULE, lead_unit="zhifa", note="x")
    walk.act(LEADER, Action.RULE, lead_unit="zhifa", note="x")
    assert walk.case.lead == "zhifa"


def test_a_street_unit_asks_to_be_let_off_a_member_unit_just_says_no() -> None:
    walk = to_handling(Walk(), co_units=("chengguan", "wuye"))
    assert offered(walk, PROPERTY)[Action.DECLINE_OFFER] is False
    assert offered(walk, CITY_OFFICE)[Action.DECLINE_OFFER] is True
    walk.act(CITY_OFFICE, Action.DECLINE_OFFER, note="no people this week")
    assert all(t.state.value == "doing" for t in walk.case.tasks if t.unit == "chengguan")
    walk.act(ONLY_DISPATCHER, Action.APPROVE)
    assert [t.state.value for t in walk.case.tasks if t.unit == "chengguan"] == ["declined"]
    assert walk.facts[-1].actor.unit is None, "he acts for himself, not for the unit"


def test_a_unit_asks_for_a_conference_and_the_committee_grants_nothing() -> None:
    walk = to_handling(Walk())
    walk.act(LEAD, Action.CALL_CONFERENCE, note="who pays", co_units=("chengguan",))
    assert Role.STREET_COMMITTEE not in last(walk).deciders
    assert Flag.IN_CONFERENCE not in walk.case.flags
    walk.act(ONLY_DISPATCHER, Action.APPROVE)
    assert Flag.IN_CONFERENCE in walk.case.flags


def test_a_visitor_asks_to_close_and_to_reopen() -> None:
    hotline = Walk(report(source="hotline_12345"))
    to_fed_back(hotline).act(WORKER, Action.VERIFY_PASS, means="on_site")
    hotline.act(VERIFIER, Action.VISIT, grade="satisfied")
    hotline.act(VERIFIER, Action.CLOSE)
    hotline.act(CHIEF, Action.APPROVE)
    assert hotline.case.state is State.CLOSED
    hotline.act(VERIFIER, Action.REOPEN, reason="came_back", note="it is back")
    assert hotline.case.state is State.CLOSED
    hotline.act(CHIEF, Action.APPROVE)
    assert (hotline.case.state, hotline.facts[-1].kind) == (State.HANDLING, "case.reopened")


# --- extensions and suspensions where the work is --------------------------------------------------------------------
def test_a_community_asks_for_more_time_for_what_it_handles() -> None:
    walk = to_community(Walk())
    walk.act(COMMUNITY_SECRETARY, Action.ACCEPT)
    before = walk.clock(ClockKind.COMMUNITY_DISPOSAL)
    walk.act(COMMUNITY_SECRETARY, Action.EXTEND_REQUEST, reason="material", note="parts")
    walk.act(ONLY_DISPATCHER, Action.APPROVE)
    after = walk.clock(ClockKind.COMMUNITY_DISPOSAL)
    assert after.original_due == before.due_at < after.due_at
    assert after.budget_s == 2 * before.budget_s
    handled = to_handling(Walk())
    with pytest.raises(NotPermitted):
        handled.act(COMMUNITY_SECRETARY, Action.EXTEND_REQUEST, reason="material", note="not theirs")


def test_a_suspended_community_case_comes_back_to_the_community() -> None:
    walk = to_community(Walk())
    walk.act(COMMUNITY_SECRETARY, Action.ACCEPT)
    left = walk.clock(ClockKind.COMMUNITY_DISPOSAL)
    until = walk.now + timedelta(days=10)
    walk.act(COMMUNITY_SECRETARY, Action.SUSPEND_REQUEST, reason="weather", note="rain", until=until)
    walk.act(CHIEF, Action.APPROVE)
    assert walk.case.state is State.SUSPENDED
    assert live_clock(walk.case, ClockKind.COMMUNITY_DISPOSAL).running_since is None  # type: ignore[union-attr]
    walk.later(days=2)
    with pytest.raises(NotPermitted):
        walk.act(LEAD, Action.RESUME)
    walk.act(COMMUNITY_SECRETARY, Action.RESUME)
    walk.act(CHIEF, Action.APPROVE)
    assert walk.case.state is State.COMMUNITY_HANDLING
    assert walk.clock(ClockKind.COMMUNITY_DISPOSAL).budget_s == left.budget_s


def test_the_district_asks_for_what_it_handles() -> None:
    walk = to_filed(Walk())
    walk.act(ONLY_DISPATCHER, Action.WHISTLE, kind="street_cannot", note="x")
    assert last(walk).deciders == (Role.STREET_LEADER,)
    with pytest.raises(NotPermitted):
        walk.act(CHIEF, Action.APPROVE)
    walk.act(LEADER, Action.APPROVE)
    walk.act(DISTRICT, Action.ANSWER_WHISTLE)
    before = walk.clock(ClockKind.DISTRICT_HANDLING)
    walk.act(DISTRICT, Action.EXTEND_REQUEST, reason="third_party", note="power company")
    walk.act(CHIEF, Action.APPROVE)
    assert walk.clock(ClockKind.DISTRICT_HANDLING).due_at > before.due_at
    long = walk.now + timedelta(days=120)
    walk.act(DISTRICT, Action.SUSPEND_REQUEST, reason="legal_procedure", note="court", until=long)
    assert last(walk).deciders == (Role.STREET_LEADER,)
    walk.act(LEADER, Action.APPROVE)
    walk.act(CHIEF, Action.RESUME)
    assert walk.case.state is State.DISTRICT_HANDLING


def test_an_extension_is_asked_in_time_and_may_be_granted_late() -> None:
    walk = to_handling(Walk())
    walk.act(LEAD, Action.EXTEND_REQUEST, reason="weather", note="rain")
    walk.now = walk.clock(ClockKind.HANDLING).due_at + timedelta(minutes=1)
    walk.act(ONLY_DISPATCHER, Action.APPROVE)
    assert walk.clock(ClockKind.HANDLING).due_at > walk.now
    late = to_handling(Walk())
    late.now = late.clock(ClockKind.HANDLING).due_at + timedelta(minutes=1)
    with pytest.raises(TooLate):
        late.act(LEAD, Action.EXTEND_REQUEST, reason="weather", note="rain")


# --- the whistle -----------------------------------------------------------------------------------------------------
def test_in_danger_the_chief_whistles_himself_but_only_for_an_emergency_and_only_once() -> None:
    walk = Walk(report(COVER, danger=True))
    walk.act(CLERK, Action.ANSWER)
    walk.act(CHIEF, Action.FILE, condition="cover.gone")
    assert offered(walk, CHIEF)[Action.WHISTLE] is False
    walk.act(CHIEF, Action.WHISTLE, kind="street_cannot", note="x")
    assert (walk.case.state, last(walk).status) == (State.FILED, "pending")
    walk.act(LEADER, Action.DENY, note="try first")
    walk.act(CHIEF, Action.WHISTLE, kind="emergency", note="x")
    assert walk.case.state is State.AT_DISTRICT
    assert ("SL", STREET) in [(t.post, t.code) for t in walk.facts[-1].tell]
    walk.act(DISTRICT, Action.REFUSE, note="not ours")
    walk.act(CHIEF, Action.WHISTLE, kind="emergency", note="again")
    assert walk.case.state is State.FILED, "a leader signs the second"
    walk.act(LEADER, Action.APPROVE)
    walk.act(DISTRICT, Action.REFUSE, note="still not ours")
    with pytest.raises(LimitReached):
        walk.act(CHIEF, Action.WHISTLE, kind="emergency", note="third")


# --- appeals ---------------------------------------------------------------------------------------------------------
def test_a_community_appeals_for_its_own_and_two_look_at_it() -> None:
    walk = to_community(Walk())
    walk.act(COMMUNITY_SECRETARY, Action.ACCEPT)
    walk.until("2026-03-12 09:00")
    walk.act(COMMUNITY_SECRETARY, Action.FEEDBACK, note="done", close_condition_met=True, evidence=PHOTO)
    walk.act(WORKER, Action.VERIFY_PASS, means="on_site")
    assert walk.case.closed_as is ClosedKind.OVERDUE
    with pytest.raises(NotPermitted):
        walk.act(LEAD, Action.APPEAL_OVERDUE, reason="weather", note="not ours")
    walk.act(COMMUNITY_SECRETARY, Action.APPEAL_OVERDUE, reason="third_party", note="x")
    with pytest.raises(NotPermitted):
        walk.act(ONLY_CLERK, Action.APPROVE)
    walk.act(ONLY_DISPATCHER, Action.APPROVE)
    assert (last(walk).status, last(walk).deciders) == ("pending", (Role.INTAKE_CLERK,))
    with pytest.raises(NotPermitted):
        walk.act(ONLY_DISPATCHER, Action.APPROVE)
    walk.act(ONLY_CLERK, Action.APPROVE)
    assert Flag.OVERDUE_EXEMPT in walk.case.flags
    with pytest.raises(LimitReached):
        walk.act(COMMUNITY_SECRETARY, Action.APPEAL_OVERDUE, reason="weather", note="again")


def test_two_chiefs_void() -> None:
    walk = to_filed(Walk(report(when=at("2026-03-06 09:00"))))
    walk.act(CHIEF, Action.VOID, reason="test_data", note="x")
    with pytest.raises(SeparationOfDuties):
        walk.act(CHIEF, Action.APPROVE)
    walk.act(CHIEF2, Action.APPROVE)
    assert walk.case.state is State.VOID


# --- the small print of asking and deciding --------------------------------------------------------------------------
def test_a_request_refers_to_no_other() -> None:
    walk = answered(Walk())
    walk.act(ONLY_CLERK, Action.FILE, condition="litter", request="c1:r7")
    assert last(walk).inputs == Inputs(condition="litter")


@pytest.mark.parametrize("action", [Action.EXTEND_REQUEST, Action.SUSPEND_REQUEST])
def test_a_request_of_an_earlier_version_is_offered_and_keeps_its_reason(action: Action) -> None:
    walk = to_handling(Walk())
    walk.act(LEAD, action, reason="third_party", note="x", until=walk.now + timedelta(days=20))
    walk._case = _as_before(walk.case)
    assert offered(walk, CHIEF)[Action.APPROVE] is False
    assert walk.act(CHIEF, Action.APPROVE)[0].reason == "third_party"


def test_a_whistle_of_an_earlier_version_keeps_its_kind() -> None:
    walk = to_filed(Walk())
    walk.act(CHIEF, Action.WHISTLE, kind="joint_enforcement", note="x")
    walk._case = _as_before(walk.case)
    assert walk.act(LEADER, Action.APPROVE)[0].reason == "joint_enforcement"


def test_an_approval_comes_to_what_it_approves() -> None:
    walk = to_handling(Walk())
    walk.act(LEAD, Action.EXTEND_REQUEST, reason="weather", note="rain")
    walk.act(CLERK, Action.VOID, reason="test_data", note="x")
    extension, voiding = (Inputs(reason="weather"), Inputs(reason="test_data"))
    named = Inputs(request=walk.case.requests[1].request_id)
    assert comes_to(walk.case, Action.APPROVE, Inputs()) == (Action.EXTEND_REQUEST, extension)
    assert comes_to(walk.case, Action.APPROVE, named) == (Action.VOID, voiding)
    assert comes_to(walk.case, Action.DENY, named) == (Action.DENY, named)
    unknown = Inputs(request="c1:r9")
    assert comes_to(walk.case, Action.APPROVE, unknown) == (Action.APPROVE, unknown)


def test_a_merge_that_is_asked_for_is_offered_before_the_other_case_is_looked_at() -> None:
    for category, danger in ((LITTER, False), (COVER, True)):
        walk = Walk(report(category, danger=danger))
        master = Other(CaseRef("c2", "NO2"), State.HANDLING, STREET, Urgency.CRITICAL, history=False, closed_at=None)
        walk.around = Around(master=master)
        walk.act(SECRETARY, Action.MERGE, master="NO2", reason="same_matter")
        assert offered(walk, CLERK)[Action.APPROVE] is False
        walk.act(CLERK, Action.APPROVE)
        assert walk.case.master == CaseRef("c2", "NO2")


def test_another_place_that_is_asked_for_is_offered_before_it_is_looked_up() -> None:
    moved = replace(HOME, cell=STREET + "001002")
    walk = to_handling(Walk(around=Around(place=moved)))
    walk.act(LEAD, Action.RECLASSIFY, reason="wrong_place", cell=moved.cell)
    assert offered(walk, CHIEF)[Action.APPROVE] is False
    walk.act(CHIEF, Action.APPROVE)
    assert walk.case.spot == moved


def test_reopening_that_is_asked_for_is_offered_to_who_may() -> None:
    walk = to_fed_back(Walk())
    walk.act(WORKER, Action.VERIFY_PASS, means="on_site")
    walk.later(days=8).act(VERIFIER, Action.REOPEN, reason="came_back", note="it is back")
    assert offered(walk, CHIEF)[Action.APPROVE] is False


def test_who_holds_two_posts_decides_by_the_one_whose_word_is_awaited() -> None:
    both = person("both", Post(Role.DISPATCHER), Post(Role.DUTY_CHIEF))
    walk = to_handling(Walk())
    for wanted in (
        Role.DISPATCHER,
        Role.DUTY_CHIEF,
    ):  # the second is the chief's alone
        walk.act(LEAD, Action.EXTEND_REQUEST, reason="weather", note="rain")
        walk.act(both, Action.APPROVE)
        assert walk.facts[-1].actor.role is wanted


def test_a_request_whose_row_is_gone_cannot_be_decided() -> None:
    walk = to_handling(Walk())
    walk.act(LEAD, Action.EXTEND_REQUEST, reason="weather", note="rain")
    walk._case = replace(walk.case, state=State.FILED)
    with pytest.raises(UnknownRequest) as refused:
        walk.act(CHIEF, Action.APPROVE)
    assert refused.value.params["request"] == "c1:r1"

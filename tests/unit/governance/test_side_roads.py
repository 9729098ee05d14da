"""What leaves the main road: sending down, confirming, refusing, returning, ruling, requests, whistles, reopening."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.governance.acts import Archive, Around, Neighbour, Post, Spot
from services.governance.case import count_of, live_clock, offers, pending
from services.governance.cycle import Action, ClockKind, ClosedKind, Flag, Intent, Role, State, Tier, Urgency
from services.governance.errors import (
    GovernanceError,
    IllegalTransition,
    InvalidInput,
    LimitReached,
    MissingInput,
    NotPermitted,
    NotYet,
    SeparationOfDuties,
    TooLate,
    UnknownCondition,
    UnknownUnit,
    Unsettled,
    UrgentCase,
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
    ENFORCERS,
    LEAD,
    LEADER,
    LITTER,
    ONLY_CLERK,
    PHOTO,
    PLAIN,
    PROPERTY,
    QUARREL,
    RESIDENT,
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

RETURN = {"reason": "not_our_duty", "note": "duty list 3.2", "suggested_unit": "zhifa"}


# --- grid and community ----------------------------------------------------------------------------------------------
def test_a_worker_calls_only_when_the_branch_is_silent() -> None:
    walk = Walk()
    assert not next(o for o in offers(walk.case, SECRETARY, walk.book, walk.now) if o.action is Action.CALL_UP).ask
    assert next(o for o in offers(walk.case, WORKER, walk.book, walk.now) if o.action is Action.CALL_UP).ask
    walk.later(minutes=30).act(WORKER, Action.CALL_UP, reason="no_means")
    assert walk.case.state is State.AT_COMMUNITY


def test_a_secretarys_report_can_call_at_once() -> None:
    assert Walk(report(call_now=True)).case.state is State.AT_COMMUNITY
    assert Walk(report(in_grid=True)).case.state is State.GRID_HANDLING
    assert Walk(report(in_grid=True, danger=True)).case.state is State.AT_STREET


def test_without_a_branch_the_community_holds_it_and_without_a_community_the_street() -> None:
    nobody = Walk(around=Around(grid_has_branch=False))
    assert nobody.case.state is State.AT_COMMUNITY
    assert nobody.facts[-1].rule is not None
    bare = Walk(report(None, spot=Spot("441802001")))
    assert bare.case.state is State.AT_STREET
    assert Flag.NO_RULE in bare.case.flags


def test_sent_down_once_per_edge_and_never_in_danger() -> None:
    walk = to_community(Walk())
    walk.act(COMMUNITY_SECRETARY, Action.SEND_DOWN, reason="lower_tier_duty")
    assert (walk.case.state, walk.case.tier) == (State.REPORTED, Tier.GRID)
    walk.act(SECRETARY, Action.CALL_UP, reason="no_means")
    with pytest.raises(LimitReached):
        walk.act(COMMUNITY_SECRETARY, Action.SEND_DOWN, reason="lower_tier_duty")
    urgent = Walk(report(COVER, danger=True))
    with pytest.raises(UrgentCase):
        urgent.act(CLERK, Action.SEND_DOWN, reason="lower_tier_duty")


def test_nothing_found_closes_with_evidence() -> None:
    walk = to_community(Walk())
    with pytest.raises(MissingInput):
        walk.act(COMMUNITY_SECRETARY, Action.UNFOUNDED, note="nothing there")
    walk.act(COMMUNITY_SECRETARY, Action.UNFOUNDED, note="nothing there", evidence=PHOTO)
    assert walk.case.closed_as is ClosedKind.UNFOUNDED


def test_asking_for_more_pauses_the_stage_and_not_the_whole_case() -> None:
    walk = to_community(Walk())
    walk.later(minutes=30).act(COMMUNITY_SECRETARY, Action.ASK_MORE, note="which building?")
    assert walk.clock(ClockKind.COMMUNITY_RESPONSE).state.value == "paused"
    assert walk.clock(ClockKind.WHOLE).state.value == "running"
    walk.later(hours=3).act(WORKER, Action.ADD_INFO, note="no. 3")
    response = walk.clock(ClockKind.COMMUNITY_RESPONSE)
    assert response.due_at == walk.book.calendar.add(walk.now, 5400)
    assert Flag.AWAITING_MORE not in walk.case.flags


def test_unanswered_the_stage_clock_runs_on() -> None:
    walk = to_community(Walk())
    walk.act(COMMUNITY_SECRETARY, Action.ASK_MORE, note="which building?")
    (resumed,) = walk.fire(ClockKind.MORE)
    assert resumed.kind == "case.resumed"
    assert walk.clock(ClockKind.COMMUNITY_RESPONSE).state.value == "running"


# --- the street ------------------------------------------------------------------------------------------------------
def test_confirming_on_site_pauses_intake() -> None:
    walk = to_street(Walk())
    walk.act(CLERK, Action.CONFIRM_REQUEST, note="is it there?")
    assert walk.case.state is State.CONFIRMING
    assert walk.clock(ClockKind.STREET_ANSWER).state.value == "paused"
    walk.later(minutes=40).act(WORKER, Action.CONFIRM_DONE, note="yes", evidence=PHOTO)
    assert walk.case.state is State.AT_STREET
    assert walk.clock(ClockKind.STREET_ANSWER).due_at == walk.book.calendar.add(walk.now, 3600)


def test_declined_called_once_more_then_the_duty_chief_decides() -> None:
    walk = to_street(Walk())
    whole = walk.clock(ClockKind.WHOLE)
    walk.act(CLERK, Action.DECLINE, reason="not_street_matter", note="try the water company")
    assert (walk.case.state, walk.case.closed_as) == (State.NOT_FILED, ClosedKind.DECLINED)
    walk.later(minutes=20).act(COMMUNITY_SECRETARY, Action.CALL_UP, note="it is on our list")
    assert walk.case.state is State.AT_STREET
    assert walk.case.closed_as is None
    assert walk.clock(ClockKind.WHOLE).due_at == whole.due_at
    with pytest.raises(NotPermitted):
        walk.act(ONLY_CLERK, Action.DECLINE, reason="not_street_matter", note="x")
    walk.act(CHIEF, Action.DECLINE, reason="not_street_matter", note="x")
    with pytest.raises(LimitReached):
        walk.act(COMMUNITY_SECRETARY, Action.CALL_UP, note="again")


def test_not_filed_by_the_duty_chief_ends_it() -> None:
    walk = to_street(Walk())
    walk.act(CHIEF, Action.NOT_FILE, reason="court_or_petition", note="x")
    assert walk.case.state is State.NOT_FILED
    with pytest.raises(TooLate):
        walk.act(COMMUNITY_SECRETARY, Action.CALL_UP, note="again")


def test_reclassified_dues_count_from_the_original_start() -> None:
    walk = to_handling(Walk())
    start = walk.clock(ClockKind.HANDLING).started_at
    walk.later(hours=1).act(CHIEF, Action.RECLASSIFY, reason="wrong_class", condition="litter.heap")
    handling = walk.clock(ClockKind.HANDLING)
    assert handling.due_at == walk.book.calendar.add(start, 5 * 8 * 3600)
    assert handling.started_at == start
    assert handling.rev == 2


def test_reclassified_to_danger_goes_to_the_street_in_the_same_commit() -> None:
    walk = Walk()
    facts = walk.act(SECRETARY, Action.RECLASSIFY, reason="danger_changed", urgency=Urgency.URGENT)
    assert [f.kind for f in facts] == ["case.reclassified", "case.called"]
    assert walk.case.state is State.AT_STREET


def test_a_condition_of_another_category_is_refused() -> None:
    with pytest.raises(UnknownCondition):
        to_street(Walk()).act(CHIEF, Action.FILE, condition="stall")
    with pytest.raises(UnknownUnit):
        to_filed(Walk()).act(CLERK, Action.DISPATCH, lead_unit="nobody", reason="on_duty")
    with pytest.raises(InvalidInput):
        to_filed(Walk()).act(CLERK, Action.DISPATCH, lead_unit="huanwei", reason="because")


def test_returned_once_to_the_dispatcher_twice_to_a_ruling() -> None:
    walk = to_dispatched(Walk())
    handling = walk.clock(ClockKind.HANDLING)
    walk.act(LEAD, Action.RETURN, **RETURN)
    assert walk.case.state is State.FILED
    assert walk.case.lead is None
    assert walk.clock(ClockKind.HANDLING) == handling
    walk.later(minutes=10).act(CLERK, Action.DISPATCH, lead_unit="zhifa", reason="line_unfit")
    assert walk.clock(ClockKind.HANDLING) == handling
    walk.act(ENFORCERS, Action.RETURN, **{**RETURN, "suggested_unit": "huanwei"})
    assert walk.case.state is State.DISPUTED
    walk.act(CHIEF, Action.RULE, lead_unit="huanwei", note="on their list")
    assert (walk.case.state, walk.case.lead) == (State.DISPATCHED, "huanwei")
    with pytest.raises(LimitReached):
        walk.act(LEAD, Action.RETURN, **RETURN)
    assert count_of(walk.case, "returns") == 2
    assert count_of(walk.case, "hand_overs") == 3
    assert walk.clock(ClockKind.HANDLING) == handling


BACK = {"reason": "wrong_class", "note": "no litter, a shop's goods"}


def to_returned(walk: Walk) -> Walk:
    to_dispatched(walk).later(minutes=10).act(LEAD, Action.RETURN, **RETURN)
    return walk


def test_what_a_unit_returned_the_dispatcher_sends_back_to_intake() -> None:
    walk = to_returned(Walk())
    handling, whole = walk.clock(ClockKind.HANDLING), walk.clock(ClockKind.WHOLE)
    with pytest.raises(NotPermitted):
        walk.act(ONLY_CLERK, Action.SEND_DOWN, **BACK)
    with pytest.raises(MissingInput):
        walk.act(CLERK, Action.SEND_DOWN, reason="wrong_class")
    with pytest.raises(InvalidInput):
        walk.act(CLERK, Action.SEND_DOWN, **{**BACK, "reason": "lower_tier_duty"})
    (back,) = walk.later(minutes=10).act(CLERK, Action.SEND_DOWN, **BACK)
    assert [(told.post, told.code) for told in back.tell] == [(Role.INTAKE_CLERK.value, STREET)]
    assert (walk.case.state, walk.case.tier, walk.case.lead) == (State.AT_STREET, Tier.STREET, None)
    assert live_clock(walk.case, ClockKind.DISPATCH) is None
    assert walk.clock(ClockKind.STREET_ANSWER).started_at == walk.now
    walk.later(minutes=10).act(CHIEF, Action.FILE, condition="litter")
    assert walk.case.state is State.FILED
    assert live_clock(walk.case, ClockKind.STREET_ANSWER) is None
    walk.act(CLERK, Action.DISPATCH, lead_unit="zhifa", reason="on_duty")
    assert (walk.clock(ClockKind.HANDLING), walk.clock(ClockKind.WHOLE)) == (handling, whole), "no time is won by it"


def test_filed_again_as_something_else_counts_from_the_first_filing() -> None:
    walk, straight = to_returned(Walk()), to_returned(Walk())
    walk.later(minutes=50).act(CLERK, Action.SEND_DOWN, **BACK)
    walk.later(minutes=20).act(CHIEF, Action.FILE, condition="litter.heap")
    straight.act(CLERK, Action.RECLASSIFY, reason="wrong_class", condition="litter.heap")
    for kind in (ClockKind.HANDLING, ClockKind.WHOLE):
        assert walk.clock(kind) == straight.clock(kind)
    assert live_clock(walk.case, ClockKind.STREET_ANSWER) is None


def test_filed_again_as_dangerous_leaves_intakes_own_clocks_ended() -> None:
    walk = to_returned(Walk())
    walk.act(CLERK, Action.SEND_DOWN, **BACK)
    walk.later(minutes=5).act(CLERK, Action.ANSWER)
    walk.act(CHIEF, Action.FILE, category=COVER, condition="cover.gone")
    assert walk.clock(ClockKind.HANDLING).basis == "wall"
    assert live_clock(walk.case, ClockKind.FILE) is None
    assert live_clock(walk.case, ClockKind.STREET_ANSWER) is None


def test_filed_again_as_the_same_keeps_what_was_granted() -> None:
    walk = to_handling(Walk())
    walk.act(LEAD, Action.EXTEND_REQUEST, reason="weather", note="rain")
    walk.act(CLERK, Action.APPROVE)
    longer = walk.clock(ClockKind.HANDLING)
    walk.act(CLERK, Action.REDISPATCH, lead_unit="zhifa", reason="on_duty")
    walk.act(ENFORCERS, Action.RETURN, **{**RETURN, "suggested_unit": "huanwei"})
    walk.act(CLERK, Action.SEND_DOWN, **BACK)
    walk.act(CHIEF, Action.FILE, condition="litter")
    assert walk.clock(ClockKind.HANDLING) == longer


def test_what_no_unit_has_returned_is_not_sent_back_to_intake() -> None:
    with pytest.raises(NotPermitted) as refused:
        to_filed(Walk()).act(CLERK, Action.SEND_DOWN, **BACK)
    assert (refused.value.action, refused.value.why) == (Action.SEND_DOWN, "not_returned")


def test_sent_back_to_intake_once_for_each_return() -> None:
    walk = to_returned(Walk())
    walk.act(CLERK, Action.SEND_DOWN, **BACK)
    walk.act(CHIEF, Action.FILE, condition="litter")
    with pytest.raises(LimitReached) as refused:
        walk.act(CLERK, Action.SEND_DOWN, **BACK)
    assert refused.value.what == "send_down"
    assert Action.SEND_DOWN not in {o.action for o in offers(walk.case, CLERK, walk.book, walk.now)}
    walk.act(CLERK, Action.DISPATCH, lead_unit="zhifa", reason="on_duty")
    walk.act(ENFORCERS, Action.RETURN, **{**RETURN, "suggested_unit": "huanwei"})
    walk.act(CHIEF, Action.RULE, lead_unit="huanwei", note="on their list")
    walk.act(LEAD, Action.RESPOND, means="on_site")
    walk.act(CHIEF, Action.WHISTLE, kind="street_cannot", note="we tried")
    walk.act(LEADER, Action.APPROVE)
    walk.act(DISTRICT, Action.REFUSE, reason="street_can", note="written ground")
    walk.act(CLERK, Action.SEND_DOWN, **BACK)
    assert (walk.case.state, count_of(walk.case, "sent_to_intake")) == (State.AT_STREET, 2)


def test_what_was_never_filed_is_not_void_and_what_came_back_may_be() -> None:
    with pytest.raises(NotYet) as refused:
        to_street(Walk()).act(CLERK, Action.VOID, reason="test_data", note="drill")
    assert refused.value.what == "file"
    walk = to_returned(Walk())
    walk.act(CLERK, Action.SEND_DOWN, **BACK)
    walk.act(ONLY_CLERK, Action.VOID, reason="test_data", note="drill")
    walk.act(CHIEF, Action.APPROVE)
    assert walk.case.state is State.VOID
    assert live_clock(walk.case, ClockKind.HANDLING) is None


def test_objecting_has_its_time() -> None:
    walk = to_dispatched(Walk())
    walk.now = walk.clock(ClockKind.RETURN_WINDOW).due_at
    assert Action.RETURN in {o.action for o in offers(walk.case, LEAD, walk.book, walk.now)}
    walk.later(seconds=1)
    with pytest.raises(TooLate):
        walk.act(LEAD, Action.RETURN, **RETURN)


def test_redispatch_leaves_the_handling_clock_running() -> None:
    walk = to_handling(Walk())
    handling = walk.clock(ClockKind.HANDLING)
    with pytest.raises(InvalidInput):
        walk.act(CLERK, Action.REDISPATCH, lead_unit="huanwei", reason="on_duty")
    walk.act(CLERK, Action.REDISPATCH, lead_unit="zhifa", reason="on_duty")
    assert (walk.case.state, walk.case.lead) == (State.DISPATCHED, "zhifa")
    assert walk.clock(ClockKind.HANDLING) == handling
    assert len([t for t in walk.case.tasks if t.kind == "lead" and t.state.value == "doing"]) == 1


# --- who does not check ----------------------------------------------------------------------------------------------
CHECKS = ((Action.VERIFY_PASS, {"means": "on_site"}), (Action.VERIFY_FAIL, {"reason": "not_found_fixed", "note": "x"}))


@pytest.mark.parametrize(("action", "inputs"), CHECKS)
def test_a_refused_check_names_the_check_that_was_tried(action: Action, inputs: dict[str, str]) -> None:
    ways = (("huanwei", Role.VERIFIER, None), ("zhiban", Role.VERIFIER, None), ("other", Role.HANDLING_UNIT, "huanwei"))
    walk, told = to_fed_back(Walk()), []
    for account, role, unit in ways:
        with pytest.raises(SeparationOfDuties) as refused:
            walk.act(person(account, Post(role, unit=unit), Post(Role.VERIFIER)), action, **inputs, evidence=PHOTO)
        told.append((refused.value.action, refused.value.why))
    assert told == [(action, "handler"), (action, "clerk"), (action, "lead_unit")]
    restricted = to_handling(Walk(report(QUARREL)), condition="quarrel")
    restricted.act(LEAD, Action.FEEDBACK, note="heard both", close_condition_met=True)
    with pytest.raises(NotPermitted) as only:
        restricted.act(SECRETARY, action, **inputs, evidence=PHOTO)
    assert (only.value.action, only.value.why) == (action, "verifier_only")


# --- requests --------------------------------------------------------------------------------------------------------
def test_an_extension_is_asked_and_approved_twice_at_most() -> None:
    walk = to_handling(Walk())
    original = walk.clock(ClockKind.HANDLING).due_at
    walk.act(LEAD, Action.EXTEND_REQUEST, reason="weather", note="rain")
    assert walk.clock(ClockKind.HANDLING).due_at == original
    with pytest.raises(NotPermitted):
        walk.act(LEAD, Action.APPROVE)
    walk.act(CLERK, Action.APPROVE)
    longer = walk.clock(ClockKind.HANDLING)
    assert longer.due_at == walk.book.calendar.add(longer.started_at, 8 * 3600)
    assert longer.original_due == original
    walk.act(LEAD, Action.EXTEND_REQUEST, reason="weather", note="rain")
    with pytest.raises(NotPermitted):
        walk.act(CLERK, Action.APPROVE)
    walk.act(CHIEF, Action.APPROVE)
    with pytest.raises(LimitReached):
        walk.act(LEAD, Action.EXTEND_REQUEST, reason="weather", note="rain")


def test_a_denied_request_leaves_the_clock_as_it_was() -> None:
    walk = to_handling(Walk())
    before = walk.clock(ClockKind.HANDLING)
    walk.act(LEAD, Action.EXTEND_REQUEST, reason="weather", note="rain")
    walk.act(CLERK, Action.DENY, note="no")
    assert walk.clock(ClockKind.HANDLING) == before
    assert walk.case.requests[-1].status == "denied"


def test_suspended_until_the_review_date_then_resumed_by_the_machine() -> None:
    walk = to_handling(Walk())
    walk.later(hours=1)
    until = walk.now + timedelta(days=30)
    walk.act(LEAD, Action.SUSPEND_REQUEST, reason="funding", note="next budget", until=until)
    walk.act(CHIEF, Action.APPROVE)
    assert walk.case.state is State.SUSPENDED
    assert walk.clock(ClockKind.HANDLING).state.value == "paused"
    (resumed,) = walk.fire(ClockKind.REVIEW)
    assert resumed.rule is not None
    assert resumed.rule.rule == "resume_review"
    assert walk.case.state is State.HANDLING
    assert walk.clock(ClockKind.HANDLING).due_at == walk.book.calendar.add(until, 3 * 3600)


def test_more_than_ninety_days_need_a_street_leader() -> None:
    walk = to_handling(Walk())
    until = walk.now + timedelta(days=120)
    walk.act(LEAD, Action.SUSPEND_REQUEST, reason="funding", note="x", until=until)
    with pytest.raises(NotPermitted):
        walk.act(CHIEF, Action.APPROVE)
    walk.act(LEADER, Action.APPROVE)
    assert walk.case.state is State.SUSPENDED
    walk.act(CHIEF, Action.RESUME)
    with pytest.raises(LimitReached):
        walk.act(LEAD, Action.SUSPEND_REQUEST, reason="funding", note="x", until=walk.now + timedelta(days=1))


def test_void_takes_two_persons() -> None:
    walk = to_filed(Walk())
    walk.act(CHIEF, Action.VOID, reason="test_data", note="drill")
    with pytest.raises(SeparationOfDuties):
        walk.act(CHIEF, Action.APPROVE)
    walk.act(CHIEF2, Action.APPROVE)
    assert walk.case.state is State.VOID
    assert [r.status for r in walk.case.requests] == ["approved"]


# --- the district ----------------------------------------------------------------------------------------------------
def test_a_whistle_is_asked_signed_answered_and_worked() -> None:
    walk = to_handling(Walk())
    walk.act(CHIEF, Action.WHISTLE, kind="street_cannot", note="we tried")
    assert walk.case.state is State.HANDLING
    with pytest.raises(NotPermitted):
        walk.act(CHIEF, Action.APPROVE)
    (signed,) = walk.act(LEADER, Action.APPROVE)
    assert (signed.kind, signed.intent) == ("case.escalated", Intent.WHISTLE)
    assert (walk.case.state, walk.case.tier) == (State.AT_DISTRICT, Tier.DISTRICT)
    walk.act(DISTRICT, Action.ANSWER_WHISTLE)
    assert walk.case.state is State.DISTRICT_HANDLING
    walk.act(DISTRICT, Action.FEEDBACK, note="done", close_condition_met=True, evidence=PHOTO)
    walk.act(VERIFIER, Action.VERIFY_PASS, means="on_site")
    assert walk.case.state is State.CLOSED


def test_a_refused_whistle_comes_back_to_the_street_and_may_sound_once_more() -> None:
    walk = to_handling(Walk())
    due = walk.clock(ClockKind.HANDLING).due_at
    for _ in range(2):
        walk.act(CHIEF, Action.WHISTLE, kind="street_cannot", note="we tried")
        walk.act(LEADER, Action.APPROVE)
        walk.act(DISTRICT, Action.REFUSE, reason="street_can", note="written ground")
        assert (walk.case.state, walk.case.tier) == (State.FILED, Tier.STREET)
    assert walk.clock(ClockKind.HANDLING).due_at == due
    with pytest.raises(LimitReached):
        walk.act(CHIEF, Action.WHISTLE, kind="street_cannot", note="we tried")


def test_in_danger_the_duty_chief_signs_and_the_leader_is_told() -> None:
    walk = Walk(report(COVER, danger=True))
    walk.act(CLERK, Action.FILE_DISPATCH, condition="cover.gone", lead_unit="chengguan")
    walk.act(CITY_OFFICE, Action.RESPOND, means="on_site")
    (signed,) = walk.act(CHIEF, Action.WHISTLE, kind="emergency", note="gas")
    assert walk.case.state is State.AT_DISTRICT
    assert Role.STREET_LEADER.value in {t.post for t in signed.tell}


# --- beside the road -------------------------------------------------------------------------------------------------
def test_urging_has_a_gap() -> None:
    walk = Walk()
    walk.act(RESIDENT, Action.URGE)
    assert Flag.URGED in walk.case.flags
    with pytest.raises(NotYet):
        walk.later(minutes=10).act(RESIDENT, Action.URGE)
    walk.until("2026-03-06 10:00").act(RESIDENT, Action.URGE)
    assert walk.kinds().count("case.urged") == 2


def test_an_order_to_answer_holds_the_closing() -> None:
    walk = to_fed_back(Walk())
    walk.act(LEADER, Action.SUPERVISE, note="tell me", until=walk.now + timedelta(hours=2))
    walk.act(VERIFIER, Action.VERIFY_PASS, means="on_site")
    assert walk.case.state is State.VERIFIED
    with pytest.raises(Unsettled):
        walk.act(CHIEF, Action.CLOSE)
    walk.act(LEAD, Action.REPLY_SUPERVISION, note="done")
    walk.act(CHIEF, Action.CLOSE)
    assert walk.case.state is State.CLOSED


def test_the_reporter_withdraws_before_dispatch() -> None:
    walk = Walk()
    walk.act(RESIDENT, Action.WITHDRAW, reason="solved_itself")
    assert walk.case.state is State.VOID
    with pytest.raises(IllegalTransition):
        to_dispatched(Walk()).act(RESIDENT, Action.WITHDRAW, reason="mistaken")


def test_reopened_with_a_new_due_time_the_old_result_stays() -> None:
    walk = to_fed_back(Walk())
    walk.act(VERIFIER, Action.VERIFY_PASS, means="on_site")
    old = walk.case.clocks
    walk.later(days=3).act(RESIDENT, Action.REOPEN, reason="came_back", note="again")
    assert (walk.case.state, walk.case.closed_as) == (State.HANDLING, None)
    assert walk.clock(ClockKind.HANDLING).started_at == walk.now
    assert walk.case.clocks[: len(old)] == old
    late = to_fed_back(Walk())
    late.act(VERIFIER, Action.VERIFY_PASS, means="on_site")
    with pytest.raises(TooLate):
        late.later(days=8).act(RESIDENT, Action.REOPEN, reason="came_back", note="again")


def test_reopened_for_another_unit_goes_to_the_dispatcher() -> None:
    walk = to_fed_back(Walk())
    walk.act(VERIFIER, Action.VERIFY_PASS, means="on_site")
    walk.act(CHIEF, Action.REOPEN, reason="not_solved", note="x", kind="other_unit")
    assert (walk.case.state, walk.case.lead) == (State.FILED, None)


def test_co_units_come_and_go() -> None:
    walk = to_handling(Walk(), co_units=("chengguan",))
    walk.act(LEAD, Action.ADD_CO, co_units=("wuye",))
    with pytest.raises(InvalidInput):
        walk.act(LEAD, Action.ADD_CO, co_units=("chengguan",))
    task = walk.case.tasks[1].task_id
    walk.act(LEAD, Action.DROP_CO, task=task, reason="not_needed")
    assert walk.case.tasks[1].state.value == "dropped"
    with pytest.raises(GovernanceError):
        walk.act(CITY_OFFICE, Action.CO_DONE, note="too late")
    walk.act(PROPERTY, Action.DECLINE_OFFER)
    walk.act(LEAD, Action.FEEDBACK, note="x", close_condition_met=True, evidence=PHOTO)


# --- taking the machine's act back -----------------------------------------------------------------------------------
def test_an_automatic_call_is_taken_back_within_ten_minutes() -> None:
    walk = Walk()
    before = walk.clock(ClockKind.GRID_RESPONSE)
    walk.fire(ClockKind.GRID_RESPONSE)
    walk.later(minutes=9).act(SECRETARY, Action.RECALL)
    assert (walk.case.state, walk.case.tier) == (State.REPORTED, Tier.GRID)
    again = walk.clock(ClockKind.GRID_RESPONSE)
    assert (again.due_at, again.started_at) == (before.due_at, before.started_at)
    assert again.rev > before.rev
    assert live_clock(walk.case, ClockKind.COMMUNITY_RESPONSE) is None
    walk.later(hours=5).act(SECRETARY, Action.NOTE, note="looking")
    assert walk.case.state is State.REPORTED


def test_ten_minutes_and_not_after_somebody_has_acted() -> None:
    walk = Walk()
    walk.fire(ClockKind.GRID_RESPONSE)
    with pytest.raises(NotPermitted):
        walk.act(COMMUNITY_SECRETARY, Action.RECALL)
    acted = Walk()
    acted.fire(ClockKind.GRID_RESPONSE)
    acted.act(COMMUNITY_SECRETARY, Action.NOTE, note="on it")
    with pytest.raises(TooLate):
        acted.act(SECRETARY, Action.RECALL)
    with pytest.raises(TooLate):
        walk.later(minutes=11).act(SECRETARY, Action.RECALL)


def test_an_automatic_dispatch_is_taken_back_and_done_by_hand() -> None:
    walk = to_street(Walk(report(PLAIN)))
    walk.act(CLERK, Action.RECALL)
    assert (walk.case.state, walk.case.lead) == (State.AT_STREET, None)
    assert live_clock(walk.case, ClockKind.HANDLING) is None
    walk.act(CLERK, Action.FILE_DISPATCH, condition="litter", lead_unit="zhifa", reason="on_duty")
    assert walk.case.lead == "zhifa"
    assert len({t.task_id for t in walk.case.tasks}) == len(walk.case.tasks)


def test_an_alert_is_taken_back_only_with_the_danger() -> None:
    walk = Walk(report(COVER, danger=True))
    with pytest.raises(MissingInput):
        walk.act(SECRETARY, Action.RECALL)
    walk.act(SECRETARY, Action.RECALL, urgency=Urgency.ORDINARY)
    assert (walk.case.state, walk.case.urgency) == (State.REPORTED, Urgency.ORDINARY)
    assert walk.case.skipped == ()


def test_an_automatic_closing_is_taken_back() -> None:
    walk = to_fed_back(Walk())
    walk.act(VERIFIER, Action.VERIFY_PASS, means="on_site")
    walk.act(CHIEF, Action.RECALL)
    assert (walk.case.state, walk.case.closed_as) == (State.VERIFIED, None)
    walk.act(CHIEF, Action.CLOSE)


def test_a_near_duplicate_stops_the_machine() -> None:
    around = Around(near=(Neighbour("other", State.HANDLING, LITTER),))
    assert to_street(Walk(report(PLAIN), around=around)).case.state is State.AT_STREET


def test_a_member_units_silence_holds_nobody_up() -> None:
    walk = to_handling(Walk(), co_units=("wuye",))
    walk.act(LEAD, Action.FEEDBACK, note="x", close_condition_met=True, evidence=PHOTO)
    assert walk.case.state is State.FED_BACK


def test_a_case_on_the_wall_clock_does_not_wait_for_monday() -> None:
    walk = to_street(Walk(report(STALL, when=at("2026-03-07 19:00"))))
    walk.act(CLERK, Action.FILE_DISPATCH, condition="stall", lead_unit="zhifa")
    assert walk.clock(ClockKind.HANDLING).due_at == walk.now + timedelta(hours=2)
    assert walk.clock(ClockKind.RESPONSE).due_at == walk.now + timedelta(minutes=30)


def test_the_reporter_says_in_his_own_words_why_he_withdraws_and_how_he_found_it() -> None:
    walk = Walk()
    with pytest.raises(MissingInput):
        walk.act(RESIDENT, Action.WITHDRAW)
    walk.act(RESIDENT, Action.WITHDRAW, note="already gone")
    assert walk.case.state is State.VOID
    rated = to_fed_back(Walk())
    rated.act(RESIDENT, Action.SATISFACTION, grade="satisfied")
    assert (rated.facts[-1].kind, rated.case.state) == ("case.visited", State.FED_BACK)


def test_the_districts_evidence_stays_on_its_own_platform() -> None:
    walk = to_handling(Walk())
    walk.act(CHIEF, Action.WHISTLE, kind="street_cannot", note="x")
    walk.act(LEADER, Action.APPROVE)
    walk.act(DISTRICT, Action.ANSWER_WHISTLE)
    walk.act(DISTRICT, Action.FEEDBACK, close_condition_met=True)
    assert walk.case.state is State.FED_BACK


# --- conference and appeal -------------------------------------------------------------------------------------------
def test_a_conference_is_called_once_and_stops_nothing() -> None:
    walk = to_handling(Walk())
    due = walk.clock(ClockKind.HANDLING).due_at
    told = walk.act(COMMITTEE, Action.CALL_CONFERENCE, note="who clears the market", co_units=("chengguan", "wuye"))
    assert {one.code for one in told[-1].tell if one.post == "HU"} == {"chengguan", "wuye"}
    assert Flag.IN_CONFERENCE in walk.case.flags
    assert walk.case.state is State.HANDLING
    assert walk.clock(ClockKind.HANDLING).due_at == due
    with pytest.raises(Unsettled):
        walk.act(CHIEF, Action.CALL_CONFERENCE, note="again", co_units=("wuye",))
    walk.act(LEAD, Action.FEEDBACK, note="cleared", close_condition_met=True, evidence=PHOTO)
    assert Flag.IN_CONFERENCE not in walk.case.flags


def test_a_conference_invites_units_that_exist() -> None:
    with pytest.raises(UnknownUnit):
        to_handling(Walk()).act(CHIEF, Action.CALL_CONFERENCE, note="agenda", co_units=("nobody",))


def late_close() -> Walk:
    walk = to_handling(Walk()).later(days=9)
    walk.act(LEAD, Action.FEEDBACK, note="cleaned", close_condition_met=True, evidence=PHOTO)
    walk.act(VERIFIER, Action.VERIFY_PASS, means="on_site")
    if walk.case.state is State.VERIFIED:
        walk.act(CHIEF, Action.CLOSE)
    return walk


def test_two_review_an_appeal_and_what_was_measured_stays() -> None:
    walk = late_close()
    assert walk.case.closed_as is ClosedKind.OVERDUE
    walk.act(LEAD, Action.APPEAL_OVERDUE, reason="weather", note="typhoon")
    with pytest.raises(NotPermitted):
        walk.act(ONLY_CLERK, Action.APPROVE, note="first")
    walk.act(CLERK, Action.APPROVE, note="so it was")
    assert Flag.OVERDUE_EXEMPT not in walk.case.flags
    with pytest.raises(SeparationOfDuties):
        walk.act(CLERK, Action.APPROVE, note="and once more by myself")
    walk.act(ONLY_CLERK, Action.APPROVE, note="agreed")
    assert Flag.OVERDUE_EXEMPT in walk.case.flags
    assert walk.case.closed_as is ClosedKind.OVERDUE
    with pytest.raises(LimitReached):
        walk.act(LEAD, Action.APPEAL_OVERDUE, reason="weather", note="again")


def test_an_appeal_that_is_refused_is_over() -> None:
    walk = late_close()
    walk.act(LEAD, Action.APPEAL_OVERDUE, reason="third_party", note="the gas company")
    walk.act(CLERK, Action.DENY, note="they came in time")
    assert Flag.OVERDUE_EXEMPT not in walk.case.flags
    assert not pending(walk.case)


def test_nobody_appeals_against_a_close_in_time() -> None:
    walk = Walk()
    to_fed_back(walk).act(VERIFIER, Action.VERIFY_PASS, means="on_site")
    if walk.case.state is State.VERIFIED:
        walk.act(CHIEF, Action.CLOSE)
    assert walk.case.closed_as is ClosedKind.NORMAL
    with pytest.raises(Unsettled):
        walk.act(LEAD, Action.APPEAL_OVERDUE, reason="weather", note="why")


# --- archive ---------------------------------------------------------------------------------------------------------
def test_a_closed_case_is_put_away_when_nobody_can_want_anything_of_it() -> None:
    walk = late_close().later(days=89)
    assert walk.do(Archive()) == ()
    assert walk.later(days=1).do(Archive())[-1].rule is not None
    assert walk.case.state is State.ARCHIVED
    assert walk.do(Archive()) == ()
    assert not offers(walk.case, CHIEF, walk.book, walk.now)


def test_an_open_appeal_keeps_a_case_from_the_archive() -> None:
    walk = late_close()
    walk.act(LEAD, Action.APPEAL_OVERDUE, reason="weather", note="typhoon")
    assert walk.later(days=200).do(Archive()) == ()


# --- another place ---------------------------------------------------------------------------------------------------
ELSEWHERE = Spot(STREET, STREET + "002", STREET + "00201", STREET + "002001")


def test_a_wrong_place_is_corrected_and_its_community_answers() -> None:
    walk = to_community(Walk())
    due = walk.clock(ClockKind.COMMUNITY_RESPONSE).due_at
    walk.around = Around(place=ELSEWHERE)
    walk.act(COMMUNITY_SECRETARY, Action.RECLASSIFY, reason="wrong_place", cell=ELSEWHERE.cell)
    assert walk.case.spot == ELSEWHERE
    assert walk.case.owner is not None
    assert walk.case.owner.code == ELSEWHERE.community
    assert walk.case.tier is Tier.COMMUNITY
    assert walk.clock(ClockKind.COMMUNITY_RESPONSE).due_at == due, "a place moves no due time"


def test_a_place_that_nobody_knows_or_that_lies_in_another_street_is_refused() -> None:
    walk = to_street(Walk())
    with pytest.raises(InvalidInput):
        walk.act(CHIEF, Action.RECLASSIFY, reason="wrong_place", cell="nowhere")
    walk.around = Around(place=Spot("999999999", "999999999001", "99999999900101", "999999999001001"))
    with pytest.raises(InvalidInput):
        walk.act(CHIEF, Action.RECLASSIFY, reason="wrong_place", cell="999999999001001")
    with pytest.raises(MissingInput):
        walk.act(CHIEF, Action.RECLASSIFY, reason="wrong_place")


def test_class_and_place_change_in_one_form() -> None:
    walk = to_street(Walk())
    walk.around = Around(place=ELSEWHERE)
    walk.act(CHIEF, Action.RECLASSIFY, reason="wrong_place", cell=ELSEWHERE.cell, category=STALL)
    assert walk.case.spot == ELSEWHERE
    assert walk.case.category is not None
    assert walk.case.category.code == STALL

"""From the report to the closed case, one test per stretch of the road."""

from __future__ import annotations

import pytest

from services.governance.acts import ActorRef, Around
from services.governance.case import stage_of
from services.governance.cycle import Action, ClockKind, ClosedKind, Flag, Role, Stage, State, Tier, Urgency
from services.governance.errors import (
    CoTasksOpen,
    GovernanceError,
    IllegalTransition,
    MissingInput,
    NotPermitted,
    SeparationOfDuties,
    UnknownTask,
)
from tests.support.governance import (
    CHIEF,
    CITY_OFFICE,
    CLERK,
    COMMUNITY_SECRETARY,
    COVER,
    ENFORCERS,
    LEAD,
    LEADER,
    ONLY_CLERK,
    PHOTO,
    PLAIN,
    PROPERTY,
    SECRETARY,
    STALL,
    VERIFIER,
    WORKER,
    Walk,
    report,
    to_community,
    to_dispatched,
    to_fed_back,
    to_filed,
    to_handling,
    to_street,
)


def test_a_report_stands_with_the_branch_and_its_clocks_run() -> None:
    walk = Walk()
    assert walk.kinds() == ["case.reported"]
    assert walk.case.state is State.REPORTED
    assert walk.case.owner is not None
    assert walk.case.owner.role is Role.GRID_SECRETARY
    assert {c.kind for c in walk.case.clocks} == {ClockKind.WHOLE, ClockKind.GRID_RESPONSE}
    assert walk.case.routed is not None
    assert walk.case.routed.lead == "huanwei"
    assert walk.case.class_proposed


def test_settled_in_the_same_submission() -> None:
    walk = Walk(report(on_the_spot="sao"))
    assert walk.kinds() == ["case.reported", "case.self_resolved"]
    assert walk.case.closed_as is ClosedKind.SELF
    assert dict(walk.case.skipped) == dict.fromkeys(("community_call", "coordination", "response", "disposal"), "grid")
    assert all(c.stopped_at is not None for c in walk.case.clocks)


def test_settled_in_the_grid_step_by_step() -> None:
    walk = Walk()
    walk.act(SECRETARY, Action.SELF_RESOLVE_START)
    assert walk.case.state is State.GRID_HANDLING
    walk.act(WORKER, Action.SELF_RESOLVE_DONE, means="quan", note="talked to the owner")
    assert walk.case.state is State.CLOSED
    assert walk.facts[-1].reason == "quan"


def test_the_whole_road_to_closed() -> None:
    walk = Walk()
    to_fed_back(walk)
    walk.act(VERIFIER, Action.VERIFY_PASS, means="on_site")
    assert walk.kinds() == [
        "case.reported",
        "case.called",
        "case.called",
        "case.answered",
        "case.filed",
        "case.dispatched",
        "case.responded",
        "case.fed_back",
        "case.verified",
        "case.closed",
    ]
    assert walk.case.state is State.CLOSED
    assert walk.case.closed_as is ClosedKind.NORMAL
    assert walk.facts[-1].actor.account is None
    assert walk.facts[-1].rule is not None
    assert walk.facts[-1].rule.rule == "auto_close"
    assert not [c for c in walk.case.clocks if c.stopped_at is None]


def test_each_stretch_shows_its_stage() -> None:
    walk = Walk()
    seen = [stage_of(walk.case)]
    for actor, action, inputs in (
        (SECRETARY, Action.CALL_UP, {"reason": "no_means"}),
        (COMMUNITY_SECRETARY, Action.CALL_UP, {"reason": "no_means", "note": "x"}),
        (CHIEF, Action.FILE, {"condition": "litter"}),
        (CLERK, Action.DISPATCH, {"lead_unit": "huanwei"}),
        (LEAD, Action.RESPOND, {"means": "phone"}),
        (LEAD, Action.FEEDBACK, {"note": "x", "close_condition_met": True, "evidence": PHOTO}),
        (VERIFIER, Action.VERIFY_PASS, {"means": "on_site"}),
    ):
        walk.act(actor, action, **inputs)
        seen.append(stage_of(walk.case))
    assert seen == [
        Stage.DISCOVERY,
        Stage.COMMUNITY_CALL,
        Stage.COORDINATION,
        Stage.COORDINATION,
        Stage.RESPONSE,
        Stage.DISPOSAL,
        Stage.CLOSING,
        Stage.CLOSING,
    ]


def test_two_silent_tiers_are_called_up_in_turn() -> None:
    walk = Walk()
    (called,) = walk.fire(ClockKind.GRID_RESPONSE)
    assert walk.case.state is State.AT_COMMUNITY
    assert (called.action, called.rule and called.rule.rule) == (Action.AUTO_CALL_UP, "auto_call_up_t0")
    (called,) = walk.fire(ClockKind.COMMUNITY_RESPONSE)
    assert walk.case.state is State.AT_STREET
    assert called.rule is not None
    assert called.rule.rule == "auto_call_up_t1"
    assert walk.case.tier is Tier.STREET


def test_an_answered_call_is_not_called_up() -> None:
    walk = to_community(Walk())
    due = walk.clock(ClockKind.COMMUNITY_RESPONSE).due_at
    walk.act(COMMUNITY_SECRETARY, Action.ANSWER)
    assert Flag.ANSWERED in walk.case.flags
    walk.now = due
    walk.later(minutes=5).act(COMMUNITY_SECRETARY, Action.NOTE, note="on the way")
    assert walk.case.state is State.AT_COMMUNITY


def test_danger_stands_at_the_street_at_once_and_all_are_told() -> None:
    walk = Walk(report(COVER, danger=True))
    assert walk.kinds() == ["case.reported", "case.called"]
    assert walk.case.state is State.AT_STREET
    assert walk.case.urgency is Urgency.URGENT
    assert walk.case.condition == "cover.gone"
    assert dict(walk.case.skipped) == {"community_call": "direct"}
    told = {(t.post, t.code) for t in walk.facts[-1].tell}
    assert {"GS", "CS", "IC", "DC"} <= {post for post, _ in told}
    assert walk.facts[-1].rule is not None
    assert walk.facts[-1].rule.rule == "alert_u01"


def test_a_direct_call_is_the_reporters_own() -> None:
    walk = Walk(report(None, life=True, direct=True))
    assert walk.facts[-1].action is Action.CALL_UP_DIRECT
    assert walk.facts[-1].actor.account == "wangge01"
    assert walk.case.urgency is Urgency.CRITICAL
    assert walk.case.condition == "danger"


def test_a_fast_clock_is_no_danger() -> None:
    walk = Walk(report(STALL))
    assert walk.case.state is State.REPORTED
    assert walk.case.urgency is Urgency.ORDINARY


def test_the_community_settles_with_co_tasks_of_its_own() -> None:
    walk = to_community(Walk())
    walk.act(COMMUNITY_SECRETARY, Action.ACCEPT, co_units=("chengguan", "wuye"))
    assert walk.case.state is State.COMMUNITY_HANDLING
    with pytest.raises(CoTasksOpen) as refused:
        walk.act(COMMUNITY_SECRETARY, Action.FEEDBACK, note="x", close_condition_met=True, evidence=PHOTO)
    assert refused.value.units == ("chengguan",)
    walk.act(CITY_OFFICE, Action.CO_DONE, note="done")
    walk.act(PROPERTY, Action.DECLINE_OFFER)
    walk.act(COMMUNITY_SECRETARY, Action.FEEDBACK, note="x", close_condition_met=True, evidence=PHOTO)
    assert walk.case.state is State.FED_BACK
    assert dict(walk.case.skipped) == dict.fromkeys(("coordination", "response", "disposal"), "community")
    with pytest.raises(SeparationOfDuties):
        walk.act(COMMUNITY_SECRETARY, Action.VERIFY_PASS, means="on_site")
    walk.act(WORKER, Action.VERIFY_PASS, means="on_site")
    assert walk.case.state is State.CLOSED


def test_what_a_member_unit_has_promised_is_waited_for() -> None:
    walk = to_community(Walk())
    walk.act(COMMUNITY_SECRETARY, Action.ACCEPT, co_units=("wuye",))
    walk.act(PROPERTY, Action.CLAIM, note="two people on Saturday")
    with pytest.raises(CoTasksOpen):
        walk.act(COMMUNITY_SECRETARY, Action.FEEDBACK, note="x", close_condition_met=True, evidence=PHOTO)
    with pytest.raises(UnknownTask):
        walk.act(PROPERTY, Action.DECLINE_OFFER)
    walk.act(PROPERTY, Action.CO_DONE, note="done")
    walk.act(COMMUNITY_SECRETARY, Action.FEEDBACK, note="x", close_condition_met=True, evidence=PHOTO)
    assert walk.case.state is State.FED_BACK


def test_the_street_answers_then_files() -> None:
    walk = to_street(Walk())
    walk.act(CLERK, Action.ANSWER)
    assert walk.case.state is State.AT_STREET
    assert walk.clock(ClockKind.FILE)
    with pytest.raises(NotPermitted):
        walk.act(LEADER, Action.FILE, condition="litter")
    with pytest.raises(MissingInput):
        walk.act(CHIEF, Action.FILE)
    walk.act(CHIEF, Action.FILE, condition="litter")
    whole = walk.clock(ClockKind.WHOLE)
    assert whole.due_at == walk.book.calendar.add(walk.now, 4 * 3600)
    assert not walk.case.class_proposed


def test_who_holds_both_posts_files_and_dispatches_in_one_form() -> None:
    walk = to_street(Walk())
    facts = walk.act(CLERK, Action.FILE_DISPATCH, condition="litter", lead_unit="huanwei")
    assert [f.kind for f in facts] == ["case.filed", "case.dispatched"]
    assert walk.case.state is State.DISPATCHED
    other = to_street(Walk())
    with pytest.raises(NotPermitted):
        other.act(ONLY_CLERK, Action.FILE_DISPATCH, condition="litter", lead_unit="huanwei")


def test_one_line_and_a_staff_reporter_are_dispatched_by_the_machine() -> None:
    walk = to_street(Walk(report(PLAIN)))
    assert walk.kinds()[-2:] == ["case.filed", "case.dispatched"]
    assert walk.case.lead == "huanwei"
    assert {f.rule.rule for f in walk.facts[-2:] if f.rule} == {"auto_dispatch"}


@pytest.mark.parametrize("change", [{"staff": False}, {"imported_unit": "zhifa"}, {"category": "litter"}])
def test_the_machine_leaves_what_is_not_plain_to_a_person(change: dict[str, object]) -> None:
    command = report() if "category" in change else report(PLAIN, **change)
    assert to_street(Walk(command)).case.state is State.AT_STREET


def test_a_lead_beside_the_catalogue_needs_a_reason() -> None:
    walk = to_filed(Walk())
    with pytest.raises(MissingInput):
        walk.act(CLERK, Action.DISPATCH, lead_unit="zhifa")
    walk.act(CLERK, Action.DISPATCH, lead_unit="zhifa", co_units=("chengguan",), reason="line_unfit")
    assert walk.case.lead == "zhifa"
    assert [t.kind for t in walk.case.tasks] == ["lead", "co"]
    assert walk.clock(ClockKind.CO_TASK).due_at <= walk.clock(ClockKind.HANDLING).due_at


def test_signing_stops_no_clock_and_responding_exactly_one() -> None:
    walk = to_dispatched(Walk())
    before = walk.case.clocks
    walk.act(LEAD, Action.SIGN)
    assert walk.case.clocks == before
    assert Flag.SIGNED in walk.case.flags
    walk.act(LEAD, Action.RESPOND, means="phone")
    changed = [c.kind for c, old in zip(walk.case.clocks, before, strict=True) if c != old]
    assert changed == [ClockKind.RESPONSE]
    assert walk.case.state is State.HANDLING


def test_the_return_window_ends_with_a_signature_by_the_machine() -> None:
    walk = to_dispatched(Walk())
    (signed,) = walk.fire(ClockKind.RETURN_WINDOW)
    assert signed.action is Action.AUTO_SIGN
    assert Flag.SIGNED in walk.case.flags
    assert walk.case.state is State.DISPATCHED


def test_feedback_waits_for_co_tasks_until_done_or_waived() -> None:
    walk = to_handling(Walk(), co_units=("chengguan", "zhifa"))
    with pytest.raises(CoTasksOpen) as refused:
        walk.act(LEAD, Action.FEEDBACK, note="x", close_condition_met=True, evidence=PHOTO)
    assert refused.value.params == {"n": 2, "units": ("chengguan", "zhifa")}
    walk.act(CITY_OFFICE, Action.CO_DONE, note="done")
    task = next(t.task_id for t in walk.case.tasks if t.unit == "zhifa")
    with pytest.raises(NotPermitted):
        walk.act(CLERK, Action.WAIVE, task=task, reason="not_needed")
    walk.act(CHIEF, Action.WAIVE, task=task, reason="not_needed")
    walk.act(LEAD, Action.FEEDBACK, note="x", close_condition_met=True, evidence=PHOTO)
    assert walk.case.state is State.FED_BACK
    assert [c.kind for c in walk.case.clocks if c.stopped_at is None] == [ClockKind.WHOLE, ClockKind.VERIFY]


def test_a_close_condition_that_asks_for_evidence_gets_it() -> None:
    walk = to_handling(Walk())
    with pytest.raises(MissingInput):
        walk.act(LEAD, Action.FEEDBACK, note="x", close_condition_met=True)


def test_a_failed_check_gives_what_remained_but_two_hours_at_least() -> None:
    walk = Walk()
    to_handling(walk).later(minutes=30)
    used = walk.clock(ClockKind.HANDLING)
    walk.act(LEAD, Action.FEEDBACK, note="x", close_condition_met=True, evidence=PHOTO)
    walk.later(minutes=60).act(VERIFIER, Action.VERIFY_FAIL, reason="not_found_fixed", note="x", evidence=PHOTO)
    handling = walk.clock(ClockKind.HANDLING)
    assert walk.case.state is State.HANDLING
    assert Flag.REWORK in walk.case.flags
    assert handling.due_at == walk.book.calendar.add(walk.now, 4 * 3600 - 1800)
    assert handling.original_due == used.original_due
    assert handling.rev == used.rev + 1

    late = Walk()
    to_handling(late).until("2026-03-06 15:30")
    late.act(LEAD, Action.FEEDBACK, note="x", close_condition_met=True, evidence=PHOTO)
    late.act(VERIFIER, Action.VERIFY_FAIL, reason="not_found_fixed", note="x", evidence=PHOTO)
    assert late.clock(ClockKind.HANDLING).due_at == late.book.calendar.add(late.now, 2 * 3600)


def test_no_handler_checks_his_own_work() -> None:
    walk = to_fed_back(Walk())
    with pytest.raises(GovernanceError):
        walk.act(LEAD, Action.VERIFY_PASS, means="on_site")
    assert walk.case.state is State.FED_BACK


def test_danger_is_checked_by_the_verifier_alone() -> None:
    walk = Walk(report(COVER, danger=True))
    walk.act(CLERK, Action.FILE_DISPATCH, condition="cover.gone", lead_unit="chengguan")
    walk.act(CITY_OFFICE, Action.RESPOND, means="on_site")
    walk.act(CITY_OFFICE, Action.FEEDBACK, note="x", close_condition_met=True)
    with pytest.raises(NotPermitted):
        walk.act(WORKER, Action.VERIFY_PASS, means="on_site")
    walk.act(VERIFIER, Action.VERIFY_PASS, means="on_site")
    assert walk.case.state is State.CLOSED


def test_a_source_with_visits_closes_after_the_visit() -> None:
    walk = to_fed_back(Walk(report(source="hotline_12345")))
    walk.act(VERIFIER, Action.VERIFY_PASS, means="on_site")
    assert walk.case.state is State.VERIFIED
    with pytest.raises(GovernanceError, match="unsettled"):
        walk.act(CHIEF, Action.CLOSE)
    walk.act(VERIFIER, Action.VISIT, grade="satisfied")
    walk.act(CHIEF, Action.CLOSE)
    assert walk.case.state is State.CLOSED


def test_a_check_task_goes_to_the_next_of_the_chain() -> None:
    around = Around(verifier=ActorRef("wangge09", Role.GRID_WORKER))
    walk = to_fed_back(Walk(around=around))
    assert [t.person for t in walk.case.tasks if t.kind == "verify"] == ["wangge09"]
    assert walk.facts[-1].rule is not None
    assert walk.facts[-1].rule.rule == "check_task"


def test_an_illegal_act_names_the_state_and_what_could_be_done() -> None:
    walk = to_dispatched(Walk())
    before = walk.case
    with pytest.raises(IllegalTransition) as refused:
        walk.act(CHIEF, Action.CLOSE)
    assert refused.value.state is State.DISPATCHED
    assert Action.REDISPATCH in refused.value.allowed
    assert walk.case == before


def test_a_foreign_unit_may_not() -> None:
    with pytest.raises(NotPermitted):
        to_dispatched(Walk()).act(ENFORCERS, Action.RESPOND, means="phone")


def test_the_same_act_again_changes_nothing() -> None:
    walk = Walk()
    walk.act(SECRETARY, Action.CALL_UP, op_id="k", reason="no_means")
    assert walk.act(SECRETARY, Action.CALL_UP, op_id="k", reason="no_means") == ()

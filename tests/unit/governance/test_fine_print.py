"""The small conditions of single rows: questions, conferences, visits, samples, who may not check."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.governance.acts import Post
from services.governance.case import offers
from services.governance.case.closing import tries
from services.governance.cycle import Action, ClockKind, ClosedKind, Flag, Role, State
from services.governance.errors import (
    InvalidInput,
    MissingInput,
    NotPermitted,
    NotYet,
    SeparationOfDuties,
    TooLate,
    Unsettled,
)
from tests.support.governance import (
    CHIEF,
    CITY_OFFICE,
    CLERK,
    COMMITTEE,
    COMMUNITY_SECRETARY,
    LEAD,
    PHOTO,
    RESIDENT,
    SECRETARY,
    VERIFIER,
    WORKER,
    Walk,
    at,
    person,
    report,
    rulebook,
    to_community,
    to_dispatched,
    to_fed_back,
    to_handling,
    to_street,
)


# --- the reporter is asked -------------------------------------------------------------------------------------------
def test_a_question_stands_beside_all_clocks_until_the_reporter_answers() -> None:
    walk = to_handling(Walk())
    before = walk.case.clocks
    with pytest.raises(TooLate):
        walk.act(RESIDENT, Action.ANSWER_QUESTION, note="nobody asked")
    with pytest.raises(MissingInput):
        walk.act(LEAD, Action.ASK_REPORTER)
    walk.act(LEAD, Action.ASK_REPORTER, note="which side of the road?")
    assert Flag.ASKED_REPORTER in walk.case.flags
    assert [(t.post, t.code) for t in walk.facts[-1].tell] == [("caller", "")]
    walk.act(CHIEF, Action.ASK_REPORTER, note="and since when?")
    with pytest.raises(NotPermitted):
        walk.act(SECRETARY, Action.ANSWER_QUESTION, note="not hers to say")
    walk.act(RESIDENT, Action.ANSWER_QUESTION, note="the north side")
    assert Flag.ASKED_REPORTER not in walk.case.flags
    assert walk.case.clocks == before
    assert walk.case.state is State.HANDLING


def test_an_unanswered_question_ends_with_the_case() -> None:
    walk = to_street(Walk())
    walk.act(CLERK, Action.ASK_REPORTER, note="where?")
    walk.act(CLERK, Action.DECLINE, reason="not_enough_to_go_on", note="call again with the place")
    assert Flag.ASKED_REPORTER not in walk.case.flags


# --- conferences -----------------------------------------------------------------------------------------------------
def in_conference() -> Walk:
    walk = to_handling(Walk())
    walk.act(CLERK, Action.CALL_CONFERENCE, note="who pays", co_units=("chengguan",))
    return walk


def test_a_conference_ends_with_what_came_of_it() -> None:
    walk = in_conference()
    until = walk.now + timedelta(days=3)
    with pytest.raises(MissingInput) as missing:
        walk.act(COMMITTEE, Action.HOLD_CONFERENCE, reason="decided", note="chengguan pays", until=until)
    assert missing.value.field == "co_units"
    with pytest.raises(MissingInput) as missing:
        walk.act(COMMITTEE, Action.HOLD_CONFERENCE, reason="decided", note="x", co_units=("chengguan",))
    assert missing.value.field == "until"
    with pytest.raises(InvalidInput):
        walk.act(COMMITTEE, Action.HOLD_CONFERENCE, reason="decided", note="x", co_units=("chengguan",), until=walk.now)
    clocks = walk.case.clocks
    walk.act(COMMITTEE, Action.HOLD_CONFERENCE, reason="decided", note="x", co_units=("chengguan",), until=until)
    assert Flag.IN_CONFERENCE not in walk.case.flags
    assert walk.case.clocks == clocks
    assert not [t for t in walk.case.tasks if t.unit == "chengguan"], "it advises: work is given by who may give it"
    assert ("HU", "chengguan") in [(t.post, t.code) for t in walk.facts[-1].tell]
    with pytest.raises(TooLate):
        walk.act(COMMITTEE, Action.HOLD_CONFERENCE, reason="no_agreement", note="x")


def test_a_matter_carried_over_can_be_called_again() -> None:
    walk = in_conference()
    with pytest.raises(Unsettled):
        walk.act(CLERK, Action.CALL_CONFERENCE, note="again", co_units=("chengguan",))
    walk.act(CHIEF, Action.HOLD_CONFERENCE, reason="carried_over", note="no quorum")
    walk.act(CLERK, Action.CALL_CONFERENCE, note="again", co_units=("chengguan",))
    assert Flag.IN_CONFERENCE in walk.case.flags


# --- who does not check ----------------------------------------------------------------------------------------------
def test_who_took_it_in_does_not_check_it() -> None:
    both = person("both", Post(Role.INTAKE_CLERK), Post(Role.VERIFIER))
    walk = to_street(Walk())
    walk.act(both, Action.ANSWER)
    walk.act(CHIEF, Action.FILE, condition="litter")
    walk.act(CLERK, Action.DISPATCH, lead_unit="huanwei")
    walk.act(LEAD, Action.RESPOND, means="on_site")
    walk.act(LEAD, Action.FEEDBACK, note="done", close_condition_met=True, evidence=PHOTO)
    assert walk.case.clerks == {"both", "zhiban"}
    with pytest.raises(SeparationOfDuties) as refused:
        walk.act(both, Action.VERIFY_PASS, means="on_site")
    assert refused.value.params["why"] == "clerk"
    walk.act(VERIFIER, Action.VERIFY_PASS, means="on_site")


def test_who_filed_may_close_and_somebody_looks_again() -> None:
    hotline = Walk(report(source="hotline_12345"))
    to_fed_back(hotline).act(WORKER, Action.VERIFY_PASS, means="on_site")
    hotline.act(VERIFIER, Action.VISIT, grade="satisfied")
    other = replace(CHIEF, account="zhiban3")
    by_other = hotline.act(other, Action.CLOSE, op_id="c")
    assert by_other
    assert Flag.AUDIT_SAMPLE not in hotline.case.flags
    again = Walk(report(source="hotline_12345"))
    to_fed_back(again).act(WORKER, Action.VERIFY_PASS, means="on_site")
    again.act(VERIFIER, Action.VISIT, grade="satisfied")
    again.act(CHIEF, Action.CLOSE)
    assert Flag.AUDIT_SAMPLE in again.case.flags
    assert again.case.closed_as is ClosedKind.NORMAL


def test_a_share_of_what_grid_and_community_end_is_looked_at_again() -> None:
    def ended(case_id: str, percent: int) -> bool:
        book = rulebook(settings=replace(rulebook().settings, audit_percent=percent))
        walk = Walk(report(case_id=case_id), book)
        walk.act(WORKER, Action.SELF_RESOLVE_START)
        walk.act(WORKER, Action.SELF_RESOLVE_DONE, means="sao", note="swept")
        return Flag.AUDIT_SAMPLE in walk.case.flags

    sampled = [ended(f"c{n}", 10) for n in range(400)]
    assert 20 <= sum(sampled) <= 60
    assert sampled == [ended(f"c{n}", 10) for n in range(400)], "always the same for a case"
    assert not any(ended(f"c{n}", 0) for n in range(50))
    walk = to_community(Walk(book=rulebook(settings=replace(rulebook().settings, audit_percent=100))))
    walk.act(COMMUNITY_SECRETARY, Action.UNFOUNDED, note="nothing there", evidence=PHOTO)
    assert Flag.AUDIT_SAMPLE in walk.case.flags


# --- visits and reopening --------------------------------------------------------------------------------------------
def to_visit() -> Walk:
    walk = Walk(report(source="hotline_12345"))
    to_fed_back(walk).act(WORKER, Action.VERIFY_PASS, means="on_site")
    return walk


def test_nobody_reached_counts_as_a_visit_at_the_third_hour() -> None:
    walk = to_visit().until("2026-03-09 09:10")
    walk.act(VERIFIER, Action.VISIT, grade="not_reached")
    assert walk.clock(ClockKind.VISIT)
    with pytest.raises(NotYet):
        walk.later(minutes=30).act(VERIFIER, Action.VISIT, grade="not_reached")
    visit = next(o for o in offers(walk.case, VERIFIER, walk.book, walk.now) if o.action is Action.VISIT)
    assert "not_reached" not in next(i for i in visit.inputs if i.name == "grade").choices
    walk.until("2026-03-09 11:00").act(VERIFIER, Action.VISIT, grade="not_reached")
    assert len(tries(walk.case)) == 2
    with pytest.raises(Unsettled):
        walk.act(CHIEF, Action.CLOSE)
    walk.until("2026-03-09 15:00").act(VERIFIER, Action.VISIT, grade="not_reached")
    assert walk.clock(ClockKind.CLOSE)
    walk.act(CHIEF, Action.CLOSE)
    assert walk.case.state is State.CLOSED


def test_reached_at_the_second_try() -> None:
    walk = to_visit().until("2026-03-09 09:10")
    walk.act(VERIFIER, Action.VISIT, grade="not_reached")
    walk.later(hours=2).act(VERIFIER, Action.VISIT, grade="dissatisfied")
    assert walk.clock(ClockKind.CLOSE)


def test_the_reporter_has_seven_days_to_reopen_the_chief_longer() -> None:
    walk = to_fed_back(Walk())
    walk.act(WORKER, Action.VERIFY_PASS, means="on_site")
    assert walk.case.state is State.CLOSED
    walk.later(days=8)
    with pytest.raises(TooLate):
        walk.act(RESIDENT, Action.REOPEN, reason="came_back", note="again")
    walk.act(CHIEF, Action.REOPEN, reason="came_back", note="seen on a round")
    assert walk.case.state is State.HANDLING


# --- orders and hand-overs -------------------------------------------------------------------------------------------
def test_an_order_says_of_which_kind_it_is() -> None:
    walk = to_handling(Walk())
    walk.act(CHIEF, Action.SUPERVISE, note="x", until=walk.now + timedelta(days=1), kind="timeout")
    assert walk.facts[-1].reason == "timeout"


def test_handed_over_three_times_it_is_hard() -> None:
    walk = to_dispatched(Walk(report(when=at("2026-03-06 09:00"))))
    walk.act(CLERK, Action.REDISPATCH, lead_unit="zhifa", reason="line_unfit")
    assert Flag.HARD not in walk.case.flags
    walk.act(CLERK, Action.REDISPATCH, lead_unit="chengguan", reason="line_unfit")
    assert Flag.HARD in walk.case.flags
    walk.act(CITY_OFFICE, Action.RESPOND, means="on_site")
    assert Flag.HARD in walk.case.flags, "it stays so"

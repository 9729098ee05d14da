"""What lateness does: it raises who must look, and moves nobody but by an automatic call."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from services.governance.acts import AttachPhoto, Fact, TimerFired
from services.governance.case import decide, next_point
from services.governance.cycle import Action, ClockKind, ClosedKind, Flag, Intent, MachineRule, State
from tests.support.governance import (
    BOOK,
    CHIEF,
    CLERK,
    COMMUNITY_SECRETARY,
    COVER,
    HEAP,
    LEAD,
    PHOTO,
    SECRETARY,
    VERIFIER,
    Walk,
    at,
    report,
    rulebook,
    to_handling,
    to_street,
)


def by_handling(facts: tuple[Fact, ...]) -> list[str]:
    """The kinds of those facts that the handling clock made."""
    assert all(f.rule is not None and f.actor.account is None for f in facts)
    return [str(f.kind) for f in facts if f.reason == "handling"]


def test_handling_late_raises_attention_step_by_step_and_the_owner_stays() -> None:
    walk = to_handling(Walk())
    owner = walk.case.owner
    assert by_handling(walk.fire(ClockKind.HANDLING, 1)) == ["case.reminded"]
    assert Flag.DUE_SOON in walk.case.flags
    assert by_handling(walk.fire(ClockKind.HANDLING, 2)) == ["case.overdue"]
    assert {Flag.OVERDUE, Flag.URGED} <= walk.case.flags
    assert by_handling(walk.fire(ClockKind.HANDLING, 3)) == ["case.choice_forced"]
    assert Flag.FORCED_CHOICE in walk.case.flags
    assert by_handling(walk.fire(ClockKind.HANDLING, 4)) == ["case.choice_forced"]
    assert (walk.case.owner, walk.case.state) == (owner, State.HANDLING)


def test_the_platform_hears_only_of_marked_categories() -> None:
    walk = to_handling(Walk(report(HEAP)), condition="litter.heap")
    told = walk.fire(ClockKind.HANDLING, 4)
    assert told[-1].kind == "case.escalated"
    assert told[-1].intent is Intent.NOTICE
    assert Flag.PLATFORM_NOTICED in walk.case.flags
    assert walk.case.lead == "huanwei"


def test_a_late_case_is_closed_as_overdue() -> None:
    walk = to_handling(Walk())
    walk.fire(ClockKind.HANDLING, 2)
    walk.later(seconds=1).act(LEAD, Action.FEEDBACK, note="x", close_condition_met=True, evidence=PHOTO)
    assert Flag.OVERDUE in walk.case.flags
    walk.act(VERIFIER, Action.VERIFY_PASS, means="on_site")
    assert walk.case.closed_as is ClosedKind.OVERDUE


def test_a_late_stage_leaves_no_mark_once_the_case_moves_on() -> None:
    street = to_street(Walk())
    street.fire(ClockKind.STREET_ANSWER)
    assert Flag.OVERDUE in street.case.flags
    street.act(CLERK, Action.FILE_DISPATCH, condition="litter.heap", lead_unit="huanwei")
    assert Flag.OVERDUE not in street.case.flags


def test_an_act_after_the_due_time_does_not_erase_the_breach() -> None:
    walk = to_handling(Walk())
    walk.now = walk.clock(ClockKind.HANDLING).due_at + timedelta(milliseconds=5)
    facts = walk.act(LEAD, Action.FEEDBACK, note="x", close_condition_met=True, evidence=PHOTO)
    assert [f.kind for f in facts][-1] == "case.fed_back"
    assert "case.overdue" in [f.kind for f in facts]


def test_an_act_exactly_at_the_due_time_is_in_time() -> None:
    walk = to_handling(Walk())
    walk.now = walk.clock(ClockKind.HANDLING).due_at
    facts = walk.act(LEAD, Action.FEEDBACK, note="x", close_condition_met=True, evidence=PHOTO)
    assert "case.overdue" not in [f.kind for f in facts]


def test_whoever_came_first_the_case_is_the_same() -> None:
    first, second = Walk(), Walk()
    first.fire(ClockKind.GRID_RESPONSE)
    first.later(milliseconds=5).act(COMMUNITY_SECRETARY, Action.ANSWER, op_id="a")
    second.now = first.now
    second.act(COMMUNITY_SECRETARY, Action.ANSWER, op_id="a")
    assert first.case == second.case
    assert first.facts == second.facts


def test_a_machine_act_done_late_counts_from_when_it_was_done() -> None:
    """After an outage the community still has its whole time."""
    walk = Walk()
    walk.now = walk.clock(ClockKind.GRID_RESPONSE).due_at + timedelta(hours=3)
    walk.act(COMMUNITY_SECRETARY, Action.NOTE, note="x")
    assert walk.case.state is State.AT_COMMUNITY
    assert walk.clock(ClockKind.COMMUNITY_RESPONSE).started_at == walk.now


def test_an_outdated_timer_changes_nothing() -> None:
    walk = Walk()
    clock = walk.clock(ClockKind.GRID_RESPONSE)
    walk.now = clock.due_at + timedelta(hours=9)
    stale = TimerFired(clock.clock_id, clock.rev - 1, 0, clock.due_at)
    assert walk.do(stale) == ()
    assert walk.do(TimerFired("no-such-clock", 1, 0, clock.due_at)) == ()
    walk.act(COMMUNITY_SECRETARY, Action.NOTE, note="x")
    assert walk.do(TimerFired(clock.clock_id, clock.rev, 0, clock.due_at)) == ()


def test_a_timer_fires_once() -> None:
    walk = to_handling(Walk())
    walk.fire(ClockKind.HANDLING, 1)
    clock = walk.clock(ClockKind.HANDLING)
    assert walk.do(TimerFired(clock.clock_id, clock.rev, 1, clock.rungs[0].at)) == ()


def test_a_timer_that_is_early_by_a_clock_is_believed() -> None:
    walk = Walk()
    clock = walk.clock(ClockKind.GRID_RESPONSE)
    walk.now = clock.due_at - timedelta(milliseconds=1)
    assert walk.do(TimerFired(clock.clock_id, clock.rev, 0, clock.due_at))


def test_rules_switched_off_leave_it_to_people() -> None:
    quiet = rulebook(machine=frozenset(MachineRule) - {MachineRule.CALL_UP_GRID, MachineRule.CLOSE})
    walk = Walk(book=quiet)
    walk.fire(ClockKind.GRID_RESPONSE)
    assert walk.case.state is State.REPORTED
    assert Flag.OVERDUE in walk.case.flags
    walk.act(SECRETARY, Action.CALL_UP, reason="no_means")


def test_the_next_unit_is_made_ready_and_the_lead_stays() -> None:
    walk = Walk(report(COVER, danger=True))
    walk.act(CLERK, Action.FILE_DISPATCH, condition="cover.gone", lead_unit="chengguan")
    alerted = walk.fire(ClockKind.RESPONSE, 1)
    assert ("HU", "zhifa") in {(t.post, t.code) for f in alerted for t in f.tell}
    assert walk.case.lead == "chengguan"


def test_a_photo_arrives_once() -> None:
    walk = Walk()
    assert [f.kind for f in walk.do(AttachPhoto("r1", "p1"))] == ["case.report_attached"]
    assert walk.do(AttachPhoto("r1", "p1")) == ()
    assert walk.case.photos == ("p1",)
    version = walk.case.version
    walk.do(AttachPhoto("r1", "p2"))
    assert (walk.case.version, walk.case.sequence) == (version, 3)


def test_more_reports_of_a_matter_join_its_case() -> None:
    walk = Walk()
    walk.do(report(report_id="r2"))
    assert walk.case.reports == ("r1", "r2")
    assert walk.do(report(report_id="r2")) == ()


def test_nothing_is_due_on_a_fresh_case() -> None:
    walk = Walk()
    assert next_point(walk.case, walk.now) is None
    assert decide(walk.case, AttachPhoto("r1", "p9"), BOOK, at("2026-03-06 09:01"))[0].kind == "case.report_attached"


# --- what a rulebook has changed meanwhile ---------------------------------------------------------------------------
def test_a_point_that_the_ladder_no_longer_has_is_acted_on_and_told_to_nobody() -> None:
    walk = to_handling(Walk())
    ladder = BOOK.ladders[ClockKind.HANDLING]
    walk.book = rulebook(ladders={**BOOK.ladders, ClockKind.HANDLING: replace(ladder, steps=ladder.steps[:2])})
    reminded, overdue = (walk.fire(ClockKind.HANDLING, rung)[-1] for rung in (1, 2))
    assert ([t.post for t in reminded.tell], overdue.tell) == (["owner"], ())
    assert Flag.OVERDUE in walk.case.flags


def test_without_a_line_no_next_unit_is_made_ready() -> None:
    walk = Walk(report(COVER, danger=True))
    walk.act(CHIEF, Action.FILE, condition="cover.gone")
    walk.act(CLERK, Action.DISPATCH, lead_unit="chengguan")
    walk.book = rulebook(catalogue=())
    (told,) = walk.fire(ClockKind.RESPONSE, 1)[-1:]
    assert (told.kind, told.reason) == ("case.reminded", "response")
    assert [t.post for t in told.tell] == []


def test_a_call_counts_from_its_moment_unless_it_comes_later_than_the_rulebook_bears() -> None:
    for late, begins in ((60, "10:00:00"), (61, "10:01:01")):
        walk = Walk().until("2026-03-06 10:00").later(seconds=late)
        walk.act(CHIEF, Action.NOTE, note="seen")
        assert f"{BOOK.calendar.local(walk.clock(ClockKind.COMMUNITY_RESPONSE).started_at):%H:%M:%S}" == begins

"""What is late is never forgotten: the last step of a ladder comes again for as long as its clock runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from schemas.cases import dump_case, dump_fact, load_case, load_fact
from schemas.rulebook import load_rulebook
from services.governance import sla
from services.governance.acts import Around, Clock, ClockState, Rung
from services.governance.cycle import Action, ClockKind, Flag, Intent, MachineRule, State
from services.governance.rulebook import Rulebook
from services.governance.tiers import AGAIN, NEXT_POST, Ladder, LadderStep, RungAct
from services.governance.worktime import Budget, LimitUnit
from tests.support.governance import (
    BOOK,
    CHIEF,
    DISTRICT,
    HEAP,
    LEAD,
    LEADER,
    Walk,
    report,
    rulebook,
    to_filed,
    to_handling,
)

ROOT = Path(__file__).resolve().parents[3]
DAY = Budget(1, LimitUnit.NATURAL_DAY)


def _book(*last: LadderStep, kind: ClockKind = ClockKind.HANDLING, **changes: object) -> Rulebook:
    """The ladder of a clock without its last step, and these instead."""
    steps = BOOK.ladders[kind].steps[:-1]
    return rulebook(ladders={**BOOK.ladders, kind: Ladder(kind, (*steps, *last))}, **changes)


THREE = Budget(3, LimitUnit.WORK_DAY)
_FORCED = LadderStep(RungAct.FORCE_CHOICE, 200, plus=THREE, every=DAY, tell=("duty_chief",))
_SUPERVISED = LadderStep(RungAct.SUPERVISE, 200, plus=THREE, every=DAY, tell=("leader_in_charge",))


def pending(clock: Clock) -> list[Rung]:
    return [rung for rung in clock.rungs if rung.rung not in clock.fired]


def test_the_last_step_comes_again_and_again_until_somebody_acts() -> None:
    walk = to_handling(Walk(book=_book(_FORCED)))
    for rung in range(1, 5):
        walk.fire(ClockKind.HANDLING, rung)
    for again in range(1, 4):
        clock = walk.clock(ClockKind.HANDLING)
        (next_one,) = pending(clock)
        assert next_one.rung == 4 + again * AGAIN
        assert next_one.at - clock.rungs[3].at == timedelta(days=again)
        (told,) = [f for f in walk.fire(ClockKind.HANDLING, next_one.rung) if f.reason == "handling"]
        assert (told.kind, [t.post for t in told.tell]) == ("case.choice_forced", ["duty_chief"])
        assert len(walk.clock(ClockKind.HANDLING).rungs) == 5  # what has passed of it is not carried along
    walk.act(LEAD, Action.FEEDBACK, evidence=("e1",), note="done", close_condition_met=True)
    stopped = next(c for c in walk.case.clocks if c.kind is ClockKind.HANDLING)
    assert stopped.state is ClockState.STOPPED


def test_what_was_missed_of_it_is_told_once_and_goes_on_from_now() -> None:
    walk = to_handling(Walk(book=_book(_FORCED)))
    walk.fire(ClockKind.HANDLING, 4)
    (first,) = pending(walk.clock(ClockKind.HANDLING))
    walk.now = first.at + timedelta(days=30, hours=1)
    before = len(walk.facts)
    walk.act(CHIEF, Action.NOTE, note="seen")
    told = [f for f in walk.facts[before:] if f.reason == "handling"]
    assert [f.kind for f in told] == ["case.choice_forced"]
    (following,) = pending(walk.clock(ClockKind.HANDLING))
    assert following.at == walk.now + timedelta(days=1)


def test_a_pause_or_a_longer_limit_does_not_end_it() -> None:
    walk = to_handling(Walk(book=_book(_FORCED)))
    walk.fire(ClockKind.HANDLING, 4)
    clock = walk.clock(ClockKind.HANDLING)
    paused = sla.pause(clock, walk.now, BOOK.calendar)
    resumed = sla.resume(paused, walk.now + timedelta(days=3), walk.book, walk.case.urgency)
    longer = sla.extend(clock, 3600, walk.book, walk.case.urgency)
    for changed in (resumed, longer):
        (following,) = pending(changed)
        assert following.rung == 4 + AGAIN
        assert following.at > walk.now


def test_a_step_that_fires_anew_comes_again_anew_under_the_new_revision() -> None:
    walk = to_handling(Walk(book=_book(replace(_FORCED, again=True))))
    walk.fire(ClockKind.HANDLING, 4)
    walk.fire(ClockKind.HANDLING, 4 + AGAIN)
    longer = sla.extend(walk.clock(ClockKind.HANDLING), 36_000, walk.book, walk.case.urgency)
    assert 4 not in longer.fired
    rung = next(r for r in longer.rungs if r.rung == 4)
    acted = sla.act_on(longer, rung, rung.at, walk.book)
    assert longer.rev == walk.clock(ClockKind.HANDLING).rev + 1
    assert [r.rung for r in pending(acted)] == [4 + AGAIN]


def test_without_the_machines_call_the_tier_is_asked_again() -> None:
    kind = ClockKind.GRID_RESPONSE
    steps = (LadderStep(RungAct.CALL_UP, every=DAY, tell=("branch_secretary",)),)
    quiet = rulebook(
        machine=frozenset(MachineRule) - {MachineRule.CALL_UP_GRID},
        ladders={**BOOK.ladders, kind: Ladder(kind, steps)},
    )
    walk = Walk(book=quiet)
    walk.fire(kind)
    (told,) = [f for f in walk.fire(kind, AGAIN) if f.reason == kind]
    assert (told.kind, walk.case.state) == ("case.choice_forced", State.REPORTED)


def test_twice_late_is_supervised_by_the_machine_and_owes_an_answer() -> None:
    walk = to_handling(Walk(book=_book(_SUPERVISED)))
    (told,) = walk.fire(ClockKind.HANDLING, 4)[-1:]
    assert (told.kind, told.reason, told.actor.account) == ("case.supervised", "timeout", None)
    assert [t.post for t in told.tell] == ["leader_in_charge", "owner"]
    assert Flag.SUPERVISED in walk.case.flags
    answer = walk.clock(ClockKind.SUPERVISION)
    assert answer.due_at == told.at + timedelta(days=1)
    (again,) = [f for f in walk.fire(ClockKind.HANDLING, 4 + AGAIN) if f.reason == "handling"]
    assert again.kind == "case.choice_forced"
    walk.act(LEAD, Action.REPLY_SUPERVISION, note="tomorrow")
    assert Flag.SUPERVISED not in walk.case.flags


def test_who_is_supervised_already_is_not_ordered_twice() -> None:
    walk = to_handling(Walk(book=_book(_SUPERVISED)))
    walk.act(LEADER, Action.SUPERVISE, note="today", until=walk.now + timedelta(days=90), kind="leader")
    (told,) = [f for f in walk.fire(ClockKind.HANDLING, 4) if f.reason == "handling"][-1:]
    assert told.kind == "case.choice_forced"


def test_a_whistle_nobody_answers_is_sent_again() -> None:
    walk = to_filed(Walk(report(HEAP)), "litter.heap")
    walk.act(CHIEF, Action.WHISTLE, kind="street_cannot", note="asked twice")
    walk.act(LEADER, Action.APPROVE)
    assert walk.case.state is State.AT_DISTRICT
    told = walk.fire(ClockKind.DISTRICT_RESPONSE, _first(ClockKind.DISTRICT_RESPONSE))
    overdue = next(f for f in told if f.kind == "case.overdue" and f.reason == "district_response")
    assert (overdue.intent, overdue.actor.account) == (Intent.WHISTLE, None)
    assert walk.case.state is State.AT_DISTRICT
    walk.act(DISTRICT, Action.ANSWER_WHISTLE, note="coming")
    assert walk.case.state is State.DISTRICT_HANDLING


def _first(kind: ClockKind) -> int:
    return next(n for n, step in enumerate(BOOK.ladders[kind].steps) if step.act is RungAct.OVERDUE)


def test_a_case_keeps_the_ladder_it_was_opened_under() -> None:
    """Its clocks hold every moment; another rulebook for new cases moves none of them."""
    walk = to_handling(Walk(book=_book(_FORCED)))
    kept = load_case(dump_case(walk.case))
    assert [c.rungs for c in kept.clocks] == [c.rungs for c in walk.case.clocks]
    assert kept.rulebook == walk.book.version
    planned = {r.rung: r.at for r in walk.clock(ClockKind.HANDLING).rungs}
    walk.act(CHIEF, Action.NOTE, note="seen")
    assert {r.rung: r.at for r in walk.clock(ClockKind.HANDLING).rungs} == planned


# --- the sample street -----------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def sample() -> Rulebook:
    books = ROOT / "deploy" / "rulebooks"
    calendars = {path.name: path.read_text("utf-8") for path in (books / "calendars").glob("*.toml")}
    return load_rulebook((books / "fengcheng.toml").read_text("utf-8"), calendars)


def test_of_the_sample_street_no_clock_falls_silent(sample: Rulebook) -> None:
    ends_itself = {ClockKind.RETURN_WINDOW, ClockKind.MORE, ClockKind.REVIEW, ClockKind.WHOLE}
    silent = {k for k, ladder in sample.ladders.items() if not any(step.every for step in ladder.steps)}
    assert silent == ends_itself
    assert set(sample.ladders) == set(ClockKind)


def test_the_sample_streets_handling_ladder_is_the_fields_own(sample: Rulebook) -> None:
    acts = [(step.act, step.percent, step.tell) for step in sample.ladders[ClockKind.HANDLING].steps]
    assert acts == [
        (RungAct.REMIND, 75, ("owner", "unit_head")),
        (RungAct.OVERDUE, 100, ("unit_head", "dispatcher")),
        (RungAct.FORCE_CHOICE, 150, ("duty_chief", "liaison_leader")),
        (RungAct.SUPERVISE, 200, ("leader_in_charge",)),
        (RungAct.ESCALATE, 200, ("leader_in_charge",)),
    ]


# --- nobody on duty --------------------------------------------------------------------------------------------------
def test_a_post_that_nobody_holds_passes_to_the_next_of_the_roster_and_the_fact_says_so() -> None:
    walk = to_handling(Walk(book=_book(_FORCED)))
    walk.around = Around(nobody=frozenset({"duty_chief", "duty_leader", "leader_in_charge"}))
    (told,) = [f for f in walk.fire(ClockKind.HANDLING, 4) if f.reason == "handling"][-1:]
    assert [(t.post, t.instead_of) for t in told.tell] == [("street_leader", "duty_chief")]
    assert load_fact(dump_fact(told)) == told


def test_where_nobody_at_all_is_there_the_post_itself_is_named() -> None:
    walk = to_handling(Walk(book=_book(_FORCED)))
    walk.around = Around(nobody=frozenset({"duty_chief", "duty_leader", "leader_in_charge", "street_leader"}))
    (told,) = [f for f in walk.fire(ClockKind.HANDLING, 4) if f.reason == "handling"][-1:]
    assert [(t.post, t.instead_of) for t in told.tell] == [("duty_chief", None)]


def test_the_roster_has_an_end() -> None:
    for post in NEXT_POST:
        seen = [post]
        while seen[-1] in NEXT_POST:
            seen.append(NEXT_POST[seen[-1]])
            assert len(seen) == len(set(seen)), post
        assert seen[-1] == "street_leader"

"""One case under two rulebooks: what differs, and where the comparison ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.dispatch.whatif.compare import compare
from services.dispatch.whatif.model import Compared, Verdict
from services.dispatch.whatif.record import Record, until
from services.governance.acts import Around, Neighbour
from services.governance.cycle import Action, ClockKind, MachineRule, State
from services.governance.rulebook import Rulebook
from services.governance.worktime import parse_limit
from tests.support.governance import (
    BOOK,
    CATALOGUE,
    CHIEF,
    CLERK,
    CONDITIONS,
    HEAP,
    LEAD,
    LITTER,
    PHOTO,
    PLAIN,
    PROPERTY,
    SECRETARY,
    VERIFIER,
    at,
    categories,
    recorded,
    report,
    rulebook,
    to_community,
    to_dispatched,
    to_fed_back,
    to_handling,
    to_street,
)
from tests.support.recording import RecordedWalk

Road = Callable[[], RecordedWalk]


def _closed() -> RecordedWalk:
    walk = RecordedWalk()
    walk.later(minutes=10)
    to_fed_back(walk).later(minutes=20).act(VERIFIER, Action.VERIFY_PASS, means="on_site")
    return walk


def _silent() -> RecordedWalk:
    """Nobody says anything: the machine calls community and street."""
    walk = RecordedWalk()
    walk.later(minutes=5)
    walk.fire(ClockKind.GRID_RESPONSE)
    walk.fire(ClockKind.COMMUNITY_RESPONSE)
    return walk


def _suspended() -> RecordedWalk:
    walk = to_handling(RecordedWalk(), co_units=("chengguan", "wuye"))
    assert isinstance(walk, RecordedWalk)
    walk.later(minutes=10).act(PROPERTY, Action.DECLINE_OFFER)
    walk.act(LEAD, Action.SUSPEND_REQUEST, reason="weather", note="大雨", until=walk.now + timedelta(days=3))
    walk.later(minutes=10).act(CHIEF, Action.APPROVE)
    walk.fire(ClockKind.REVIEW)
    return walk


def _extended() -> RecordedWalk:
    walk = to_handling(RecordedWalk())
    assert isinstance(walk, RecordedWalk)
    walk.act(LEAD, Action.EXTEND_REQUEST, reason="material", note="等料")
    walk.later(minutes=10).act(CLERK, Action.APPROVE)
    return walk


def _one_form() -> RecordedWalk:
    walk = to_street(RecordedWalk())
    assert isinstance(walk, RecordedWalk)
    walk.act(CLERK, Action.FILE_DISPATCH, category=HEAP, condition="litter.heap", lead_unit="huanwei")
    walk.later(minutes=9).act(LEAD, Action.RESPOND, means="phone")
    return walk


def _returned() -> RecordedWalk:
    walk = to_dispatched(RecordedWalk())
    assert isinstance(walk, RecordedWalk)
    walk.later(minutes=2).act(LEAD, Action.RETURN, reason="not_our_duty", note="不归我管", suggested_unit="zhifa")
    walk.later(minutes=2).act(CLERK, Action.DISPATCH, lead_unit="zhifa", reason="on_duty")
    return walk


def _recalled() -> RecordedWalk:
    walk = _silent()
    walk.later(minutes=1).act(SECRETARY, Action.RECALL) if walk.case.state is State.AT_COMMUNITY else None
    return walk


ROADS: tuple[Road, ...] = (_closed, _silent, _suspended, _extended, _one_form, _returned, _recalled)


def against(record: Record, changed: Rulebook, days: int = 30) -> Compared:
    end = record.asks[-1].now + timedelta(days=days)
    return compare(record, lambda _: BOOK, lambda _: changed, end)[0]


def with_limit(condition: str, limit: str) -> Rulebook:
    changed = {c.id: replace(c, limit=parse_limit(limit)) if c.id == condition else c for c in CONDITIONS}
    return rulebook(version="rb2", conditions=changed)


def with_lead(lead: str) -> Rulebook:
    lines = tuple(replace(line, lead=lead, co_units=()) if line.id == "L1" else line for line in CATALOGUE)
    return rulebook(version="rb2", catalogue=lines)


@pytest.mark.parametrize("road", ROADS)
def test_nothing_differs_under_the_same_rules(road: Road) -> None:
    found = against(road().record, BOOK)
    assert (found.verdict, found.why, found.differs) == (Verdict.COMPARED, "", False)


@pytest.mark.parametrize("road", ROADS)
def test_what_was_asked_of_an_earlier_version_is_read_off_its_answers(road: Road) -> None:
    earlier = road().earlier_record
    assert earlier.derived
    found = against(earlier, BOOK)
    assert (found.verdict, found.why, found.differs) == (Verdict.COMPARED, "", False)


def test_a_shorter_limit_is_due_earlier_and_passed() -> None:
    walk = RecordedWalk()
    to_handling(walk).later(hours=3).act(LEAD, Action.FEEDBACK, note="好", close_condition_met=True, evidence=PHOTO)
    found = against(walk.record, with_limit("litter", "2h"), days=0)
    assert found.verdict is Verdict.COMPARED
    moved = {shift.kind: shift.seconds for shift in found.shifts}
    assert moved["handling"] == moved["whole"] == -4 * 3600, "two hours of work, with the noon break between"
    assert (found.breaches_come, found.breaches_gone) == (2, 0)
    assert not found.unit_changes
    assert against(walk.record, with_limit("stall", "5um")).differs is False, "another condition's limit"


def test_whoever_followed_the_rulebook_would_have_followed_this_one() -> None:
    walk = _one_form()
    found = against(walk.record, with_lead("chengguan"))
    assert (found.verdict, found.why) == (Verdict.DIVERGED, "unit")
    assert found.before is not None
    assert found.after is not None
    assert (found.before.unit, found.after.unit) == ("huanwei", "chengguan")
    assert found.at == walk.facts[-2].at, "compared up to the dispatch, not to the response after it"


def test_whoever_chose_for_himself_keeps_his_choice() -> None:
    walk = to_street(RecordedWalk())
    walk.act(CLERK, Action.FILE_DISPATCH, condition="litter", lead_unit="zhifa", reason="on_duty")
    found = against(walk.record, with_lead("chengguan"))
    assert found.verdict is Verdict.COMPARED
    assert found.unit_changes, "the rulebook's own choice is another one"
    assert found.after is not None
    assert found.after.lead == "zhifa"


def test_an_act_that_becomes_illegal_ends_the_comparison_there() -> None:
    walk = RecordedWalk()
    to_community(walk).later(hours=1)
    walk.act(SECRETARY, Action.NOTE, note="看过")
    quicker = rulebook(
        version="rb2",
        categories={c.code: c for c in categories() if c.code != LITTER},
        catalogue=tuple(replace(line, categories=(HEAP,)) if line.id == "L1" else line for line in CATALOGUE),
    )
    to_the_street = RecordedWalk()
    to_street(to_the_street).act(CHIEF, Action.FILE, category=LITTER, condition="litter")
    found = against(to_the_street.record, quicker)
    assert (found.verdict, found.why) == (Verdict.DIVERGED, "refused:file:unknown_category")
    assert found.before is not None
    assert found.after is not None
    assert (found.before.choice, found.after.choice) == ("huanwei", None)
    assert found.at == to_the_street.facts[-1].at
    assert against(walk.record, quicker).verdict is Verdict.COMPARED, "nobody spoke of the class"


def test_who_is_passed_over_for_silence_follows_the_switch() -> None:
    by_hand = rulebook(version="rb2", machine=frozenset(MachineRule) - {MachineRule.CALL_UP_GRID})
    found = against(_silent().record, by_hand)
    assert found.verdict is Verdict.COMPARED
    assert found.before is not None
    assert found.after is not None
    assert found.tier_changes
    assert (found.before.tiers, found.after.tiers) == (("T0", "T1", "T2"), ("T0",))


def test_what_the_machine_missed_while_it_was_away_it_misses_again() -> None:
    """It acted an hour after the point: the time of the next tier counts from then, in both lives."""
    walk = RecordedWalk()
    due = walk.clock(ClockKind.GRID_RESPONSE).due_at
    walk.now = due + timedelta(hours=1)
    walk.fire(ClockKind.GRID_RESPONSE)
    assert walk.facts[-1].at == due + timedelta(hours=1)
    assert against(walk.record, BOOK).differs is False
    assert against(walk.record, with_limit("stall", "5um")).differs is False


def test_what_was_near_then_still_holds_the_machine_back() -> None:
    near = Around(near=(Neighbour("n", State.FILED, PLAIN),))
    walk = RecordedWalk(report(PLAIN), around=near)
    to_street(walk)
    assert walk.case.state is State.AT_STREET
    assert against(walk.record, BOOK).differs is False
    free = RecordedWalk(report(PLAIN))
    to_street(free)
    assert free.case.state is State.DISPATCHED
    assert against(free.record, rulebook(version="rb2", machine=frozenset())).why == "unit"


def test_history_is_only_routed_again() -> None:
    walk = RecordedWalk(report(recorded=recorded("wuye")))
    found = against(walk.record, with_lead("chengguan"))
    assert found.history
    assert found.verdict is Verdict.COMPARED
    assert found.before is not None
    assert found.after is not None
    assert (found.before.choice, found.after.choice, found.shifts) == ("huanwei", "chengguan", ())


def test_a_record_that_its_rules_do_not_give_is_left_out() -> None:
    record = _closed().record
    other = with_limit("litter", "1h")
    found, pair = compare(record, lambda _: other, lambda _: other, record.asks[-1].now)
    assert found.verdict is Verdict.NOT_REPRODUCIBLE
    assert found.why == "fact:case.reported"
    assert pair is None


def test_a_record_can_be_looked_at_as_it_stood_earlier() -> None:
    walk = _closed()
    half = until(walk.record, walk.facts[4].at)
    assert [str(fact.kind) for fact in half.facts] == walk.kinds()[: len(half.facts)]
    assert len(half.facts) < len(walk.facts)
    found, _ = compare(half, lambda _: BOOK, lambda _: BOOK, walk.facts[4].at)
    assert (found.verdict, found.differs) == (Verdict.COMPARED, False)


def test_the_largest_difference_is_in_most_respects() -> None:
    record: Any = _one_form().record
    both, one = against(record, with_lead("chengguan")), against(record, with_limit("litter.heap", "2d"))
    assert one.size[0] >= 1
    assert both.size != one.size
    assert at("2026-03-06 09:00") == both.opened_at

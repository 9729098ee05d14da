"""并案: what the duplicate gives up and gets back, what the master takes over, and where neither is possible."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.governance.acts import (
    Act,
    Actor,
    ActorRef,
    Around,
    CaseRef,
    CategoryRef,
    Clock,
    ClockChanged,
    ClockState,
    Command,
    Fact,
    Follow,
    Inputs,
    OpenCase,
    Release,
    TaskState,
)
from services.governance.case import Case, clock_of, decide, evolve, live_clock, offers, open_tasks, other_of, pending
from services.governance.cycle import Action, ClockKind, Flag, State
from services.governance.errors import (
    GovernanceError,
    IllegalTransition,
    InvalidInput,
    MasterCalmer,
    MasterEnded,
    MasterItself,
    MasterUnknown,
    MissingInput,
    NotPermitted,
    TooLate,
    Unsettled,
)
from services.governance.tiers import LadderStep, RungAct
from tests.support.governance import (
    BOOK,
    CHIEF,
    CITY_OFFICE,
    CLERK,
    COVER,
    EDITION,
    GRID,
    HEAP,
    HOME,
    LEAD,
    LITTER,
    QUARREL,
    RESIDENT,
    SCHEME,
    SECRETARY,
    STALL,
    VERIFIER,
    WORKER,
    Walk,
    at,
    recorded,
    report,
    rulebook,
    to_filed,
    to_handling,
)
from tests.support.merging import Cases

NINE = at("2026-03-06 09:00")
LATER = at("2026-03-06 10:00")


def opened(key: str, category: str | None = LITTER, when: datetime = NINE, **changes: object) -> OpenCase:
    return report(category, when, case_id=key, case_no=key.upper(), report_id=f"r.{key}", **changes)


def two(first: str = LITTER, second: str = LITTER) -> Cases:
    """`a` reported at nine, `b` half an hour later."""
    cases = Cases()
    cases.open(opened("a", first))
    cases.open(opened("b", second, NINE + timedelta(minutes=30)))
    return cases


def brought(cases: Cases, key: str, walk: Walk) -> Walk:
    """A case that has come as far as `walk` has."""
    cases.add(walk.case, walk.facts)
    return walk


def whole(case: Case) -> Clock:
    found = clock_of(case, ClockKind.WHOLE)
    assert found is not None
    return found


def as_it_was(case: Case) -> Case:
    """Without what a merge leaves behind on purpose: numbers, revisions of clocks, order of requests, who was at it."""
    clocks = tuple(sorted((replace(c, rev=0) for c in case.clocks), key=lambda c: c.clock_id))
    blank = {"sequence": 0, "version": 0, "last_at": NINE, "operations": (), "undo": None, "desk": frozenset()}
    requests = tuple(sorted(case.requests, key=lambda r: r.request_id))
    return replace(case, clocks=clocks, requests=requests, **blank)  # type: ignore[arg-type]


# --- the duplicate --------------------------------------------------------------------------------------------------
def test_the_duplicate_ends_and_remembers_its_master() -> None:
    cases = two()
    facts = cases.merge("b", "a", LATER)
    assert [(f.kind, f.actor.account) for f in facts] == [("case.merged", "shouli"), ("case.absorbed", "shouli")]
    b = cases["b"]
    assert b.state is State.MERGED
    assert b.master is not None
    assert (b.master.case_id, b.master.case_no) == ("a", "A")
    assert all(c.state is ClockState.STOPPED for c in b.clocks)
    assert cases["a"].reports == ("r.a", "r.b")
    cases.check()


def test_what_is_open_ends_with_it() -> None:
    cases = Cases()
    cases.open(opened("a"))
    walk = to_handling(Walk(opened("b")), co_units=("chengguan",))
    walk.act(LEAD, Action.EXTEND_REQUEST, reason="weather", note="rain")
    brought(cases, "b", walk)
    assert (open_tasks(walk.case, "co"), pending(walk.case)) != ((), ())
    cases.merge("b", "a", LATER)
    b = cases["b"]
    assert not pending(b)
    assert {t.state for t in b.tasks} <= {TaskState.DONE, TaskState.DROPPED}
    assert offers(b, CLERK, BOOK, LATER)[0].action is Action.UNMERGE


def test_a_merged_case_moves_only_by_undoing_it() -> None:
    cases = two()
    cases.merge("b", "a", LATER)
    for action in (Action.CALL_UP, Action.URGE, Action.VOID, Action.MERGE, Action.NOTE):
        with pytest.raises(GovernanceError):
            cases.act("b", CHIEF, action, LATER, note="x", reason="no_means", master="a")
    with pytest.raises(IllegalTransition) as refused:
        cases.act("b", CLERK, Action.MERGE, LATER, master="a")
    assert refused.value.allowed == (Action.UNMERGE,)


# --- the master -----------------------------------------------------------------------------------------------------
def test_the_older_report_ages_the_master() -> None:
    """The whole case counts from the earliest report, whichever of the two goes on."""
    cases = two()
    alone = whole(cases["a"])
    cases.merge("a", "b", LATER)
    taken = whole(cases["b"])
    assert (taken.started_at, taken.due_at) == (NINE, alone.due_at)


def test_the_stricter_limit_wins() -> None:
    cases = two(HEAP, STALL)  # five working days against two hours on the wall clock
    assert whole(cases["a"]).due_at > at("2026-03-12 09:00")
    cases.merge("b", "a", LATER)
    assert whole(cases["a"]).due_at < at("2026-03-09 18:00")
    cases.unmerge("b", LATER)
    assert whole(cases["a"]).due_at > at("2026-03-12 09:00")


def test_a_looser_limit_changes_nothing() -> None:
    cases = two(STALL, HEAP)
    before = whole(cases["a"])
    cases.merge("b", "a", NINE + timedelta(minutes=31))
    assert whole(cases["a"]) == before


def test_clocks_that_start_later_take_the_stricter_limit_too() -> None:
    alone, strict = Cases(), Cases()
    for cases in (alone, strict):
        brought(cases, "a", to_filed(Walk(opened("a", HEAP)), "litter.heap"))
        cases.open(opened("b", STALL))
    strict.merge("b", "a", LATER)
    dues = []
    for cases in (alone, strict):
        cases.act("a", CLERK, Action.DISPATCH, LATER, lead_unit="huanwei", reason="on_duty")
        handling = live_clock(cases["a"], ClockKind.HANDLING)
        assert handling is not None
        dues.append(handling.due_at - LATER)
    assert dues[1] == timedelta(hours=2) < dues[0]
    strict.unmerge("b", LATER)
    given_back = live_clock(strict["a"], ClockKind.HANDLING)
    own = live_clock(alone["a"], ClockKind.HANDLING)
    assert given_back is not None
    assert own is not None
    assert (given_back.due_at, given_back.basis, given_back.budget_s) == (own.due_at, own.basis, own.budget_s)


def test_what_was_due_first_stays_due_then() -> None:
    """Two of one class, one dispatched days before the other: merging gains nobody time."""
    cases = Cases()
    early = to_handling(Walk(opened("b", HEAP)), condition="litter.heap")
    brought(cases, "b", early)
    late = Walk(opened("a", HEAP, at("2026-03-10 09:00")))
    brought(cases, "a", to_handling(late, co_units=("chengguan",), condition="litter.heap"))
    mine, theirs = live_clock(cases["a"], ClockKind.HANDLING), live_clock(cases["b"], ClockKind.HANDLING)
    share = live_clock(cases["a"], ClockKind.CO_TASK)
    assert mine is not None
    assert theirs is not None
    assert share is not None
    assert theirs.due_at < mine.due_at == share.due_at
    now = at("2026-03-10 10:00")
    cases.merge("b", "a", now)
    for kind in (ClockKind.HANDLING, ClockKind.CO_TASK):
        moved = live_clock(cases["a"], kind)
        assert moved is not None
        assert moved.due_at == theirs.due_at
    cases.unmerge("b", now)
    for kind, before in ((ClockKind.HANDLING, mine), (ClockKind.CO_TASK, share)):
        back = live_clock(cases["a"], kind)
        assert back is not None
        assert (back.due_at, back.budget_s) == (before.due_at, before.budget_s)


def test_an_extension_granted_to_the_master_stays_granted() -> None:
    cases = Cases()
    walk = to_handling(Walk(opened("a", HEAP)), condition="litter.heap")
    walk.act(LEAD, Action.EXTEND_REQUEST, reason="weather", note="rain")
    walk.act(CLERK, Action.APPROVE)
    brought(cases, "a", walk)
    before = cases["a"].clocks
    cases.open(opened("b", LITTER))
    cases.merge("b", "a", LATER)
    assert cases["a"].clocks != before
    cases.unmerge("b", LATER)
    assert [(c.budget_s, c.due_at) for c in cases["a"].clocks] == [(c.budget_s, c.due_at) for c in before]


def test_a_reclassified_master_keeps_to_the_stricter_limit() -> None:
    cases = two(COVER, STALL)
    cases.merge("b", "a", LATER)
    cases.act("a", SECRETARY, Action.RECLASSIFY, LATER, reason="wrong_class", category=HEAP, condition="litter.heap")
    assert whole(cases["a"]).due_at < at("2026-03-09 18:00")
    cases.unmerge("b", LATER)
    own = two(COVER, STALL)
    own.act("a", SECRETARY, Action.RECLASSIFY, LATER, reason="wrong_class", category=HEAP, condition="litter.heap")
    assert (whole(cases["a"]).due_at, whole(cases["a"]).basis) == (whole(own["a"]).due_at, whole(own["a"]).basis)


def test_what_is_late_by_the_stricter_limit_is_told_at_once() -> None:
    cases = two(HEAP, STALL)
    facts = cases.merge("b", "a", at("2026-03-10 09:00"))
    assert [f.kind for f in facts if f.rule is None] == ["case.merged", "case.absorbed"]
    assert ("case.overdue", "whole") in [(f.kind, f.reason) for f in facts[facts.index(absorbed(facts)) :]]


def absorbed(facts: list[Fact]) -> Fact:
    return next(f for f in facts if f.kind == "case.absorbed")


def test_a_closed_master_notes_what_came_after() -> None:
    cases = Cases()
    cases.open(opened("a", on_the_spot="sao"))
    cases.open(opened("b", when=LATER))
    before = cases["a"]
    facts = cases.merge("b", "a", LATER)
    assert facts[-1].reason == "after_close"
    a = cases["a"]
    assert (a.state, a.clocks, a.reports) == (State.CLOSED, before.clocks, ("r.a", "r.b"))
    assert cases["b"].state is State.MERGED


# --- refusals -------------------------------------------------------------------------------------------------------
def test_no_master_no_merge() -> None:
    cases = two()
    with pytest.raises(MissingInput) as missing:
        cases.act("b", CLERK, Action.MERGE, LATER)
    assert missing.value.field == "master"
    with pytest.raises(MasterUnknown) as unknown:
        cases.merge("b", "nowhere", LATER)
    assert unknown.value.params["field"] == "master"
    with pytest.raises(MasterItself):
        cases.merge("b", "b", LATER)
    with pytest.raises(InvalidInput):
        cases.act("b", CLERK, Action.MERGE, LATER, master="a", reason="because")
    cases.open(opened("c", recorded=recorded()))
    with pytest.raises(MasterUnknown):
        cases.merge("b", "c", LATER)


def test_a_master_that_ended_otherwise_or_long_ago_is_none() -> None:
    cases = two()
    cases.open(opened("c", on_the_spot="sao"))
    cases.act("a", WORKER, Action.WITHDRAW, LATER, reason="mistaken")
    with pytest.raises(MasterEnded):
        cases.merge("b", "a", LATER)
    closed_at = cases["c"].closed_at
    assert closed_at is not None
    with pytest.raises(MasterEnded):
        cases.merge("b", "c", closed_at + timedelta(days=7, seconds=1))
    cases.merge("b", "c", closed_at + timedelta(days=7))


def test_danger_is_not_merged_into_an_ordinary_matter() -> None:
    cases = Cases()
    cases.open(opened("a"))
    cases.open(opened("b", COVER, danger=True))
    with pytest.raises(MasterCalmer):
        cases.merge("b", "a", LATER)
    cases.merge("a", "b", LATER)
    assert cases["b"].reports == ("r.b", "r.a")


def test_a_duplicate_with_an_order_unanswered_answers_first() -> None:
    cases = two()
    cases.act("b", CHIEF, Action.SUPERVISE, LATER, note="answer", until=LATER + timedelta(days=1))
    with pytest.raises(Unsettled):
        cases.merge("b", "a", LATER)
    assert Action.MERGE not in [o.action for o in offers(cases["b"], CLERK, BOOK, LATER)]


@pytest.mark.parametrize("actor", [RESIDENT, LEAD, VERIFIER])
def test_only_the_street_merges(actor: Actor) -> None:
    cases = two()
    with pytest.raises(NotPermitted):
        cases.merge("b", "a", LATER, actor)


def test_a_reporter_does_not_take_back_what_others_reported_too() -> None:
    cases = two()
    cases.merge("b", "a", LATER)
    with pytest.raises(Unsettled):
        cases.act("a", WORKER, Action.WITHDRAW, LATER, reason="mistaken")
    cases.unmerge("b", LATER)
    cases.act("a", WORKER, Action.WITHDRAW, LATER, reason="mistaken")


# --- restricted matters ---------------------------------------------------------------------------------------------
def test_a_restricted_matter_makes_the_whole_restricted_while_it_is_part_of_it() -> None:
    cases = two(LITTER, QUARREL)
    cases.merge("b", "a", LATER)
    assert cases["a"].restricted
    assert Flag.RESTRICTED in cases["a"].flags
    cases.act("a", SECRETARY, Action.RECLASSIFY, LATER, reason="wrong_class", category=STALL, condition="stall")
    assert cases["a"].restricted
    cases.unmerge("b", LATER)
    assert not cases["a"].restricted
    assert cases["b"].restricted


def test_an_open_matter_in_a_restricted_one_goes_out_as_it_came() -> None:
    cases = two(QUARREL, LITTER)
    cases.merge("b", "a", LATER)
    assert cases["a"].restricted
    cases.unmerge("b", LATER)
    assert (cases["a"].restricted, cases["b"].restricted) == (True, False)


# --- chains ---------------------------------------------------------------------------------------------------------
def three() -> Cases:
    cases = two()
    cases.open(opened("c", when=NINE + timedelta(minutes=40)))
    return cases


def test_chains_are_flat() -> None:
    cases = three()
    cases.merge("a", "b", LATER)
    facts = cases.merge("b", "c", LATER)
    assert [f.kind for f in facts] == ["case.merged", "case.absorbed", "case.merged"]
    assert facts[-1].reason == "follows"
    assert {cases[k].master.case_id for k in "ab"} == {"c"}  # type: ignore[union-attr]
    assert set(cases["c"].reports) == {"r.a", "r.b", "r.c"}
    assert whole(cases["c"]).started_at == NINE
    cases.check()


def test_merging_into_a_merged_case_follows_its_master_and_cycles_are_refused() -> None:
    cases = three()
    cases.merge("a", "b", LATER)
    cases.merge("c", "a", LATER)
    assert cases["c"].master is not None
    assert cases["c"].master.case_id == "b"
    with pytest.raises(MasterItself):
        cases.merge("b", "a", LATER)
    cases.check()


def test_a_middle_one_takes_its_own_along_again() -> None:
    cases = three()
    cases.merge("a", "b", LATER)
    b = cases["b"]
    cases.merge("b", "c", LATER)
    cases.unmerge("b", LATER)
    assert as_it_was(cases["b"]) == as_it_was(b)
    assert cases["a"].master is not None
    assert cases["a"].master.case_id == "b"
    assert cases["c"].absorbed == ()
    cases.check()


def test_whoever_has_left_meanwhile_stays_out() -> None:
    cases = three()
    b = cases["b"]
    cases.merge("a", "b", LATER)
    cases.merge("b", "c", LATER)
    cases.unmerge("a", LATER)
    cases.check()
    assert whole(cases["c"]).started_at == cases["b"].opened_at
    cases.unmerge("b", LATER)
    assert as_it_was(cases["b"]) == as_it_was(b), "its own age again, without that of the one that left"
    cases.check()


# --- undoing --------------------------------------------------------------------------------------------------------
WAYS = {
    "reported": lambda key: Walk(opened(key)),
    "filed": lambda key: to_filed(Walk(opened(key))),
    "handling": lambda key: to_handling(Walk(opened(key)), co_units=("chengguan", "wuye")),
}


def asks(walk: Walk) -> Walk:
    walk.act(LEAD, Action.EXTEND_REQUEST, reason="weather", note="rain")
    return walk


def suspended(walk: Walk) -> Walk:
    walk.act(LEAD, Action.SUSPEND_REQUEST, reason="weather", note="rain", until=walk.now + timedelta(days=9))
    walk.act(CHIEF, Action.APPROVE)
    return walk


WAYS["extension asked"] = lambda key: asks(WAYS["handling"](key))
WAYS["suspended"] = lambda key: suspended(WAYS["handling"](key))


@pytest.mark.parametrize("way", sorted(WAYS))
def test_undone_the_duplicate_stands_as_if_the_merge_had_not_been(way: str) -> None:
    """The same as its own facts up to the merge, folded once more."""
    cases = Cases()
    walk = brought(cases, "b", WAYS[way]("b"))
    cases.open(opened("a"), walk.now)
    cases.merge("b", "a", walk.now)
    cases.unmerge("b", walk.now)
    replayed: Case | None = None
    for fact in cases.facts["b"]:
        if fact.kind == "case.merged":
            break
        replayed = evolve(replayed, fact)
    assert replayed is not None
    assert as_it_was(cases["b"]) == as_it_was(replayed)
    before = {c.clock_id: c.rev for c in walk.case.clocks if c.state is not ClockState.STOPPED}
    assert all(c.rev > before[c.clock_id] for c in cases["b"].clocks if c.clock_id in before), "timers are armed anew"
    cases.check()


def test_a_request_to_merge_that_was_granted_stays_decided() -> None:
    cases = two()
    cases.act("b", SECRETARY, Action.MERGE, LATER, master="a")
    (asked,) = pending(cases["b"])
    cases.act("b", CLERK, Action.APPROVE, LATER, master="a", request=asked.request_id)
    assert cases["b"].state is State.MERGED
    cases.unmerge("b", LATER)
    assert [r.status for r in cases["b"].requests] == ["approved"]
    cases.check()


@pytest.mark.parametrize("way", sorted(WAYS))
def test_undone_the_master_stands_as_if_it_had_not_been(way: str) -> None:
    cases = Cases()
    walk = brought(cases, "a", WAYS[way]("a"))
    cases.open(opened("b", STALL, NINE - timedelta(hours=1)), walk.now)
    before = cases["a"]
    cases.merge("b", "a", walk.now)
    cases.unmerge("b", walk.now)
    flags = {"flags": before.flags, "last_urged": before.last_urged}  # lateness told in between stays told
    told = replace(cases["a"], **flags, clocks=tuple(replace(c, fired=()) for c in cases["a"].clocks))  # type: ignore[arg-type]
    assert as_it_was(told) == as_it_was(replace(before, clocks=tuple(replace(c, fired=()) for c in before.clocks)))


def test_what_was_due_meanwhile_is_acted_on_when_it_is_undone() -> None:
    """Its clocks never stopped: the branch was silent for an hour, so the community has it."""
    cases = two()
    cases.merge("b", "a", NINE + timedelta(minutes=35))
    cases.unmerge("b", at("2026-03-06 11:30"))
    assert [f.kind for f in cases.facts["b"]] == ["case.reported", "case.merged", "case.unmerged", "case.called"]
    assert cases["b"].state is State.AT_COMMUNITY
    cases.check()


def test_a_merge_is_undone_after_the_master_has_closed() -> None:
    cases = two()
    cases.merge("b", "a", NINE + timedelta(minutes=35))
    cases.act("a", WORKER, Action.SELF_RESOLVE_START, NINE + timedelta(minutes=36))
    cases.act("a", WORKER, Action.SELF_RESOLVE_DONE, NINE + timedelta(minutes=37), means="sao", note="swept")
    closed = cases["a"]
    facts = cases.unmerge("b", NINE + timedelta(minutes=38))
    assert [f.kind for f in facts] == ["case.unmerged", "case.released"]
    assert cases["b"].state is State.REPORTED
    assert (cases["a"].state, cases["a"].clocks, cases["a"].reports) == (State.CLOSED, closed.clocks, ("r.a",))


def test_undoing_has_its_time_and_needs_a_reason() -> None:
    cases = two()
    cases.merge("b", "a", LATER)
    with pytest.raises(MissingInput):
        cases.act("b", CLERK, Action.UNMERGE, LATER)
    with pytest.raises(TooLate):
        cases.unmerge("b", LATER + timedelta(days=83, seconds=1))
    assert offers(cases["b"], CLERK, BOOK, LATER + timedelta(days=84)) == ()


def test_commands_that_no_longer_apply_change_nothing() -> None:
    cases = two()
    by = ActorRef("shouli")
    stale: tuple[Command, ...] = (Release(("b",), by), Follow(CaseRef("b", "B"), by))
    for command in stale:
        assert cases.do("a", command, LATER) == []


def test_an_unknown_class_brings_no_limit() -> None:
    cases = Cases()
    cases.open(opened("a", HEAP))
    cases.open(opened("b", None))
    cases.merge("b", "a", NINE)
    (row,) = cases["a"].absorbed
    assert row.limit is None
    assert CategoryRef(SCHEME, EDITION, HEAP) == cases["a"].category


# --- what is told ---------------------------------------------------------------------------------------------------
def tells(fact: Fact) -> list[tuple[str, str]]:
    return [(t.post, t.code) for t in fact.tell]


def test_who_answered_for_the_duplicate_hears_where_it_went_and_the_masters_holder_what_came() -> None:
    cases = Cases()
    cases.open(opened("a"))
    brought(cases, "b", to_handling(Walk(opened("b"))))
    cases.open(opened("c"))
    merged, absorbed_ = cases.merge("b", "a", NINE)
    assert (merged.reason, absorbed_.reason) == ("same_matter", None)
    assert (tells(merged), tells(absorbed_)) == ([("owner_before", "huanwei"), ("HU", "huanwei")], [("owner", "")])
    assert tells(cases.merge("c", "a", NINE)[0]) == [("owner_before", GRID)]
    unmerged, released = cases.unmerge("b", NINE)
    assert (unmerged.reason, released.reason) == ("other_matter", None)
    assert (tells(unmerged), tells(released)) == ([("owner", "")], [("owner", "")])


def test_due_times_that_move_say_why() -> None:
    cases = two(HEAP, STALL)
    facts = cases.merge("b", "a", NINE + timedelta(minutes=31))
    moved = [c for f in facts if f.kind == "case.absorbed" for c in f.changes if isinstance(c, ClockChanged)]
    assert [(c.clock.clock_id, c.why) for c in moved] == [("a:whole:1", "recomputed")]


def test_a_refusal_names_the_case_that_was_meant() -> None:
    cases = two()
    cases.open(opened("c", COVER, danger=True))
    cases.open(opened("d", recorded=recorded(closed=False)))
    cases.open(opened("e", spot=replace(HOME, street="441802002", community=None, grid=None, cell=None)))
    cases.act("a", WORKER, Action.WITHDRAW, LATER, reason="mistaken")
    meant = {("b", "b"): MasterItself, ("b", "a"): MasterEnded, ("c", "b"): MasterCalmer}
    meant |= {("b", "d"): MasterUnknown, ("b", "e"): MasterUnknown}
    for (duplicate, master), refusal in meant.items():
        with pytest.raises(refusal) as refused:
            cases.act(duplicate, CLERK, Action.MERGE, LATER, master=master.upper())
        assert (refused.type, refused.value.params["value"]) == (refusal, master.upper())


def test_what_undoing_asks_for() -> None:
    cases = two()
    cases.merge("b", "a", LATER)
    cases.merge("a", cases.open(opened("c")).case_id, LATER)
    last = LATER + timedelta(days=83)
    again = Act(Action.UNMERGE, CLERK, Inputs(reason="other_matter"), "once")
    for at_, around in ((last + timedelta(seconds=1), Around(master=other_of(cases["c"]))), (last, Around())):
        with pytest.raises(TooLate) as late:
            decide(cases["b"], again, BOOK, at_, around)
        assert late.value.params["what"] == "unmerge"
    cases.unmerge("b", last)
    assert cases["b"].master is None


def test_two_dangers_become_one_as_old_as_the_older() -> None:
    steps = (LadderStep(RungAct.OVERDUE, 100), LadderStep(RungAct.FORCE_CHOICE, 200, urgent_only=True))
    ladder = {kind: replace(BOOK.ladders[kind], steps=steps) for kind in (ClockKind.WHOLE, ClockKind.CO_TASK)}
    cases = Cases(rulebook(ladders={**BOOK.ladders, **ladder}))
    walk = Walk(opened("a", COVER, NINE + timedelta(minutes=30), danger=True), cases.book)
    walk.act(CHIEF, Action.FILE, condition="cover.gone")
    walk.act(CLERK, Action.DISPATCH, lead_unit="chengguan", co_units=("zhifa",))
    walk.act(CITY_OFFICE, Action.RESPOND, means="on_site")
    brought(cases, "a", walk)
    older = Walk(opened("b", COVER, danger=True), cases.book)
    older.act(CHIEF, Action.FILE, condition="cover.gone")
    older.act(CLERK, Action.DISPATCH, lead_unit="chengguan")
    older.act(CITY_OFFICE, Action.RESPOND, means="on_site")
    brought(cases, "b", older)
    cases.merge("b", "a", NINE + timedelta(minutes=40))
    eleven = NINE + timedelta(hours=2)
    for kind in (ClockKind.WHOLE, ClockKind.HANDLING, ClockKind.CO_TASK):
        clock = live_clock(cases["a"], kind)
        assert clock is not None
        assert clock.due_at == eleven
        assert kind is ClockKind.HANDLING or [r.rung for r in clock.rungs] == [0, 1], "the ladder of danger"


def test_what_was_granted_counts_beside_the_stricter_limit() -> None:
    """Of the same basis it stays as much, of another it stays the same share; whole seconds either way."""
    for category, left in ((LITTER, 4 * 3600), (STALL, None)):
        cases = Cases()
        walk = to_handling(Walk(opened("a", HEAP)), condition="litter.heap")
        plain = walk.clock(ClockKind.HANDLING).budget_s
        walk.act(LEAD, Action.EXTEND_REQUEST, reason="weather", note="rain")
        walk.later(minutes=7).act(CLERK, Action.APPROVE)
        granted = walk.clock(ClockKind.HANDLING).budget_s - plain
        assert granted > 0
        brought(cases, "a", walk)
        cases.open(opened("b", category))
        cases.merge("b", "a", walk.now)
        handling = live_clock(cases["a"], ClockKind.HANDLING)
        assert handling is not None
        assert handling.budget_s == (left + granted if left else 2 * 3600 * (plain + granted) // plain)
        assert isinstance(handling.budget_s, int)


def test_only_the_restriction_of_a_master_changes() -> None:
    cases = two(LITTER, QUARREL)
    cases.open(opened("c", source="media"))
    cases.open(opened("d", QUARREL))
    before = cases["a"]
    cases.merge("b", "a", NINE + timedelta(minutes=31))
    after = cases["a"]
    assert (after.category, after.condition) == (before.category, before.condition)
    assert (after.urgency, after.class_proposed, after.restricted) == (before.urgency, True, True)
    cases.merge("d", "c", NINE + timedelta(minutes=31))
    cases.unmerge("d", NINE + timedelta(minutes=32))
    assert cases["c"].restricted, "what the media report stays restricted by itself"


def test_a_middle_one_is_under_its_own_limit_again_when_the_stricter_one_has_left() -> None:
    cases = Cases()
    cases.open(opened("a", STALL))
    walk = Walk(opened("b", HEAP))
    walk.act(SECRETARY, Action.CALL_UP, reason="no_means")
    brought(cases, "b", walk)
    cases.open(opened("c", HEAP))
    own, now = whole(cases["b"]), NINE + timedelta(minutes=5)
    cases.merge("a", "b", now)
    assert whole(cases["b"]).due_at < own.due_at
    (kept,) = cases["b"].absorbed
    assert (kept.case, cases["a"].master) == (CaseRef("a", "A"), CaseRef("b", "B"))
    assert (kept.reporter, [kind for kind, _ in kept.dues]) == ("wangge01", [ClockKind.WHOLE])
    assert [f.actor.account for f in cases.merge("b", "c", now)] == ["shouli"] * 3
    cases.unmerge("a", now)
    cases.unmerge("b", now)
    assert (whole(cases["b"]).due_at, whole(cases["b"]).budget_s) == (own.due_at, own.budget_s)
    cases.merge("a", "b", now)
    cases.merge("b", "c", now)
    cases.unmerge("b", now)
    assert cases["a"].master == CaseRef("b", "B"), "it follows by number too"
    cases.check()


def test_a_whole_branch_of_duplicates_comes_back_with_the_one_it_came_with() -> None:
    cases = three()
    cases.open(opened("d"))
    for duplicate, master in ("ab", "bc", "cd"):
        cases.merge(duplicate, master, LATER)
    facts = cases.unmerge("c", LATER)
    assert [d.case.case_id for d in cases["c"].absorbed] == ["b", "a"]
    assert {f.actor.account for f in facts if f.rule is None} == {"shouli"}
    assert (cases["d"].absorbed, cases["d"].reports) == ((), ("r.d",))
    cases.check()

"""Anybody does anything at any time: whatever is taken keeps the invariants, whatever is refused changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.governance import sla
from services.governance.acts import (
    Act,
    Actor,
    ActorRef,
    Around,
    AttachPhoto,
    CaseRef,
    ClockState,
    Command,
    Fact,
    Input,
    Inputs,
    InputType,
    Other,
    Spot,
    TimerFired,
)
from services.governance.case import (
    OPEN_TASKS,
    Case,
    Offer,
    advance,
    clock_of,
    count_of,
    decide,
    evolve,
    next_point,
    offers,
    pending,
    stage_of,
)
from services.governance.cycle import CYCLE, LIVE, Action, ClockKind, Flag, Nature, Role, State, Urgency
from services.governance.errors import GovernanceError
from services.governance.moves import BY_STEP
from services.governance.tiers import is_urgent
from tests.support.governance import (
    BOOK,
    COMMUNITY,
    COVER,
    EVERYBODY,
    GRID,
    HEAP,
    LITTER,
    PLAIN,
    QUARREL,
    STALL,
    STREET,
    UNITS,
    Walk,
    at,
    report,
    to_dispatched,
    to_fed_back,
    to_filed,
    to_handling,
)

MOVES_THE_TIER = {
    "case.called",
    "case.sent_down",
    "case.escalated",
    "case.whistle_refused",
    "case.recalled",
    "case.reported",
    "case.reopened",
}
ONLY_PEOPLE = {
    "case.answered",
    "case.declined",
    "case.not_filed",
    "case.returned",
    "case.ruled",
    "case.verified",
    "case.verify_failed",
    "case.voided",
    "case.merged",
    "case.unmerged",
}
MASTER = Other(CaseRef("m1", "M1"), State.REPORTED, STREET, Urgency.URGENT, history=False, closed_at=None)
AROUND = Around(verifier=ActorRef("wangge07", Role.GRID_WORKER), master=MASTER)
SPOTS = (Spot(STREET, COMMUNITY, GRID, GRID + "1"), Spot(STREET, COMMUNITY), Spot(STREET))


def value_for(field: Input, draw: st.DataObject, case: Case, now: Any) -> Any:
    """Something that such a field could hold, now and then nothing."""
    if not field.required and draw.draw(st.booleans()):
        return () if field.type in (InputType.UNITS, InputType.EVIDENCE) else None
    if field.choices:
        return draw.draw(st.sampled_from(field.choices))
    match field.type:
        case InputType.UNIT:
            return draw.draw(st.sampled_from(UNITS)).code
        case InputType.UNITS:
            return tuple(draw.draw(st.lists(st.sampled_from([u.code for u in UNITS]), max_size=3)))
        case InputType.EVIDENCE:
            return ("photo",)
        case InputType.DATETIME:
            return now + timedelta(days=draw.draw(st.integers(0, 400)))
        case InputType.CATEGORY:
            return draw.draw(st.sampled_from((LITTER, HEAP, STALL, COVER, QUARREL, PLAIN)))
        case InputType.FLAG:
            return draw.draw(st.sampled_from((True, True, True, False)))
        case _:
            return "text" if field.name not in ("request", "task", "person") else None


def jointly(walk: Walk) -> Walk:
    """Being handled by a lead, another unit that must help, and one that is only asked."""
    return to_handling(walk, co_units=("chengguan", "wuye"))


def fitting(offer: Offer, case: Case, taste: int, now: Any) -> Inputs:
    """A form filled in as a careful person would; of what may be chosen, the one that `taste` falls on."""
    given: dict[str, Any] = {}
    busy = {case.lead, *(t.unit for t in case.tasks if t.state in OPEN_TASKS)}
    free = [u.code for u in UNITS if u.code not in busy and not (case.restricted and u.voluntary)]
    for field in offer.inputs:
        match field.type:
            case InputType.UNIT:
                given[field.name] = free[taste % len(free)]
            case InputType.UNITS:
                needed = field.required or offer.action is Action.HOLD_CONFERENCE  # a decision names who does it
                given[field.name] = tuple(free[-1:]) if needed else ()
            case InputType.EVIDENCE:
                given[field.name] = ("photo",)
            case InputType.DATETIME:
                given[field.name] = now + timedelta(days=2)
            case InputType.CATEGORY:
                given[field.name] = LITTER
            case InputType.CONDITION:
                given[field.name] = "litter"
            case InputType.FLAG:
                given[field.name] = True
            case _ if field.choices:
                given[field.name] = field.choices[taste % len(field.choices)]
            case _ if field.required or field.name in ("note", "reason"):
                given[field.name] = "text"
    if isinstance(given.get("urgency"), str):
        given["urgency"] = Urgency(given["urgency"])
    return Inputs(**given)


class AnyWalk(RuleBasedStateMachine):
    """One case; people do what they are offered or what they are not, time passes, timers fire in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.case: Case | None = None
        self.facts: list[Fact] = []
        self.now = at("2026-03-06 09:00")
        self.acts = 0
        self.last: Act | None = None

    # --- steps --------------------------------------------------------------------------------------------------
    @initialize(
        category=st.sampled_from((LITTER, HEAP, STALL, COVER, QUARREL, PLAIN, None)),
        spot=st.sampled_from(SPOTS),
        nature=st.sampled_from((Nature.COMPLAINT, Nature.COMPLAINT, Nature.HELP, Nature.ENQUIRY, Nature.THANKS)),
        source=st.sampled_from(("grid_worker", "hotline_12345", "media")),
        bits=st.tuples(*[st.booleans()] * 5),
        late=st.integers(0, 5),
    )
    def open(self, category: Any, spot: Spot, nature: Any, source: str, bits: Any, late: int) -> None:
        danger, life, direct, call_now, staff = bits
        command = report(
            category,
            spot=spot,
            nature=nature,
            source=source,
            danger=danger and life,
            life=life and direct and danger,
            direct=direct,
            call_now=call_now,
            staff=staff,
        )
        self.now = command.reported_at + timedelta(seconds=late)
        self.take(command)

    @precondition(lambda self: len(self.facts) < 3)
    @rule(stretch=st.sampled_from((to_filed, to_dispatched, to_handling, jointly, to_fed_back)))
    def it_is_already_on_its_way(self, stretch: Callable[[Walk], Walk]) -> None:
        """A shorter way to the deeper states: a case of its own that has come so far."""
        walk = stretch(Walk())
        self.case, self.facts, self.now, self.last = walk.case, list(walk.facts), walk.now, None

    @rule(data=st.data())
    def somebody_does_what_is_offered(self, data: st.DataObject) -> None:
        case = self.case
        assert case is not None
        able = [(a, o) for a in EVERYBODY for o in offers(case, a, BOOK, self.now)]
        if not able:
            return
        goes_on = (m for m in able if BY_STEP[(m[1].action, case.state)].targets)
        moving = [m for m in goes_on if m[1].action is not Action.WITHDRAW] or able
        actor, offer = data.draw(st.sampled_from(moving if data.draw(st.booleans()) else able))
        given = {i.name: value_for(i, data, case, self.now) for i in offer.inputs}
        if given.get("category"):
            given["condition"] = BOOK.categories[given["category"]].conditions[0]
        if isinstance(given.get("urgency"), str):
            given["urgency"] = Urgency(given["urgency"])
        self.attempt(actor, offer.action, Inputs(**given))

    @precondition(lambda self: self.case is not None and next_point(self.case, self.now) is None)
    @rule(taste=st.integers(0, 7))
    def what_is_offered_is_taken(self, taste: int) -> None:
        """A button that answers with a refusal is a lie: offers and `decide` read the same conditions."""
        case = self.case
        assert case is not None
        for actor, offer in [(a, o) for a in EVERYBODY for o in offers(case, a, BOOK, self.now)]:
            act = Act(offer.action, actor, fitting(offer, case, taste, self.now), "offered")
            assert decide(case, act, BOOK, self.now, AROUND), (actor.account, offer.action)

    @rule(actor=st.sampled_from(EVERYBODY), action=st.sampled_from(sorted(Action)))
    def somebody_tries_anything(self, actor: Actor, action: Action) -> None:
        self.attempt(actor, action, Inputs(note="x", evidence=("p",), condition="litter", lead_unit="zhifa"))

    @rule(minutes=st.sampled_from((1, 9, 45, 300, 2000)))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @precondition(lambda self: bool(self.case and any(c.running_since for c in self.case.clocks)))
    @rule(data=st.data())
    def a_timer_fires(self, data: st.DataObject) -> None:
        assert self.case is not None
        running = [c for c in self.case.clocks if c.running_since is not None and c.rungs]
        if not running:
            return
        clock = data.draw(st.sampled_from(running))
        rung = data.draw(st.sampled_from(clock.rungs))
        if data.draw(st.booleans()):
            self.now = max(self.now, rung.at)
        elif rung.at > self.now:
            return
        self.take(TimerFired(clock.clock_id, clock.rev, rung.rung, rung.at))

    @rule(data=st.data())
    def a_stale_timer_changes_nothing(self, data: st.DataObject) -> None:
        assert self.case is not None
        if not self.case.clocks:
            return
        clock = data.draw(st.sampled_from(self.case.clocks))
        assert decide(self.case, TimerFired(clock.clock_id, clock.rev - 1, 0, clock.due_at), BOOK, self.now) == ()
        if clock.state is ClockState.STOPPED:
            assert decide(self.case, TimerFired(clock.clock_id, clock.rev, 0, clock.due_at), BOOK, self.now) == ()

    @rule(photo=st.sampled_from(("p1", "p2")))
    def a_photo_arrives(self, photo: str) -> None:
        self.take(AttachPhoto("r1", photo))

    @precondition(lambda self: self.last is not None)
    @rule()
    def the_last_act_comes_again(self) -> None:
        assert self.last is not None
        assert decide(self.case, self.last, BOOK, self.now) == ()

    # --- how a step is taken --------------------------------------------------------------------------------------
    def attempt(self, actor: Actor, action: Action, inputs: Inputs) -> None:
        self.acts += 1
        act = Act(action, actor, inputs, f"x{self.acts}")
        before = self.case
        try:
            self.take(act)
        except GovernanceError:
            assert self.case is before
            return
        self.last = act

    def take(self, command: Command) -> None:
        facts, reached = advance(self.case, command, BOOK, self.now, AROUND)
        for fact in facts:
            before = self.case
            self.case = evolve(before, fact)
            self.facts.append(fact)
            self.check_step(before, fact, self.case)
        assert self.case == reached
        if self.case is not None:
            self.now = max(self.now, self.case.last_at)

    # --- what every single step keeps -------------------------------------------------------------------------------
    def check_step(self, before: Case | None, fact: Fact, after: Case) -> None:
        assert after.sequence == (before.sequence if before else 0) + 1
        if fact.actor.account is None and fact.kind != "case.report_attached":
            assert fact.rule is not None, fact.kind
            assert fact.kind not in ONLY_PEOPLE
        if before is None:
            return
        assert fact.at >= before.last_at, "time never runs back"
        if before.tier is not after.tier:
            assert fact.kind in MOVES_THE_TIER, fact.kind
        move = BY_STEP.get((fact.action, before.state)) if fact.action and fact.actor.account else None
        if move is not None and before.state is not after.state and move.targets:
            on_the_way = {State.FILED} if move.action is Action.FILE_DISPATCH else set()  # one form, two facts
            assert after.state in {*move.targets, *on_the_way}, (move.row, after.state)
        if fact.kind == "case.verified":
            assert fact.actor.account not in before.handlers
        if fact.kind == "case.signed":
            running = {c.clock_id for c in before.clocks if c.running_since}
            assert running == {c.clock_id for c in after.clocks if c.running_since}
        if fact.kind == "case.responded":
            stopped = [c.kind for c, old in zip(after.clocks, before.clocks, strict=True) if c != old]
            assert set(stopped) <= {ClockKind.RESPONSE}
        if before.state not in LIVE and after.state in LIVE:
            assert fact.kind in {"case.reopened", "case.called", "case.recalled", "case.unmerged"}
        if before.state is State.VOID or (before.state is State.MERGED and fact.kind != "case.unmerged"):
            assert after.state is before.state

    # --- what holds at every moment ---------------------------------------------------------------------------------
    @invariant()
    def no_clock_runs_twice_and_due_times_only_grow(self) -> None:
        if self.case is None:
            return
        clocks = self.case.clocks
        assert len({c.clock_id for c in clocks}) == len(clocks)
        live = [c.kind for c in clocks if c.state is not ClockState.STOPPED and c.kind is not ClockKind.CO_TASK]
        assert len(live) == len(set(live))
        for clock in clocks:
            assert clock.original_due <= clock.due_at
            assert (clock.running_since is not None) == (clock.state is ClockState.RUNNING)
            assert (clock.stopped_at is not None) == (clock.state is ClockState.STOPPED)
            assert clock.consumed_s >= 0
            assert clock.budget_s > 0

    @invariant()
    def co_tasks_are_due_within_their_parent(self) -> None:
        if self.case is None:
            return
        parent = clock_of(self.case, ClockKind.HANDLING)
        if parent is None or parent.state is not ClockState.RUNNING or self.case.state is not State.HANDLING:
            return
        for clock in self.case.clocks:
            if clock.kind is ClockKind.CO_TASK and clock.state is ClockState.RUNNING and clock.budget_s > 1:
                assert clock.due_at <= parent.due_at

    @invariant()
    def exactly_one_leads(self) -> None:
        if self.case is None:
            return
        leads = [t for t in self.case.tasks if t.kind == "lead" and t.state in OPEN_TASKS]
        if self.case.state in (State.DISPATCHED, State.HANDLING, State.DISPUTED):
            assert [t.unit for t in leads] == [self.case.lead]
        assert len(leads) <= 1

    @invariant()
    def what_has_ended_has_nothing_open(self) -> None:
        if self.case is None or self.case.state in LIVE:
            return
        case = self.case
        assert not [t for t in case.tasks if t.state in OPEN_TASKS]
        assert not [r for r in pending(case) if (r.kind, case.state) not in BY_STEP], "but appeal and reopening"
        assert Flag.SUPERVISED not in case.flags
        assert all(c.state is ClockState.STOPPED for c in case.clocks)

    @invariant()
    def danger_never_waits_below_the_street(self) -> None:
        if self.case is not None and is_urgent(self.case.urgency):
            below = {State.REPORTED, State.GRID_HANDLING, State.AT_COMMUNITY, State.COMMUNITY_HANDLING}
            assert self.case.state not in below

    @invariant()
    def the_state_tells_stage_owner_and_tier(self) -> None:
        if self.case is None:
            return
        row = CYCLE[self.case.state]
        if row.stage is not None:
            assert stage_of(self.case) is row.stage
        if self.case.state in LIVE:
            assert self.case.owner is not None
            assert self.case.owner.tier is self.case.tier
        if row.tier is not None:
            assert self.case.tier is row.tier
        assert not self.case.skipped or stage_of(self.case).value not in dict(self.case.skipped)

    @invariant()
    def objections_end_in_a_ruling(self) -> None:
        if self.case is not None:
            assert count_of(self.case, "returns") <= 2

    def teardown(self) -> None:
        again: Case | None = None
        for fact in self.facts:
            again = evolve(again, fact)
        assert again == self.case, "replay gives the same case"


AnyWalk.TestCase.settings = settings(
    max_examples=120,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
TestAnyWalk = AnyWalk.TestCase


def test_urgency_changes_no_basis() -> None:
    """Same condition and start, same due, whatever the danger."""
    allowance = sla.allow(BOOK.conditions["litter"].limit, at("2026-03-06 17:00"), BOOK)
    started = [
        sla.start(BOOK, "k", ClockKind.HANDLING, allowance, at("2026-03-06 17:00"), urgency) for urgency in Urgency
    ]
    assert len({(c.due_at, c.basis) for c in started}) == 1

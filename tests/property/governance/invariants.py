"""The twenty invariants of the cycle, each under its number, asked of every single step that a case takes.

They know the words of the cycle and nothing of how `decide` works: what they need of the past they gather themselves
from the facts. A broken one raises AssertionError that begins with its number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.governance.acts import (
    Act,
    Actor,
    Clock,
    ClockChanged,
    ClockStarted,
    ClockState,
    Command,
    Fact,
    FactKind,
    Input,
    StateChanged,
)
from services.governance.case import OPEN_TASKS, Case, count_of, decide, evolve, pending, stage_of
from services.governance.case.offers import offers
from services.governance.case.sight import Sight, may_see
from services.governance.cycle import (
    CYCLE,
    LIVE,
    Action,
    ClockKind,
    Flag,
    Intent,
    MachineRule,
    Role,
    State,
    Tier,
    Urgency,
    stage_of_state,
)
from services.governance.moves import BY_STEP
from services.governance.rulebook import Rulebook
from services.governance.tiers import HEIGHT
from services.governance.worktime import spent

K = FactKind
BELOW_STREET = {State.REPORTED, State.GRID_HANDLING, State.AT_COMMUNITY, State.COMMUNITY_HANDLING}
ENDED_FOR_GOOD = {State.VOID, State.MERGED}
CALLS = {K.REPORTED, K.CALLED, K.SENT_DOWN, K.WHISTLE_REFUSED, K.RECALLED, K.REOPENED, K.UNMERGED}
BY_PEOPLE_ALONE = {
    *(K.NOT_FILED, K.DECLINED, K.MERGED, K.RULED, K.RETURNED, K.ANSWERED, K.VERIFIED, K.VERIFY_FAILED, K.VOIDED),
    *(K.EXTENDED, K.SUSPENDED, K.EXEMPTED, K.REQUEST_DENIED, K.UNFOUNDED, K.WHISTLE_REQUESTED, K.UNMERGED),
}
TAKEN_BACK_FOR_TEN_MINUTES = {
    *(MachineRule.ALERT_URGENT, MachineRule.CALL_UP_GRID, MachineRule.CALL_UP_COMMUNITY, MachineRule.DISPATCH),
    *(MachineRule.RESUME_REVIEW, MachineRule.CLOSE),
}
UNIT_ROLES = {Role.HANDLING_UNIT, Role.MEMBER_UNIT}
STREET_ROLES = {Role.INTAKE_CLERK, Role.DISPATCHER, Role.DUTY_CHIEF, Role.STREET_LEADER}


@dataclass(frozen=True)
class Step:
    """One fact: the case before and after it, and the commit that it is part of. `last`: the commit ends with it."""

    before: Case | None
    fact: Fact
    after: Case
    commit: tuple[Fact, ...]
    last: bool
    past: History


@dataclass
class History:
    """What happened to one case so far, as an onlooker writes it down."""

    book: Rulebook
    people: Sequence[Actor] = ()
    facts: list[Fact] = field(default_factory=list)
    case: Case | None = None
    stretches: list[tuple[State, datetime, datetime]] = field(default_factory=list)
    sight: Callable[[Case, Actor], Sight] = may_see

    def takes(
        self,
        facts: Sequence[Fact],
        fold: Callable[[Case | None, Fact], Case] = evolve,
        checks: Mapping[str, Callable[[Step], None]] | None = None,
    ) -> Case | None:
        """A commit: fold its facts and ask everything of each."""
        for number, fact in enumerate(facts):
            before, after = self.case, fold(self.case, fact)
            self.facts.append(fact)
            if before is not None:
                self.stretches.append((before.state, before.last_at, after.last_at))
            step = Step(before, fact, after, tuple(facts), number == len(facts) - 1, self)
            self.case = after
            for name, check in (INVARIANTS if checks is None else checks).items():
                try:
                    check(step)
                except AssertionError as wrong:
                    raise AssertionError(f"{name}: {wrong} ({fact.kind} of {after.case_id})") from wrong
        return self.case


# --- I1 … I5 ---------------------------------------------------------------------------------------------------------
def one_lead(step: Step) -> None:
    """I1: one lead unit."""
    case = step.after
    leads = [t.unit for t in case.tasks if t.kind == "lead" and t.state in OPEN_TASKS]
    assert len(leads) <= 1, leads
    if case.state in (State.DISPATCHED, State.HANDLING, State.DISPUTED) and not case.history:
        assert leads == [case.lead], (leads, case.lead)


def who_handled_does_not_check(step: Step) -> None:
    """I2: handler ∉ verifiers."""
    if step.before is not None and step.fact.kind in (K.VERIFIED, K.VERIFY_FAILED):
        assert step.fact.actor.account not in step.before.handlers
    asked = {t.person for t in step.after.tasks if t.kind == "verify" and t.state in OPEN_TASKS and t.person}
    assert not asked & step.after.handlers, asked


def every_row_says_who_and_why(step: Step) -> None:
    """I3: actor, role, from, to, reason, time. (The texts beside them and the chain of hashes are the database's.)"""
    fact, before, after = step.fact, step.before, step.after
    assert after.sequence == (before.sequence if before else 0) + 1
    assert after.last_at >= fact.at
    assert before is None or fact.at >= before.last_at, "time runs back"
    if fact.actor.account is not None:
        assert fact.actor.role is not None, "no post"
    moved = any(isinstance(change, StateChanged) for change in fact.changes)
    assert (before is None or before.state is after.state) or moved or fact.kind in (K.RECALLED, K.UNMERGED)
    if before is None or fact.action is None or fact.actor.account is None:
        return
    move = BY_STEP.get((fact.action, before.state))
    if move is not None and move.fact is fact.kind and _asks_reason(move.inputs):
        assert fact.reason, "no reason"
    if move is not None and before.state is not after.state and move.targets:
        halfway = {State.FILED} if move.action is Action.FILE_DISPATCH else set()  # one form, two facts
        assert after.state in {*move.targets, *halfway}, (move.row, after.state)


def _asks_reason(inputs: Sequence[Input]) -> bool:
    return any(one.name == "reason" and one.required for one in inputs)


def no_clock_runs_twice(step: Step) -> None:
    """I4: no clock with two running intervals, and no two clocks of one kind but for shares."""
    clocks = step.after.clocks
    assert len({c.clock_id for c in clocks}) == len(clocks)
    live = [c.kind for c in clocks if c.state is not ClockState.STOPPED and c.kind is not ClockKind.CO_TASK]
    assert len(live) == len(set(live)), live
    for clock in clocks:
        assert (clock.running_since is not None) == (clock.state is ClockState.RUNNING)
        assert (clock.stopped_at is not None) == (clock.state is ClockState.STOPPED)
        assert clock.consumed_s >= 0
        assert clock.budget_s > 0
    known = {c.clock_id: c for c in step.before.clocks} if step.before else {}
    for change in step.fact.changes:
        if isinstance(change, ClockStarted):
            assert change.clock.clock_id not in known, "started once more"
        elif isinstance(change, ClockChanged):
            was = known[change.clock.clock_id]
            assert change.clock.rev >= was.rev, "an older revision"
            assert change.clock.rev > was.rev or change.clock.due_at == was.due_at, "moved without a new revision"


def the_first_due_time_stands(step: Step) -> None:
    """I5: original_due ≤ due."""
    for clock in step.after.clocks:
        assert clock.original_due <= clock.due_at, clock.clock_id


# --- I6 … I10 --------------------------------------------------------------------------------------------------------
def nothing_open_at_the_end(step: Step) -> None:
    """I6: closed ⇒ no open task, request or unanswered supervision. (An appeal is asked for after the end.)"""
    case = step.after
    if case.state in LIVE:
        return
    assert not [t.task_id for t in case.tasks if t.state in OPEN_TASKS], "a task is open"
    assert not pending(case) or (step.before is not None and step.before.state not in LIVE), "something is still asked"
    assert Flag.SUPERVISED not in case.flags, "an order stands unanswered"
    assert all(c.state is ClockState.STOPPED for c in case.clocks), "a clock runs"


def objections_end_in_a_ruling(step: Step) -> None:
    """I7: at most two returns, then a ruling, and it is final."""
    before, fact, after = step.before, step.fact, step.after
    assert count_of(after, "returns") <= 2
    if fact.kind is K.RETURNED and before is not None:
        assert not count_of(before, "rulings"), "a ruling is final"
        second = count_of(before, "returns") == 1
        assert after.state is (State.DISPUTED if second else State.FILED)
    if fact.kind is K.DISPATCHED and count_of(after, "returns") == 2:
        whistled = any(one.kind in (K.WHISTLE_REFUSED, K.REOPENED) for one in step.past.facts)
        assert count_of(after, "rulings") or whistled, "dispatched past the ruling"


def merged_and_void_stay(step: Step) -> None:
    """I8: merged and void never move again, except by unmerge with its reason."""
    before = step.before
    if before is not None and before.state in ENDED_FOR_GOOD and step.after.state is not before.state:
        assert (before.state, step.fact.kind) == (State.MERGED, K.UNMERGED)
        assert step.fact.actor.account, "by nobody"
        assert step.fact.reason, "without a reason"


def danger_never_waits_below(step: Step) -> None:
    """I9: U0/U1 at the street, branch and community told, in the commit of the report or of the reclassification."""
    case = step.after
    if not step.last or case.history or case.urgency not in (Urgency.CRITICAL, Urgency.URGENT):
        return
    assert case.state not in BELOW_STREET, case.state
    was_below = step.past.facts[0] in step.commit or _state_before(step) in BELOW_STREET
    told = {one.post for fact in step.commit for one in fact.tell}
    if was_below and case.state in (State.AT_STREET, State.FILED, State.DISPATCHED) and _newly_urgent(step):
        wanted = {Role.INTAKE_CLERK.value, *([Role.COMMUNITY_SECRETARY.value] if case.spot.community else [])}
        wanted |= {Role.GRID_SECRETARY.value} if case.spot.grid else set()
        assert wanted <= told, wanted - told


def _state_before(step: Step) -> State | None:
    first = len(step.past.facts) - len(step.commit)
    return step.past.stretches[first - 1][0] if 0 < first <= len(step.past.stretches) else None


def _newly_urgent(step: Step) -> bool:
    return any(fact.kind in (K.REPORTED, K.RECLASSIFIED) for fact in step.commit)


def the_age_is_what_has_passed(step: Step) -> None:
    """I10: the age of the whole case is the sum of the stretches in which it was not paused."""
    case, book = step.after, step.past.book
    whole = next((c for c in case.clocks if c.kind is ClockKind.WHOLE), None)
    if whole is None or not step.last or _reckoned_anew(step.past.facts, whole):
        return
    if whole.calendar_rev != book.calendar.revision:
        return  # its seconds were counted by the days that were known then
    until = whole.stopped_at or case.last_at
    lived = [(s, max(a, whole.started_at), min(b, until)) for s, a, b in step.past.stretches]
    passed = sum(
        spent(since, to, whole.basis, book.calendar)
        for state, since, to in lived
        if state is not State.SUSPENDED and since < to
    )
    shown = whole.consumed_s
    if whole.running_since is not None:
        shown += spent(whole.running_since, max(until, whole.running_since), whole.basis, book.calendar)
    head = min((a for _, a, _ in lived), default=until)
    passed += spent(whole.started_at, max(whole.started_at, head), whole.basis, book.calendar)
    assert abs(passed - shown) <= len(lived) + 2, (passed, shown)


def _reckoned_anew(facts: Sequence[Fact], whole: Clock) -> bool:
    """Whether its basis changed on the way, or another calendar or case came into it: then its seconds are not ours."""
    kinds = {fact.kind for fact in facts}
    if kinds & {K.DUE_RECOMPUTED, K.ABSORBED, K.UNMERGED, K.RELEASED}:
        return True
    mine = (c.clock for f in facts for c in f.changes if isinstance(c, (ClockStarted, ClockChanged)))
    return any(c.clock_id == whole.clock_id and c.basis != whole.basis for c in mine)


# --- I11 … I15 -------------------------------------------------------------------------------------------------------
def the_same_act_works_once(step: Step) -> None:
    """I11: an act counts once by (case, action, op_id)."""
    fact, before = step.fact, step.before
    assert len(step.after.operations) == len(set(step.after.operations))
    if fact.op_id is None or fact.action is None:
        return
    operation = f"{fact.action.value}:{fact.op_id}"
    assert operation in step.after.operations, "it will be done again"
    others = [one for one in step.commit if (one.action, one.op_id) == (fact.action, fact.op_id)]
    assert before is None or operation not in before.operations or len(others) > 1, "done again"


def replay_gives_the_row(step: Step) -> None:
    """I12: replaying the facts gives the same case."""
    if not step.last:
        return
    again: Case | None = None
    for fact in step.past.facts:
        again = evolve(again, fact)
    assert again == step.after, "replayed, it is another case"


def the_stage_follows_from_the_state(step: Step) -> None:
    """I13: the stage is a function of the state; of a suspended case, of the state before."""
    case = step.after
    own = CYCLE[case.state].stage
    assert stage_of(case) is (own if own is not None else stage_of_state(case.state, case.state_before))
    if case.state is State.SUSPENDED:
        assert stage_of(case) is CYCLE[State.HANDLING].stage
    assert stage_of(case).value not in dict(case.skipped), "walked and skipped"
    if case.state in LIVE and not case.history:
        assert case.owner is not None
        assert case.owner.tier is case.tier
        assert CYCLE[case.state].tier in (None, case.tier)


def the_tier_moves_by_calls_alone(step: Step) -> None:
    """I14: the owner's tier changes by a call, a signed whistle or its answer; never by lateness."""
    before, fact = step.before, step.fact
    if before is None or before.tier is step.after.tier:
        return
    signed = fact.kind is K.ESCALATED and fact.intent is Intent.WHISTLE and fact.actor.account is not None
    assert fact.kind in CALLS or signed, "the tier has moved"


def every_clock_has_a_ladder(step: Step) -> None:
    """I15: every kind of clock in the rulebook has a ladder, and a clock that starts stands on it."""
    ladders = step.past.book.ladders
    assert set(ladders) == set(ClockKind)
    for change in step.fact.changes:
        if isinstance(change, ClockStarted):
            steps = ladders[change.clock.kind].steps
            acts = {one.act.value for one in steps}
            assert {rung.act for rung in change.clock.rungs} <= acts
            assert change.clock.rungs, f"{change.clock.kind} has nothing to be reminded by"


# --- I16 … I20 -------------------------------------------------------------------------------------------------------
def what_only_people_do(step: Step) -> None:
    """I16: refusing, merging, ruling, whistling, approving, checking and voiding carry a person."""
    whistle = step.fact.kind is K.ESCALATED and step.fact.intent is Intent.WHISTLE
    if step.fact.kind in BY_PEOPLE_ALONE or whistle:
        assert step.fact.actor.account is not None


def what_the_machine_does(step: Step) -> None:
    """I17: rule and version, and a way back for ten minutes."""
    fact, after = step.fact, step.after
    if fact.actor.account is not None or fact.kind in (K.REPORT_ATTACHED, K.WITHDRAWN, K.URGED, K.VISITED, K.NOTED):
        return
    if fact.actor.role is not None:
        return  # a resident, known by the report alone
    if fact.kind is K.DUE_RECOMPUTED:  # its ground is the calendar: which one, and what was due before
        moved = [change for change in fact.changes if isinstance(change, ClockChanged)]
        assert moved, "nothing has moved"
        assert all(one.was is not None and one.was.calendar_rev != one.clock.calendar_rev for one in moved)
        return
    assert fact.rule is not None, "no rule"
    assert fact.rule.rulebook == after.rulebook, fact.rule
    if fact.rule.rule in TAKEN_BACK_FOR_TEN_MINUTES:
        assert after.undo is not None, "no way back"
        assert after.undo.rule == fact.rule.rule
        back = [a for a in step.past.people if _may_recall(after, a, step)]
        assert back or not step.last or not _holders(after, step.past.people), "nobody may take it back"


def _may_recall(case: Case, actor: Actor, step: Step) -> bool:
    return any(offer.action is Action.RECALL for offer in offers(case, actor, step.past.book, step.fact.at))


def _holders(case: Case, people: Sequence[Actor]) -> list[Actor]:
    """Who held the state before: the act would be theirs to take back."""
    assert case.undo is not None
    roles = CYCLE[case.undo.state].owner
    areas = ("", case.spot.street, case.spot.community, case.spot.grid)
    recallers = {Role.GRID_SECRETARY, Role.COMMUNITY_SECRETARY, Role.INTAKE_CLERK, Role.DUTY_CHIEF}
    wanted = recallers & set(roles)
    return [a for a in people if any(p.role in wanted and p.area in areas for p in a.posts)]


def signing_stops_nothing(step: Step) -> None:
    """I18: sign stops no clock, respond exactly the response clock."""
    if step.before is None or step.fact.kind not in (K.SIGNED, K.RESPONDED):
        return
    was = {c.clock_id: c for c in step.before.clocks if c.state is not ClockState.STOPPED}
    now = {c.clock_id: c for c in step.after.clocks if c.state is not ClockState.STOPPED}
    stopped = {was[key].kind for key in was.keys() - now.keys()}
    assert now.keys() <= was.keys(), "something has started"
    assert stopped <= ({ClockKind.RESPONSE} if step.fact.kind is K.RESPONDED else set()), stopped
    assert all(now[key].due_at == was[key].due_at for key in now), "a due time has moved"
    if step.fact.kind is K.RESPONDED:
        assert not any(c.kind is ClockKind.RESPONSE for c in now.values()), "the response clock runs on"


def danger_decides_no_basis(step: Step) -> None:
    """I19: urgency changes no basis: under the same condition the handling limit and its due time stay."""
    before, after = step.before, step.after
    if before is None or step.fact.kind is not K.RECLASSIFIED or before.condition != after.condition:
        return
    if any(fact.kind in (K.ABSORBED, K.UNMERGED) for fact in step.past.facts):
        return  # of several limits the strictest holds, and which one that is may change
    kept = {c.clock_id: (c.basis, c.due_at, c.budget_s) for c in before.clocks if c.kind is ClockKind.HANDLING}
    now = {c.clock_id: (c.basis, c.due_at, c.budget_s) for c in after.clocks}
    assert all(now[key] == kept[key] for key in kept), "danger has moved the handling clock"
    bases = {c.clock_id: c.basis for c in before.clocks}
    changed = [(c.kind, bases[c.clock_id], c.basis) for c in after.clocks if bases.get(c.clock_id, c.basis) != c.basis]
    assert not changed, f"danger has changed a basis: {changed} under {after.condition}"


def restricted_is_restricted(step: Step) -> None:
    """I20: outside owner chain and mediator a restricted case shows class and community only."""
    case = step.after
    if not case.restricted or case.history or not step.last:
        return
    for actor in step.past.people:
        if step.past.sight(case, actor) is Sight.FULL:
            assert _in_the_chain(case, actor), f"{actor.account} sees all of it"


def _in_the_chain(case: Case, actor: Actor) -> bool:
    """Reported or worked on it; holds it, held it below, or is asked to check it."""
    persons = {case.reporter, *case.handlers, *(t.person for t in case.tasks), getattr(case, "mediator", None)}
    if actor.account in persons:
        return True
    units = {case.lead, *(t.unit for t in case.tasks)}
    spot, height = case.spot, HEIGHT[case.tier]
    for post in actor.posts:
        here = post.area in ("", spot.street, spot.community, spot.grid)
        if post.role in UNIT_ROLES and post.unit in units:
            return True
        if here and post.role in (Role.GRID_WORKER, Role.GRID_SECRETARY):
            return True
        if here and post.role is Role.COMMUNITY_SECRETARY and height >= HEIGHT[Tier.COMMUNITY]:
            return True
        if here and post.role in STREET_ROLES and height >= HEIGHT[Tier.STREET]:
            return True
        if post.role is Role.VERIFIER and case.state in (
            State.CONFIRMING,
            State.FED_BACK,
            State.VERIFIED,
            State.CLOSED,
        ):
            return True
        if post.role is Role.DISTRICT and (case.tier is Tier.DISTRICT or Flag.PLATFORM_NOTICED in case.flags):
            return True
    return False


INVARIANTS: Mapping[str, Callable[[Step], None]] = {
    "I1": one_lead,
    "I2": who_handled_does_not_check,
    "I3": every_row_says_who_and_why,
    "I4": no_clock_runs_twice,
    "I5": the_first_due_time_stands,
    "I6": nothing_open_at_the_end,
    "I7": objections_end_in_a_ruling,
    "I8": merged_and_void_stay,
    "I9": danger_never_waits_below,
    "I10": the_age_is_what_has_passed,
    "I11": the_same_act_works_once,
    "I12": replay_gives_the_row,
    "I13": the_stage_follows_from_the_state,
    "I14": the_tier_moves_by_calls_alone,
    "I15": every_clock_has_a_ladder,
    "I16": what_only_people_do,
    "I17": what_the_machine_does,
    "I18": signing_stops_nothing,
    "I19": danger_decides_no_basis,
    "I20": restricted_is_restricted,
}


def done_once(case: Case | None, command: Command, book: Rulebook, now: datetime) -> None:
    """I11, from outside: the same act again gives nothing."""
    if isinstance(command, Act):
        assert decide(case, command, book, now) == (), "I11: the same act works twice"

"""I1 to I10: how a case stands after every fact."""

from __future__ import annotations

from collections.abc import Sequence

from services.governance.acts import (
    Clock,
    ClockChanged,
    ClockStarted,
    ClockState,
    Fact,
    FactKind,
    Input,
    StateChanged,
)
from services.governance.case import OPEN_TASKS, count_of, pending
from services.governance.cycle import (
    LIVE,
    Action,
    ClockKind,
    Flag,
    Role,
    State,
    Urgency,
)
from services.governance.moves import BY_STEP
from services.governance.worktime import spent
from tests.property.governance.history import Step

K = FactKind
BELOW_STREET = {State.REPORTED, State.GRID_HANDLING, State.AT_COMMUNITY, State.COMMUNITY_HANDLING}
ENDED_FOR_GOOD = {State.VOID, State.MERGED}


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

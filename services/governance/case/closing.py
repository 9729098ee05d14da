"""协同处置's end and 核查结案: feedback, checking by somebody else, visiting, closing, reopening."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.governance import sla
from services.governance.acts import (
    Actor,
    Change,
    ClosedAs,
    Counted,
    FactKind,
    FlagDropped,
    FlagRaised,
    HandledBy,
    LeadAssigned,
    Skipped,
    Task,
    TaskGiven,
    TaskState,
    Told,
)
from services.governance.case.calling import settled
from services.governance.case.classify import recurs
from services.governance.case.cotasks import give_lead
from services.governance.case.model import Case, clock_of, count_of, open_tasks, pending
from services.governance.case.permits import covers
from services.governance.case.turn import Turn
from services.governance.cycle import Action, ClockKind, ClosedKind, Flag, MachineRule, Role, Stage, State, Tier
from services.governance.errors import (
    CoTasksOpen,
    InvalidInput,
    MissingInput,
    NotPermitted,
    NotYet,
    SeparationOfDuties,
    TooLate,
    Unsettled,
)
from services.governance.rulebook import Rulebook
from services.governance.tiers import is_urgent

_WORK_CLOCK = {
    State.GRID_HANDLING: ClockKind.GRID_DISPOSAL,
    State.AT_COMMUNITY: ClockKind.COMMUNITY_RESPONSE,
    State.COMMUNITY_HANDLING: ClockKind.COMMUNITY_DISPOSAL,
    State.HANDLING: ClockKind.HANDLING,
    State.DISTRICT_HANDLING: ClockKind.DISTRICT_HANDLING,
    State.FILED: ClockKind.DISPATCH,
    State.REPORTED: ClockKind.GRID_RESPONSE,
}
_NOT_WALKED = (Stage.COORDINATION, Stage.RESPONSE, Stage.DISPOSAL)
_TRY, _TRIES = "not_reached:", 3
_SPARED = frozenset({ClockKind.WHOLE, ClockKind.SUPERVISION})


# --- feedback -------------------------------------------------------------------------------------------------------
def feedback(turn: Turn) -> None:
    """The holder says it is done; closes nothing."""
    case, given = turn.case, turn.inputs
    if not given.close_condition_met:
        raise InvalidInput("close_condition_met")
    at_district = case.state is State.DISTRICT_HANDLING  # its evidence stays on its own platform
    if turn.condition.evidence_required and not given.evidence and not at_district:
        raise MissingInput("evidence")
    changes = turn.to(State.FED_BACK)
    changes += turn.halt_all(_SPARED)
    changes += turn.drop_tasks("co")
    changes += [turn.task_as(t, TaskState.DONE) for t in open_tasks(case, "lead")]
    changes += turn.withdraw_requests()
    changes += [FlagDropped(Flag.REWORK)] if Flag.REWORK in case.flags else []
    changes += turn.begin(ClockKind.VERIFY)
    changes += [HandledBy(turn.who.account)] if turn.who.account is not None else []
    if case.state is State.COMMUNITY_HANDLING:
        changes.append(Skipped(tuple((stage.value, "community") for stage in _NOT_WALKED)))
    verifier = turn.around.verifier
    suits = verifier is not None and verifier.account not in (*case.handlers, turn.who.account)
    if suits and verifier is not None:
        changes.append(TaskGiven(Task(turn.task_id(), "verify", None, verifier.account, TaskState.DOING, turn.at)))
    rule = MachineRule.CHECK_TASK if suits else None
    turn.emit(FactKind.FED_BACK, changes, tell=(Told(Role.VERIFIER.value, case.spot.street),), rule=rule)


def co_tasks_done(case: Case, _book: Rulebook, _now: datetime, _actor: Actor) -> None:
    """Nothing is reported as done while another unit is still at work on it."""
    still = [t.unit or "" for t in open_tasks(case, "co") if t.state is TaskState.DOING]
    if still:
        raise CoTasksOpen(still)


# --- checking -------------------------------------------------------------------------------------------------------
def may_pass(case: Case, _book: Rulebook, _now: datetime, actor: Actor) -> None:
    _separate(Action.VERIFY_PASS, case, actor)


def may_fail(case: Case, _book: Rulebook, _now: datetime, actor: Actor) -> None:
    _separate(Action.VERIFY_FAIL, case, actor)


def _separate(action: Action, case: Case, actor: Actor) -> None:
    """Who handled does not check, nor does the unit that led; danger and restricted matters go to the verifier."""
    if actor.account in case.handlers or any(t.kind == "mediate" and t.person == actor.account for t in case.tasks):
        raise SeparationOfDuties(action, "handler")
    if actor.account in case.clerks:
        raise SeparationOfDuties(action, "clerk")
    unit_led = case.lead is not None and case.state_before is not State.COMMUNITY_HANDLING
    if unit_led and any(p.unit == case.lead and p.role in (Role.HANDLING_UNIT, Role.MEMBER_UNIT) for p in actor.posts):
        raise SeparationOfDuties(action, "lead_unit")
    verifier = any(p.role is Role.VERIFIER and covers(case, p.area) for p in actor.posts)
    if (is_urgent(case.urgency) or case.restricted) and not verifier:
        raise NotPermitted(action, "verifier_only")


def verify_pass(turn: Turn) -> None:
    changes = turn.to(State.VERIFIED)
    changes += turn.halt(ClockKind.VERIFY)
    changes += [turn.task_as(t, TaskState.DONE) for t in open_tasks(turn.case, "verify")]
    visit = turn.book.visit_due(turn.case.source, turn.case.case_id)
    by_itself = not visit and Flag.SUPERVISED not in turn.case.flags and turn.book.does(MachineRule.CLOSE)
    if not by_itself:
        changes += turn.begin(ClockKind.VISIT if visit else ClockKind.CLOSE)
    turn.emit(FactKind.VERIFIED, changes, reason=turn.inputs.means)
    if by_itself:
        ended = turn.finish(State.CLOSED, outcome(turn))
        turn.machine(FactKind.CLOSED, MachineRule.CLOSE, ended, action=Action.CLOSE)


def outcome(turn: Turn) -> ClosedKind:
    """In time or not, by the clocks that a result is measured by."""
    return ClosedKind.OVERDUE if turn.result_late() else ClosedKind.NORMAL


def verify_fail(turn: Turn) -> None:
    """Back to whoever handled, with what time remains but no less than the rulebook's floor."""
    target = turn.case.state_before or State.HANDLING
    changes: list[Change] = [Counted("rework"), *turn.to(target), FlagRaised(Flag.REWORK)]
    changes += turn.halt(ClockKind.VERIFY)
    changes += turn.drop_tasks("verify")
    kind = _WORK_CLOCK[target]
    reply = clock_of(turn.case, ClockKind.REPLY)
    changes += turn.redo(ClockKind.REPLY if reply is not None and clock_of(turn.case, kind) is None else kind)
    if turn.case.lead is not None:
        changes += give_lead(turn, turn.case.lead)
    tell = (Told("HU", turn.case.lead or ""),)
    turn.emit(FactKind.VERIFY_FAILED, changes, reason=turn.inputs.reason, tell=tell)


# --- visiting and closing -------------------------------------------------------------------------------------------
def visit(turn: Turn) -> None:
    """How the reporter found it; the grade is kept as a code. A visit that was due opens the way to closing; one that
    reached nobody does so at the third try, each at another hour."""
    hour = _hour(turn.at)
    if turn.inputs.grade == "not_reached":
        tried = tries(turn.case)
        if hour in tried:
            raise NotYet("visit_hour")
        if len(tried) + 1 < _TRIES:
            turn.emit(FactKind.VISITED, [Counted(hour)], reason=turn.inputs.grade)
            return
    changes: list[Change] = [Counted("visits")]
    pending_visit = turn.halt(ClockKind.VISIT)
    changes += pending_visit
    if pending_visit:
        changes += turn.begin(ClockKind.CLOSE)
    turn.emit(FactKind.VISITED, changes, reason=turn.inputs.grade)


def tries(case: Case) -> frozenset[str]:
    """The hours at which nobody was reached since the work was last done."""
    return frozenset(name for name, _ in case.counters if name.startswith(_TRY))


def tried_now(case: Case, now: datetime) -> bool:
    return _hour(now) in tries(case)


def _hour(at: datetime) -> str:
    return f"{_TRY}{at:%Y%m%d%H}"


def rate(turn: Turn) -> None:
    turn.emit(FactKind.VISITED, [Counted("ratings")], reason=turn.inputs.grade)


def close(turn: Turn) -> None:
    """Who filed may close where there is nobody else; somebody looks at it again."""
    audit = turn.who.account in turn.case.clerks or turn.who.account in turn.case.handlers
    changes = turn.finish(State.CLOSED, outcome(turn))
    turn.emit(FactKind.CLOSED, [*changes, *([FlagRaised(Flag.AUDIT_SAMPLE)] if audit else [])])


def can_close(case: Case, book: Rulebook, now: datetime, actor: Actor) -> None:
    """The check has passed; a visit that is due has been made; no order stands unanswered."""
    settled(case, book, now, actor)
    if book.visit_due(case.source, case.case_id) and not count_of(case, "visits"):
        raise Unsettled("visit")


def own_tier(case: Case, _book: Rulebook, _now: datetime, actor: Actor) -> None:
    """The duty chief closes any case, a community what never left grid and community."""
    chief = any(p.role is Role.DUTY_CHIEF for p in actor.posts)
    if not chief and case.tier not in (Tier.GRID, Tier.COMMUNITY):
        raise NotPermitted(Action.CLOSE, "tier")


def reopen(turn: Turn) -> None:
    """Back to the work, or to dispatching where the unit must change; a new due time, the old result in the facts."""
    case = turn.case
    before, elsewhere = case.state_before, turn.inputs.kind == "other_unit" and case.lead is not None
    target = before if before is not None and before in _WORK_CLOCK and not elsewhere else State.FILED
    changes: list[Change] = [Counted("reopened"), ClosedAs(None), *turn.to(target)]
    if target is State.FILED:
        changes.append(LeadAssigned(None))
    elif case.lead is not None:
        changes += give_lead(turn, case.lead)
    if turn.inputs.reason == "came_back":
        changes += recurs(turn.book, 1, count_of(case, "recurrence"))
    changes += turn.begin(_WORK_CLOCK[target])
    whole = clock_of(case, ClockKind.WHOLE)
    if whole is not None:
        changes += turn.begin(ClockKind.WHOLE, sla.allow(turn.condition.limit, turn.at, turn.book))
    turn.emit(FactKind.REOPENED, changes, reason=turn.inputs.reason, tell=(Told("owner"),))


def archive(turn: Turn) -> None:
    """The machine puts a closed case away once nobody can want anything of it."""
    case, book = turn.case, turn.book
    over = case.closed_at is not None and turn.at >= case.closed_at + timedelta(days=book.settings.archive_days)
    if (
        case.state is State.CLOSED
        and not case.history
        and over
        and not pending(case)
        and book.does(MachineRule.ARCHIVE)
    ):
        rule, action = MachineRule.ARCHIVE, Action.ARCHIVE
        turn.machine(FactKind.ARCHIVED, rule, turn.to(State.ARCHIVED), action=action, reason=rule.value)


def can_reopen(case: Case, book: Rulebook, now: datetime, actor: Actor) -> None:
    """The reporter has his days; who holds a post may until it is archived."""
    if any(post.role in (Role.DUTY_CHIEF, Role.VERIFIER, Role.DISTRICT) for post in actor.posts):
        return
    ended = case.closed_at or case.last_at
    if now > ended + timedelta(days=book.settings.reopen_days):
        raise TooLate("reopen")

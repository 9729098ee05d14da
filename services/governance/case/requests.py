"""延期 挂账 吹哨 作废 申诉: asked for by one, decided by another. A pending request stops no clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from services.governance import sla
from services.governance.acts import (
    Actor,
    ActorRef,
    Change,
    ClockChanged,
    ClockState,
    Counted,
    FactKind,
    FlagRaised,
    LeadAssigned,
    Request,
    RequestChanged,
    Told,
)
from services.governance.case.model import Case, clock_of, count_of, live_clock, pending
from services.governance.case.permits import covers
from services.governance.case.turn import Turn
from services.governance.cycle import Action, ClockKind, ClosedKind, Flag, Intent, MachineRule, Role, State
from services.governance.errors import (
    InvalidInput,
    LimitReached,
    MissingInput,
    NotPermitted,
    SeparationOfDuties,
    TooLate,
    UnknownRequest,
    Unsettled,
)
from services.governance.rulebook import Rulebook
from services.governance.tiers import is_urgent

_PAUSED = (ClockKind.HANDLING, ClockKind.CO_TASK, ClockKind.WHOLE, ClockKind.REPLY)


def _ask(turn: Turn, kind: Action, until: datetime | None = None, reason: str | None = None) -> Request:
    number = len(turn.case.requests) + 1
    return Request(
        request_id=f"{turn.case.case_id}:r{number}",
        kind=kind,
        by=turn.who,
        at=turn.at,
        status="pending",
        until=until,
        reason=reason,
    )


def _none_pending(case: Case, kind: Action) -> None:
    if any(r.kind is kind for r in pending(case)):
        raise Unsettled("request")


# --- asking ---------------------------------------------------------------------------------------------------------
def ask_extension(turn: Turn) -> None:
    request = _ask(turn, Action.EXTEND_REQUEST, reason=turn.inputs.reason)
    post = Role.DUTY_CHIEF if count_of(turn.case, "extensions") else Role.DISPATCHER
    tell = (Told(post.value, turn.case.spot.street),)
    turn.emit(FactKind.EXTENSION_REQUESTED, [RequestChanged(request)], reason=turn.inputs.reason, tell=tell)


def may_extend(case: Case, book: Rulebook, now: datetime, _actor: Actor) -> None:
    """Before the due time, and so often."""
    _none_pending(case, Action.EXTEND_REQUEST)
    if count_of(case, "extensions") >= book.settings.extensions_most:
        raise LimitReached("extension")
    handling = live_clock(case, ClockKind.HANDLING)
    if handling is None or now > handling.due_at:
        raise TooLate("extension")


def ask_suspension(turn: Turn) -> None:
    until = turn.inputs.until
    if until is None:
        raise MissingInput("until")
    latest = turn.at + timedelta(days=turn.book.settings.suspension_most_days)
    if not turn.at < until <= latest:
        raise InvalidInput("until", until.isoformat())
    request = _ask(turn, Action.SUSPEND_REQUEST, until, turn.inputs.reason)
    tell = (Told(_suspension_post(request, turn.book).value, turn.case.spot.street),)
    turn.emit(FactKind.SUSPENSION_REQUESTED, [RequestChanged(request)], reason=turn.inputs.reason, tell=tell)


def may_suspend(case: Case, _book: Rulebook, _now: datetime, _actor: Actor) -> None:
    _none_pending(case, Action.SUSPEND_REQUEST)
    if count_of(case, "suspensions"):
        raise LimitReached("suspension")


def whistle(turn: Turn) -> None:
    """The duty chief asks and a street leader signs; in danger the duty chief signs and the leader is told."""
    request = _ask(turn, Action.WHISTLE, reason=turn.inputs.kind)
    leader = (Told(Role.STREET_LEADER.value, turn.case.spot.street),)
    if turn.inputs.kind == "emergency" and is_urgent(turn.case.urgency):
        _whistled(turn, _decided(request, "approved", turn.who), leader)
        return
    turn.emit(FactKind.WHISTLE_REQUESTED, [RequestChanged(request)], reason=turn.inputs.kind, tell=leader)


def may_whistle(case: Case, _book: Rulebook, _now: datetime, _actor: Actor) -> None:
    _none_pending(case, Action.WHISTLE)
    if count_of(case, "whistle_refusals") > 1:
        raise LimitReached("whistle")


def ask_void(turn: Turn) -> None:
    request = _ask(turn, Action.VOID, reason=turn.inputs.reason)
    tell = (Told(Role.DUTY_CHIEF.value, turn.case.spot.street),)
    turn.emit(FactKind.VOID_REQUESTED, [RequestChanged(request)], reason=turn.inputs.reason, tell=tell)


def may_ask_void(case: Case, _book: Rulebook, _now: datetime, _actor: Actor) -> None:
    _none_pending(case, Action.VOID)


def appeal(turn: Turn) -> None:
    """The unit says why being late was not its fault. What was measured stays; only how it counts may change."""
    request = _ask(turn, Action.APPEAL_OVERDUE, reason=turn.inputs.reason)
    tell = (Told(Role.DISPATCHER.value, turn.case.spot.street),)
    turn.emit(FactKind.APPEALED, [RequestChanged(request)], reason=turn.inputs.reason, tell=tell)


def may_appeal(case: Case, _book: Rulebook, _now: datetime, _actor: Actor) -> None:
    """Once per case, against a close that was late."""
    if any(r.kind is Action.APPEAL_OVERDUE for r in case.requests):
        raise LimitReached("appeal")
    if case.closed_as is not ClosedKind.OVERDUE:
        raise Unsettled("in_time")


# --- deciding -------------------------------------------------------------------------------------------------------
def decidable(case: Case, book: Rulebook, actor: Actor) -> tuple[Request, ...]:
    """The pending requests that this actor may decide: he holds the post, and somebody else asked."""
    return tuple(r for r in pending(case) if _why_not(r, case, book, actor) is None)


def has_decidable(case: Case, book: Rulebook, _now: datetime, actor: Actor) -> None:
    """Whether there is one; else why not."""
    asked = pending(case)
    if not asked:
        raise UnknownRequest("")
    refusals = [_why_not(r, case, book, actor) for r in asked]
    if None not in refusals:
        refusal = refusals[0]
        raise refusal if refusal is not None else UnknownRequest("")


def _why_not(request: Request, case: Case, book: Rulebook, actor: Actor) -> NotPermitted | None:
    wanted = _deciders(request, case, book)
    if not any(p.role in wanted and covers(case, p.area) for p in actor.posts):
        return NotPermitted(Action.APPROVE, "post")
    if actor.account in (request.by.account, *(one.account for one in request.approvals)):
        return SeparationOfDuties(Action.APPROVE, "asked")
    return None


def _deciders(request: Request, case: Case, book: Rulebook) -> tuple[Role, ...]:
    if request.kind is Action.EXTEND_REQUEST:
        first = count_of(case, "extensions") == 0
        return (Role.DISPATCHER, Role.DUTY_CHIEF) if first else (Role.DUTY_CHIEF,)
    if request.kind is Action.SUSPEND_REQUEST:
        return (_suspension_post(request, book),)
    if request.kind is Action.WHISTLE:
        return (Role.STREET_LEADER,)
    if request.kind is Action.APPEAL_OVERDUE:
        return (Role.INTAKE_CLERK,) if request.approvals else (Role.DISPATCHER,)
    return (Role.DUTY_CHIEF,)


def _suspension_post(request: Request, book: Rulebook) -> Role:
    longest = timedelta(days=book.settings.suspension_leader_days)
    long_one = request.until is not None and request.until - request.at > longest
    return Role.STREET_LEADER if long_one else Role.DUTY_CHIEF


def _wanted(turn: Turn, actor: Actor) -> Request:
    """The request named, or the only one the actor may decide."""
    able = decidable(turn.case, turn.book, actor)
    named = turn.inputs.request
    if named is None and len(able) > 1:
        raise MissingInput("request")
    for request in able:
        if named in (None, request.request_id):
            return request
    raise UnknownRequest(named or "")


def _decided(request: Request, status: str, by: ActorRef) -> Request:
    return replace(request, status=status, approvals=(*request.approvals, by))


def approve(turn: Turn, actor: Actor) -> None:
    """What was asked for happens now; the asker is told."""
    request = _wanted(turn, actor)
    done = _decided(request, "approved", turn.who)
    tell = (Told("lead_unit", turn.case.lead or ""),)
    if request.kind is Action.EXTEND_REQUEST:
        _extended(turn, done, tell)
    elif request.kind is Action.SUSPEND_REQUEST:
        _suspended(turn, done, tell)
    elif request.kind is Action.WHISTLE:
        _whistled(turn, done, tell)
    elif request.kind is Action.APPEAL_OVERDUE:
        _appeal_passed(turn, request, done, tell)
    else:
        changes: list[Change] = [RequestChanged(done), *_voided(turn, done)]
        turn.emit(FactKind.VOIDED, changes, reason=request.reason, tell=tell)


def deny(turn: Turn, actor: Actor) -> None:
    request = _wanted(turn, actor)
    changes = [RequestChanged(_decided(request, "denied", turn.who))]
    turn.emit(FactKind.REQUEST_DENIED, changes, reason=request.kind.value, tell=(Told("lead_unit", ""),))


def _extended(turn: Turn, done: Request, tell: tuple[Told, ...]) -> None:
    """As much again as the limit first given; what was due originally stays on record."""
    case, book = turn.case, turn.book
    handling = live_clock(case, ClockKind.HANDLING)
    if handling is None:
        raise UnknownRequest(done.request_id)
    limit = turn.condition.limit
    more = sla.allow(limit, handling.started_at, book).seconds
    longer = sla.extend(handling, more, book, case.urgency)
    changes: list[Change] = [RequestChanged(done), ClockChanged(longer, "extended"), Counted("extensions")]
    whole = live_clock(case, ClockKind.WHOLE)
    if whole is not None and whole.basis == handling.basis:
        changes.append(ClockChanged(sla.extend(whole, more, book, case.urgency), "extended"))
    turn.emit(FactKind.EXTENDED, changes, reason=done.reason, tell=tell)


def _suspended(turn: Turn, done: Request, tell: tuple[Told, ...]) -> None:
    until = done.until
    if until is None or until <= turn.at:
        raise TooLate("suspension")
    if turn.case.state is not State.HANDLING:
        raise UnknownRequest(done.request_id)
    changes: list[Change] = [RequestChanged(done), Counted("suspensions"), *turn.to(State.SUSPENDED)]
    changes += turn.hold(*_PAUSED)
    changes += turn.begin(ClockKind.REVIEW, sla.allow_until(turn.at, until))
    turn.emit(FactKind.SUSPENDED, changes, reason=done.reason, tell=tell)


def _appeal_passed(turn: Turn, request: Request, done: Request, tell: tuple[Told, ...]) -> None:
    """Two look at it: the dispatcher first, then the intake clerk, whose word exempts."""
    if request.approvals:
        turn.emit(
            FactKind.EXEMPTED, [RequestChanged(done), FlagRaised(Flag.OVERDUE_EXEMPT)], reason=done.reason, tell=tell
        )
        return
    half = replace(done, status="pending")
    told = (Told(Role.INTAKE_CLERK.value, turn.case.spot.street),)
    turn.emit(FactKind.APPEALED, [RequestChanged(half)], reason=done.reason, tell=told)


def resume(turn: Turn) -> None:
    turn.emit(FactKind.RESUMED, resumption(turn), tell=(Told("lead_unit", turn.case.lead or ""),))


def resumption(turn: Turn) -> list[Change]:
    """Back to the handling it left, with exactly the time that remained."""
    changes = turn.to(turn.case.state_before or State.HANDLING)
    changes += turn.halt(ClockKind.REVIEW)
    return changes + turn.run_on()


def resume_by_machine(turn: Turn) -> None:
    tell = (Told("lead_unit", turn.case.lead or ""),)
    changes = resumption(turn)
    turn.machine(FactKind.RESUMED, MachineRule.RESUME_REVIEW, changes, action=Action.RESUME, tell=tell)


def _voided(turn: Turn, done: Request) -> list[Change]:
    ended = turn.finish(State.VOID, None)
    return [c for c in ended if not (isinstance(c, RequestChanged) and c.request.request_id == done.request_id)]


# --- the whistle ----------------------------------------------------------------------------------------------------
def _whistled(turn: Turn, done: Request, tell: tuple[Told, ...]) -> None:
    """The district is asked to take over; the street's own clocks stop, the district's answer clock starts."""
    kinds = (ClockKind.HANDLING, ClockKind.RESPONSE, ClockKind.DISPATCH, ClockKind.RETURN_WINDOW)
    changes: list[Change] = [RequestChanged(done), *turn.to(State.AT_DISTRICT)]
    changes += turn.halt(*kinds)
    changes += turn.drop_tasks("lead")
    changes += [LeadAssigned(None)] if turn.case.lead is not None else []
    changes += turn.begin(ClockKind.DISTRICT_RESPONSE)
    told = (*tell, Told(Role.DISTRICT.value, "district"))
    turn.emit(FactKind.ESCALATED, changes, reason=done.reason, intent=Intent.WHISTLE, tell=told)


def answer_whistle(turn: Turn) -> None:
    changes = turn.to(State.DISTRICT_HANDLING)
    changes += turn.halt(ClockKind.DISTRICT_RESPONSE)
    changes += turn.begin(ClockKind.DISTRICT_HANDLING)
    turn.emit(FactKind.WHISTLE_ANSWERED, changes, tell=(Told(Role.DUTY_CHIEF.value, turn.case.spot.street),))


def refuse_whistle(turn: Turn) -> None:
    """Back to the street; a handling clock that had begun counts on as if it had not stopped."""
    changes: list[Change] = [Counted("whistle_refusals"), *turn.to(State.FILED)]
    changes += turn.halt(ClockKind.DISTRICT_RESPONSE)
    handling = clock_of(turn.case, ClockKind.HANDLING)
    if handling is not None and handling.state is ClockState.STOPPED:
        changes.append(ClockChanged(sla.revive(handling), "resumed"))
    changes += turn.begin(ClockKind.DISPATCH)
    tell = (Told(Role.DUTY_CHIEF.value, turn.case.spot.street),)
    turn.emit(FactKind.WHISTLE_REFUSED, changes, reason=turn.inputs.reason, tell=tell)

"""延期 挂账 作废 申诉 吹哨: what happens when one of them is granted, and on which conditions it may be asked for."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.governance import sla
from services.governance.acts import (
    Actor,
    Change,
    ClockChanged,
    ClockState,
    Counted,
    FactKind,
    FlagRaised,
    LeadAssigned,
    Told,
)
from services.governance.case.model import Case, clock_of, count_of, live_clock
from services.governance.case.turn import Turn
from services.governance.cycle import Action, ClockKind, ClosedKind, Flag, Intent, MachineRule, Role, State
from services.governance.errors import (
    InvalidInput,
    LimitReached,
    NotPermitted,
    NotYet,
    TooLate,
    Unsettled,
)
from services.governance.rulebook import Rulebook
from services.governance.tiers import is_urgent

_PAUSED = (
    ClockKind.HANDLING,
    ClockKind.COMMUNITY_DISPOSAL,
    ClockKind.DISTRICT_HANDLING,
    ClockKind.CO_TASK,
    ClockKind.WHOLE,
    ClockKind.REPLY,
)


WORK_CLOCK = {
    State.COMMUNITY_HANDLING: ClockKind.COMMUNITY_DISPOSAL,
    State.HANDLING: ClockKind.HANDLING,
    State.DISTRICT_HANDLING: ClockKind.DISTRICT_HANDLING,
}
_HELD_BY = {
    State.COMMUNITY_HANDLING: Role.COMMUNITY_SECRETARY,
    State.HANDLING: Role.HANDLING_UNIT,
    State.DISTRICT_HANDLING: Role.DISTRICT,
}


# --- 延期 -------------------------------------------------------------------------------------------------------------
def extend(turn: Turn) -> None:
    """As much again as the limit first given; what was due originally stays on record."""
    case, book = turn.case, turn.book
    work = live_clock(case, WORK_CLOCK[case.state])
    if work is None:
        raise TooLate("extension")
    more = sla.allow(book.limit_of(turn.condition, work.kind), work.started_at, book).seconds
    longer = sla.extend(work, more, book, case.urgency)
    changes: list[Change] = [ClockChanged(longer, "extended"), Counted("extensions")]
    whole = live_clock(case, ClockKind.WHOLE)
    if whole is not None and whole.basis == work.basis:
        changes.append(ClockChanged(sla.extend(whole, more, book, case.urgency), "extended"))
    turn.emit(FactKind.EXTENDED, changes, reason=turn.inputs.reason)


def may_extend(case: Case, book: Rulebook, _now: datetime, _actor: Actor) -> None:
    """So often, and only what runs."""
    if count_of(case, "extensions") >= book.settings.extensions_most:
        raise LimitReached("extension")
    if live_clock(case, WORK_CLOCK[case.state]) is None:
        raise TooLate("extension")


def in_time(case: Case, _book: Rulebook, now: datetime, _actor: Actor) -> None:
    """It is asked for before the due time; deciding may take longer."""
    work = live_clock(case, WORK_CLOCK[case.state])
    if work is None or now > work.due_at:
        raise TooLate("extension")


# --- 挂账 -------------------------------------------------------------------------------------------------------------
def suspend(turn: Turn) -> None:
    until = turn.inputs.until
    latest = turn.at + timedelta(days=turn.book.settings.suspension_most_days)
    if until is None or not turn.at < until <= latest:
        raise InvalidInput("until", until.isoformat() if until else None)
    changes: list[Change] = [Counted("suspensions"), *turn.to(State.SUSPENDED)]
    changes += turn.hold(*_PAUSED)
    changes += turn.begin(ClockKind.REVIEW, sla.allow_until(turn.at, until))
    turn.emit(FactKind.SUSPENDED, changes, reason=turn.inputs.reason)


def may_suspend(case: Case, _book: Rulebook, _now: datetime, _actor: Actor) -> None:
    if count_of(case, "suspensions"):
        raise LimitReached("suspension")


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


def held_it(case: Case, _book: Rulebook, _now: datetime, actor: Actor) -> None:
    """Who asks for a case that has left his hands had it in them; the dispatcher asks for any."""
    holder = _HELD_BY.get(case.state_before) if case.state_before else None
    if not any(post.role in (holder, Role.DISPATCHER) for post in actor.posts):
        raise NotPermitted(Action.RESUME, "holder")


# --- 作废 申诉 ---------------------------------------------------------------------------------------------------
def void(turn: Turn) -> None:
    turn.emit(FactKind.VOIDED, turn.finish(State.VOID, None), reason=turn.inputs.reason)


def was_filed(case: Case, _book: Rulebook, _now: datetime, _actor: Actor) -> None:
    """What was never filed is refused or declined; what the dispatcher gave back may be void as well."""
    if case.state is State.AT_STREET and not count_of(case, "sent_to_intake"):
        raise NotYet("file")


def exempt(turn: Turn) -> None:
    """Being late was not its fault. What was measured stays; only how it counts changes."""
    turn.emit(FactKind.EXEMPTED, [FlagRaised(Flag.OVERDUE_EXEMPT)], reason=turn.inputs.reason)


def was_late(case: Case, _book: Rulebook, _now: datetime, _actor: Actor) -> None:
    if case.closed_as is not ClosedKind.OVERDUE:
        raise Unsettled("in_time")


def may_appeal(case: Case, book: Rulebook, now: datetime, actor: Actor) -> None:
    """Once per case, by who handled it."""
    if any(r.kind is Action.APPEAL_OVERDUE for r in case.requests):
        raise LimitReached("appeal")
    held_it(case, book, now, actor)


# --- the whistle ----------------------------------------------------------------------------------------------------
def whistle(turn: Turn) -> None:
    """The district is asked to take over; the street's own clocks stop, the district's answer clock starts."""
    kinds = (ClockKind.HANDLING, ClockKind.RESPONSE, ClockKind.DISPATCH, ClockKind.RETURN_WINDOW)
    changes: list[Change] = turn.to(State.AT_DISTRICT)
    changes += turn.halt(*kinds)
    changes += turn.drop_tasks("lead")
    changes += [LeadAssigned(None)] if turn.case.lead is not None else []
    changes += turn.begin(ClockKind.DISTRICT_RESPONSE)
    tell = (Told(Role.STREET_LEADER.value, turn.case.spot.street), Told(Role.DISTRICT.value, "district"))
    turn.emit(FactKind.ESCALATED, changes, reason=turn.inputs.kind, intent=Intent.WHISTLE, tell=tell)


def may_whistle(case: Case, _book: Rulebook, _now: datetime, _actor: Actor) -> None:
    """Once more after a refusal, no more."""
    if count_of(case, "whistle_refusals") > 1:
        raise LimitReached("whistle")


def in_danger(case: Case, _book: Rulebook, _now: datetime, _actor: Actor) -> None:
    """In danger the duty chief signs the first whistle himself; a leader signs every other."""
    if not is_urgent(case.urgency) or count_of(case, "whistle_refusals"):
        raise NotPermitted(Action.WHISTLE, "leader_signs")


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

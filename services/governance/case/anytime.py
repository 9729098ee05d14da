"""What may happen in any live state: urging, supervising, noting, withdrawing; and taking a machine act back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from services.governance import sla
from services.governance.acts import (
    Actor,
    Change,
    Classified,
    Clock,
    ClockChanged,
    ClockState,
    ClosedAs,
    Counted,
    FactKind,
    FlagDropped,
    FlagRaised,
    Restored,
    TaskState,
    Told,
    Undo,
)
from services.governance.case.model import OPEN_TASKS, Case
from services.governance.case.permits import covers
from services.governance.case.turn import Turn
from services.governance.cycle import CYCLE, Action, ClockKind, Flag, MachineRule, Role, State
from services.governance.errors import InvalidInput, MissingInput, NotPermitted, NotYet, TooLate, Unsettled
from services.governance.rulebook import Rulebook
from services.governance.tiers import AGAIN
from services.governance.worktime import seconds_of, spent


def urge(turn: Turn) -> None:
    turn.emit(FactKind.URGED, [FlagRaised(Flag.URGED)], tell=(Told("owner"),))


def may_urge(case: Case, book: Rulebook, now: datetime, _actor: Actor) -> None:
    """Not again before the rulebook's gap has passed."""
    if case.last_urged is None:
        return
    gap = book.settings.urge_gap
    needed = seconds_of(gap, case.last_urged, book.calendar, book.settings.convention)
    if spent(case.last_urged, now, gap.basis, book.calendar) < needed:
        raise NotYet("urge_gap")


def supervise(turn: Turn) -> None:
    """An order to answer by a moment; the case does not close without the answer."""
    until = turn.inputs.until
    if until is None or until <= turn.at:
        raise InvalidInput("until")
    changes: list[Change] = [FlagRaised(Flag.SUPERVISED)]
    changes += turn.begin(ClockKind.SUPERVISION, sla.allow_until(turn.at, until))
    turn.emit(FactKind.SUPERVISED, changes, reason=turn.inputs.kind, tell=(Told("owner"),))


def not_supervised(case: Case, _book: Rulebook, _now: datetime, _actor: Actor) -> None:
    if Flag.SUPERVISED in case.flags:
        raise Unsettled("supervision")


def reply(turn: Turn) -> None:
    changes: list[Change] = [FlagDropped(Flag.SUPERVISED), *turn.halt(ClockKind.SUPERVISION)]
    turn.emit(FactKind.SUPERVISION_ANSWERED, changes, tell=(Told("issuer"),))


def is_supervised(case: Case, _book: Rulebook, _now: datetime, _actor: Actor) -> None:
    if Flag.SUPERVISED not in case.flags:
        raise TooLate("supervision")


def note(turn: Turn) -> None:
    turn.emit(FactKind.NOTED)


def call_conference(turn: Turn) -> None:
    """Several units at one table; the work and its clocks go on. The committee advises, it neither rules nor orders."""
    street = turn.case.spot.street
    units = tuple(Told("HU", turn.book.require_unit(unit).code) for unit in turn.inputs.co_units)
    tell = (*units, Told(Role.DUTY_CHIEF.value, street), Told(Role.STREET_COMMITTEE.value, street))
    turn.emit(FactKind.CONFERENCE_CALLED, [FlagRaised(Flag.IN_CONFERENCE), Counted("conferences")], tell=tell)


def not_in_conference(case: Case, _book: Rulebook, _now: datetime, _actor: Actor) -> None:
    if Flag.IN_CONFERENCE in case.flags:
        raise Unsettled("conference")


def hold_conference(turn: Turn) -> None:
    """What came of it. A decision names who does it and until when; the units' work is given by who may give it."""
    given = turn.inputs
    units = tuple(Told("HU", turn.book.require_unit(unit).code) for unit in given.co_units)
    if given.reason == "decided" and not units:
        raise MissingInput("co_units")
    if given.reason == "decided" and (given.until is None or given.until <= turn.at):
        raise MissingInput("until") if given.until is None else InvalidInput("until", given.until.isoformat())
    tell = (*units, Told("owner"), Told(Role.DUTY_CHIEF.value, turn.case.spot.street))
    turn.emit(FactKind.CONFERENCE_HELD, [FlagDropped(Flag.IN_CONFERENCE)], reason=given.reason, tell=tell)


def in_conference(case: Case, _book: Rulebook, _now: datetime, _actor: Actor) -> None:
    if Flag.IN_CONFERENCE not in case.flags:
        raise TooLate("conference")


# --- the reporter ---------------------------------------------------------------------------------------------------
def ask_reporter(turn: Turn) -> None:
    """A question, at any time and beside all clocks; it shows with every reporter of the case."""
    turn.emit(FactKind.REPORTER_ASKED, [FlagRaised(Flag.ASKED_REPORTER)], tell=(Told("caller"),))


def answer_question(turn: Turn) -> None:
    turn.emit(FactKind.REPORTER_ANSWERED, [FlagDropped(Flag.ASKED_REPORTER)], tell=(Told("owner"),))


def was_asked(case: Case, _book: Rulebook, _now: datetime, _actor: Actor) -> None:
    if Flag.ASKED_REPORTER not in case.flags:
        raise TooLate("question")


def withdraw(turn: Turn) -> None:
    """The reporter says why, by a code or in his own words."""
    if not (turn.inputs.reason or turn.inputs.note):
        raise MissingInput("reason")
    turn.emit(FactKind.WITHDRAWN, turn.finish(State.VOID, None), reason=turn.inputs.reason)


def may_withdraw(case: Case, _book: Rulebook, _now: datetime, _actor: Actor) -> None:
    """Nobody takes back what others have reported too."""
    if len(case.reports) > 1:
        raise Unsettled("other_reports")


# --- recall ---------------------------------------------------------------------------------------------------------
def can_recall(case: Case, book: Rulebook, now: datetime, actor: Actor) -> None:
    """Within the window, nobody has acted since, by a holder of the state before."""
    undo = case.undo
    if undo is None or now > undo.at + timedelta(seconds=book.settings.recall_s):
        raise TooLate("recall")
    roles = CYCLE[undo.state].owner
    if not any(p.role in roles and covers(case, p.area) for p in actor.posts):
        raise NotPermitted(Action.RECALL, "holder")


def recall(turn: Turn) -> None:
    """A compensating fact: state, owner, tasks and clocks as if the machine's act had not been."""
    undo = turn.case.undo
    if undo is None:
        raise TooLate("recall")
    _take_back(turn, undo, FactKind.RECALLED)


def undo(turn: Turn) -> None:
    """The same for what a person has just done himself, while nothing has happened since."""
    last, settings = turn.around.last_act, turn.book.settings
    if last is None or last.account != turn.who.account or last.undo.rule not in settings.undo:
        raise TooLate("undo")
    if turn.at > last.undo.at + timedelta(seconds=settings.undo_s):
        raise TooLate("undo")
    _take_back(turn, last.undo, FactKind.UNDONE)


def _take_back(turn: Turn, undo: Undo, kind: FactKind) -> None:
    case, changes = turn.case, list[Change]([Restored(undo)])
    if case.closed_as is not None:
        changes.append(ClosedAs(None))
    kept = {t.task_id for t in undo.tasks}
    changes += [
        turn.task_as(t, TaskState.DROPPED) for t in case.tasks if t.task_id not in kept and t.state in OPEN_TASKS
    ]
    reclassed = _calmed(turn, undo)
    changes += clocks_back(turn, undo, reclassed)
    changes += [reclassed] if reclassed is not None else []
    changes += [FlagRaised(Flag.NO_RULE)] if Flag.NO_RULE in case.flags and Flag.NO_RULE not in undo.flags else []
    turn.emit(kind, changes, reason=undo.rule, tell=(Told("owner"), Told(Role.DUTY_CHIEF.value)))


def _calmed(turn: Turn, undo: Undo) -> Classified | None:
    """An alert for danger is only taken back together with the danger."""
    if undo.rule != MachineRule.ALERT_URGENT:
        return None
    urgency = turn.inputs.urgency
    if urgency is None:
        raise MissingInput("urgency")
    case = turn.case
    return Classified(case.category, case.condition, urgency, case.restricted, proposed=False)


def clocks_back(turn: Turn, undo: Undo, reclassed: Classified | None = None) -> list[ClockChanged]:
    """Every clock as if it had not stopped; what has begun since ends."""
    before = {c.clock_id: c for c in undo.clocks}
    changes: list[ClockChanged] = []
    for clock in turn.case.clocks:
        was = before.get(clock.clock_id)
        if was is not None:
            changes.append(ClockChanged(_as_before(turn, was, clock, reclassed), "recalled"))
        elif clock.state is not ClockState.STOPPED:
            changes.append(ClockChanged(sla.stop(clock, turn.at, turn.book.calendar), "recalled"))
    return changes


def _as_before(turn: Turn, was: Clock, now: Clock, reclassed: Classified | None) -> Clock:
    fired, book = tuple(dict.fromkeys((*was.fired, *now.fired))), turn.book
    rungs = (*(r for r in was.rungs if r.rung < AGAIN), *(r for r in now.rungs if r.rung >= AGAIN))
    back = replace(was, rev=max(was.rev, now.rev) + 1, fired=fired, rungs=rungs)
    if was.calendar_rev != now.calendar_rev and was.running_since is not None:
        back = sla.extend(back, 0, book, turn.case.urgency)  # the calendar has changed since
    if reclassed is None or back.kind is not ClockKind.WHOLE:
        return back
    condition = book.condition_of(reclassed.condition, turn.case.danger)
    allowance = sla.whole_case(condition, reclassed.urgency, back.started_at, book)
    return sla.recompute(back, allowance, book, reclassed.urgency)

"""A report comes in: a new case, one more report of a known one, or a recorded outcome from elsewhere."""

from __future__ import annotations

from services.governance import sla
from services.governance.acts import (
    Absorbed,
    AttachPhoto,
    Change,
    Classified,
    ClockStarted,
    ClosedAs,
    FactKind,
    FlagRaised,
    OpenCase,
    Opened,
    Owner,
    OwnerChanged,
    RecordedOutcome,
    ReportAttached,
    StateChanged,
    TookIn,
)
from services.governance.case import calling, merging
from services.governance.case.classify import propose, recurs, routed_for
from services.governance.case.machine import alert, auto_dispatch, call_up_by_machine
from services.governance.case.terms import asked_by, shortened
from services.governance.case.turn import Turn, runs
from services.governance.cycle import Action, ClockKind, ClosedKind, Flag, MachineRule, Role, State, Tier
from services.governance.sla import Allowance
from services.governance.tiers import is_urgent


def open_case(turn: Turn, command: OpenCase) -> None:
    """First the report, with what the machine proposes; then what follows at once from danger or from the reporter."""
    if command.recorded is not None:
        _recorded(turn, command, command.recorded)
        return
    _reported(turn, command)
    case = turn.case
    if is_urgent(case.urgency):
        alert(turn, by_reporter=command.direct)
    elif command.on_the_spot is not None:
        turn.action = Action.SELF_RESOLVE_DONE
        calling.settle_in_grid(turn, command.on_the_spot)
    elif command.call_now and case.spot.community is not None:
        turn.action = Action.CALL_UP
        turn.emit(FactKind.CALLED, calling.into_community(turn), tell=calling.told_community(case))
    elif command.in_grid and case.spot.grid is not None:
        turn.action = Action.SELF_RESOLVE_START
        calling.self_resolve_start(turn)
    elif case.spot.grid is None or not turn.around.grid_has_branch:
        call_up_by_machine(turn, MachineRule.ASSIGN_BRANCH, "no_branch")
    auto_dispatch(turn)


def _reported(turn: Turn, command: OpenCase) -> None:
    book, spot = turn.book, command.spot
    classified = propose(command, book)
    routed = routed_for(command, classified, book)
    grid = spot.grid or spot.community or spot.street
    changes: list[Change] = [
        Opened(command, book.version, book.street.code),
        classified,
        routed,
        OwnerChanged(Owner(Tier.GRID, grid, Role.GRID_SECRETARY)),
    ]
    changes += [FlagRaised(Flag.NO_RULE)] if routed.line is None else []
    changes += [FlagRaised(Flag.CROSS_BORDER)] if spot.cell is None and spot.lng is not None else []
    changes += recurs(book, turn.around.before)
    terms = (asked_by(command, command.case_id, turn.at, None, False),) if command.due else ()
    changes += [TookIn(terms)] if terms else []
    changes += _first_clocks(turn, command, classified, terms)
    turn.action = Action.REPORT
    tell = calling.told_branch(spot)
    turn.emit(FactKind.REPORTED, changes, tell=tell, rule=MachineRule.ASSIGN_BRANCH)


def _first_clocks(turn: Turn, command: OpenCase, classified: Classified, terms: tuple[Absorbed, ...]) -> list[Change]:
    """From the report itself: the whole case, and the branch's time to assess (or the reply's alone)."""
    book, at, urgency = turn.book, command.reported_at, classified.urgency
    condition = book.condition_of(classified.condition, command.danger or command.life)
    written = {k: book.limit_of(condition, k) for k in (ClockKind.GRID_RESPONSE, ClockKind.REPLY)}
    allowed: dict[ClockKind, Allowance] = {ClockKind.WHOLE: sla.whole_case(condition, urgency, at, book)}
    allowed |= {kind: sla.allow(budget, at, book) for kind, budget in written.items()}
    clocks = (
        sla.start(book, f"{command.case_id}:{kind.value}:1", kind, allowance, at, urgency)
        for kind, allowance in allowed.items()
        if runs(command.nature, kind)
    )
    return [ClockStarted(shortened(clock, terms, book, urgency)) for clock in clocks]


# --- recorded elsewhere ---------------------------------------------------------------------------------------------
def _recorded(turn: Turn, command: OpenCase, outcome: RecordedOutcome) -> None:
    """History: its own times, unit and outcome; no clock, no call. The rulebook's own choice is stored beside it."""
    book = turn.book
    classified = propose(command, book)
    routed = routed_for(command, classified, book, outcome.unit)
    changes: list[Change] = [Opened(command, book.version, book.street.code), classified, routed]
    if outcome.closed:
        changes.append(StateChanged(State.CLOSED))
    else:
        changes.append(StateChanged(State.HANDLING if outcome.unit else State.AT_STREET))
        changes.append(OwnerChanged(Owner(Tier.STREET, outcome.unit or command.spot.street, Role.HANDLING_UNIT)))
    changes += [FlagRaised(Flag.OVERDUE)] if outcome.overdue else []
    ended = (outcome.closed_at or command.reported_at) if outcome.closed else None
    changes.append(ClosedAs(ClosedKind.RECORDED if outcome.closed else None, outcome.unit, ended))
    turn.action = Action.REPORT
    turn.emit(FactKind.RECORDED, changes, rule=MachineRule.PROPOSE_CLASS)


# --- one more of the same -------------------------------------------------------------------------------------------
def attach_report(turn: Turn, command: OpenCase) -> None:
    """Another report of a known matter: its reporters follow this case."""
    if command.report_id not in turn.case.reports:
        turn.action = Action.REPORT
        attached = ReportAttached(command.report_id, external=command.external)
        turn.emit(FactKind.REPORT_ATTACHED, [attached, *merging.terms_of(turn, command)])


def attach_photo(turn: Turn, command: AttachPhoto) -> None:
    """A photo that a report named has arrived; the same one again changes nothing."""
    if command.photo_id not in turn.case.photos:
        turn.emit(FactKind.REPORT_ATTACHED, [ReportAttached(command.report_id, (command.photo_id,))])

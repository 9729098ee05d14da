"""`decide`: what a command makes happen, as facts. Settles every clock point that has passed first, then the command.

A refusal raises and changes nothing; a repeated or outdated command gives no facts.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from services.governance.acts import (
    Absorb,
    Act,
    Archive,
    Around,
    AttachPhoto,
    ClockState,
    Command,
    Fact,
    Follow,
    Input,
    Inputs,
    OpenCase,
    Recompute,
    Release,
    TimerFired,
)
from services.governance.case import closing, merging, opening
from services.governance.case.machine import settle
from services.governance.case.model import Case
from services.governance.case.offers import fields_of, offers
from services.governance.case.permits import permit
from services.governance.case.recompute import recompute
from services.governance.case.rows import EFFECTS, ask, road
from services.governance.case.turn import Turn
from services.governance.errors import IllegalTransition, InvalidInput, MissingInput, NotPermitted
from services.governance.moves import BY_STEP, GRANTS
from services.governance.rulebook import Rulebook

_ALONE = Around()
_INSTANT = timedelta(microseconds=1)


def decide(
    case: Case | None, command: Command, rulebook: Rulebook, now: datetime, around: Around = _ALONE
) -> tuple[Fact, ...]:
    """The facts that follow. Raises a `GovernanceError` where the command is refused."""
    return advance(case, command, rulebook, now, around)[0]


def advance(
    case: Case | None, command: Command, rulebook: Rulebook, now: datetime, around: Around = _ALONE
) -> tuple[tuple[Fact, ...], Case | None]:
    """`decide` and the case after its facts, for callers that need both."""
    if case is not None and _is_repeated(case, command):
        return (), case
    if isinstance(command, TimerFired):
        now = max(now, command.due_at + _INSTANT)  # it fired because its moment had come
    turn = Turn(case, rulebook, now if case is None else max(now, case.last_at), around)
    if case is not None and not case.history:
        settle(turn, turn.at)
    match command:
        case OpenCase():
            _opened(turn, command)
        case Act():
            _acted(turn, command)
        case AttachPhoto():
            opening.attach_photo(turn, command)
        case TimerFired():
            pass  # settling was all of it
        case Archive():
            closing.archive(turn)
        case Absorb():
            merging.absorb(turn, command)
        case Release():
            merging.release(turn, command)
        case Follow():
            merging.follow(turn, command)
        case Recompute():
            recompute(turn, command.change)
    if case is not None and isinstance(command, Absorb | Release | OpenCase):
        settle(turn, turn.at)  # under other terms something may have been due before now
    return tuple(turn.facts), turn.maybe


def _is_repeated(case: Case, command: Command) -> bool:
    """The same act again, or a timer that was armed for another due time."""
    if isinstance(command, Act):
        return f"{command.action.value}:{command.op_id}" in case.operations
    if isinstance(command, TimerFired):
        return _is_stale(case, command)
    return False


def _is_stale(case: Case, fired: TimerFired) -> bool:
    clock = next((c for c in case.clocks if c.clock_id == fired.clock_id), None)
    if clock is None or clock.rev != fired.rev or clock.state is not ClockState.RUNNING:
        return True
    return fired.rung in clock.fired


def _opened(turn: Turn, command: OpenCase) -> None:
    turn.who = command.reporter
    if turn.maybe is None:
        opening.open_case(turn, command)
    else:
        opening.attach_report(turn, command)


def _acted(turn: Turn, act: Act) -> None:
    """State, post, conditions, inputs: in this order, so that the answer names the first thing in the way."""
    case, book = turn.case, turn.book
    move = BY_STEP.get((act.action, case.state))
    if permit(case, act.actor, GRANTS[act.action]) is None:
        raise NotPermitted(act.action)
    if move is None or case.history:
        allowed = tuple(offer.action for offer in offers(case, act.actor, book, turn.at))
        raise IllegalTransition(case.state, act.action, allowed)
    grant, who = road(move, case, book, turn.at, act.actor)
    check_inputs(fields_of(move, book), act.inputs)
    turn.who, turn.action, turn.inputs, turn.op_id = who, act.action, act.inputs, act.op_id
    if grant.ask:
        ask(turn, move, act.actor)
    else:
        EFFECTS[move.row](turn, act.actor)


def check_inputs(fields: Iterable[Input], inputs: Inputs) -> None:
    """Required fields hold something; choices hold one of theirs. Raises on the first that does not."""
    for field in fields:
        value = getattr(inputs, field.name)
        if value is None or value in ("", ()):
            if field.required:
                raise MissingInput(field.name)
        elif field.choices and value not in field.choices:
            raise InvalidInput(field.name, str(value), field.choices)

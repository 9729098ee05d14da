"""○ and ◆: what one post asks for and another decides. One way for every row of the table.

A request keeps the action and its inputs. Who approves it carries the row out as his own act, under the conditions of
that moment; what could not be done now can neither be asked for nor approved. A request stops no clock, lapses with
its state and ends with its case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from services.governance.acts import (
    Actor,
    Around,
    CaseRef,
    FactKind,
    Inputs,
    InputType,
    Other,
    Request,
    RequestChanged,
    Told,
)
from services.governance.case.coordination import ruling_post
from services.governance.case.model import Case, count_of, pending
from services.governance.case.permits import permit
from services.governance.case.turn import Turn
from services.governance.cycle import Action, Role, State
from services.governance.errors import (
    GovernanceError,
    MissingInput,
    NotPermitted,
    SeparationOfDuties,
    UnknownRequest,
    Unsettled,
)
from services.governance.moves import BY_STEP, Grant, Move, Scope
from services.governance.rulebook import Rulebook

CarryOut = Callable[[Turn, Move, Actor], None]
"""Does what a row does, after its conditions have been asked."""


# --- who decides ----------------------------------------------------------------------------------------------------
def _extension(case: Case, _book: Rulebook, _inputs: Inputs, _now: datetime) -> tuple[Role, ...]:
    return (Role.DUTY_CHIEF,) if count_of(case, "extensions") else (Role.DISPATCHER, Role.DUTY_CHIEF)


def _suspension(_case: Case, book: Rulebook, inputs: Inputs, now: datetime) -> tuple[Role, ...]:
    longest = timedelta(days=book.settings.suspension_leader_days)
    return (Role.STREET_LEADER if inputs.until is not None and inputs.until - now > longest else Role.DUTY_CHIEF,)


def _ruling(case: Case, _book: Rulebook, _inputs: Inputs, _now: datetime) -> tuple[Role, ...]:
    return (ruling_post(case),)


def _always(*roles: Role) -> Callable[[Case, Rulebook, Inputs, datetime], tuple[Role, ...]]:
    return lambda _case, _book, _inputs, _now: roles


# Of the posts that may do or approve the action, those whose word counts; not named here: all of them.
_DECIDERS: Mapping[Action, Callable[[Case, Rulebook, Inputs, datetime], tuple[Role, ...]]] = {
    Action.CALL_UP: _always(Role.GRID_SECRETARY),
    Action.RULE: _ruling,
    Action.EXTEND_REQUEST: _extension,
    Action.SUSPEND_REQUEST: _suspension,
    Action.WHISTLE: _always(Role.STREET_LEADER),
    Action.CLOSE: _always(Role.DUTY_CHIEF),
    Action.APPEAL_OVERDUE: _always(Role.DISPATCHER),
}
_THEN = {Action.APPEAL_OVERDUE: Role.INTAKE_CLERK}
"""Two look at it: the second's word grants."""
_CODE: Mapping[Scope, Callable[[Case], str]] = {
    Scope.DISTRICT: lambda _: "district",
    Scope.CO: lambda case: case.lead or "",
    Scope.LEAD: lambda case: case.lead or "",
}


def _deciders(move: Move, case: Case, book: Rulebook, inputs: Inputs, now: datetime) -> tuple[Role, ...]:
    wanted = _DECIDERS.get(move.action)
    return wanted(case, book, inputs, now) if wanted else tuple(dict.fromkeys(g.role for g in move.deciding))


def _told(case: Case, grants: tuple[Grant, ...], roles: tuple[Role, ...]) -> tuple[Told, ...]:
    codes = {Role.GRID_SECRETARY: case.spot.grid, Role.COMMUNITY_SECRETARY: case.spot.community}
    street = case.spot.street
    where = {g.role: _CODE[g.scope](case) if g.scope in _CODE else codes.get(g.role, street) or street for g in grants}
    return tuple(Told(role.value, where.get(role, street)) for role in roles)


# --- asking ---------------------------------------------------------------------------------------------------------
def ask(turn: Turn, move: Move, actor: Actor, carry_out: CarryOut) -> None:
    """Keep the wish with its codes; words stay with who took them. What cannot be done now cannot be asked for."""
    case, book = turn.case, turn.book
    none_pending(case, move.action)
    typed = {field.name: None for field in move.inputs if field.type is InputType.TEXT}
    given = replace(turn.inputs, request=None, **typed)  # type: ignore[arg-type] # text fields may all be empty
    roles = _deciders(move, case, book, given, turn.at)
    request = Request(
        request_id=f"{case.case_id}:r{len(case.requests) + 1}",
        kind=move.action,
        by=turn.who,
        at=turn.at,
        status="pending",
        until=given.until,
        reason=given.reason or given.kind,
        inputs=given,
        deciders=roles,
    )
    _on_paper(turn, request, move, actor, carry_out)
    reason = move.action.value if move.asked is FactKind.PROPOSED else request.reason
    turn.emit(move.asked, [RequestChanged(request)], reason=reason, tell=_told(case, move.deciding, roles))


def none_pending(case: Case, action: Action) -> None:
    """The same is not asked for twice at a time."""
    if any(r.kind is action for r in pending(case)):
        raise Unsettled("request")


def _on_paper(turn: Turn, request: Request, move: Move, actor: Actor, carry_out: CarryOut) -> None:
    """What would happen if it were granted now; raises what would be in the way."""
    draft = Turn(turn.case, turn.book, turn.at, turn.around, turn.who, Action.APPROVE, asked_with(request))
    draft.granting = request
    carry_out(draft, move, actor)


def asked_with(request: Request) -> Inputs:
    """The inputs kept with a request; one of an earlier version has its reason and date alone."""
    return request.inputs or Inputs(reason=request.reason, until=request.until, kind=request.reason)


def comes_to(case: Case, action: Action, inputs: Inputs) -> tuple[Action, Inputs]:
    """What an act comes to: an approval to what it approves, with the inputs of that."""
    asked = [r for r in pending(case) if inputs.request in (None, r.request_id)]
    return (asked[0].kind, asked_with(asked[0])) if action is Action.APPROVE and asked else (action, inputs)


def _anywhere(request: Request, case: Case) -> Around:
    """What the place and the other case are is asked when the request is granted; on paper any will do."""
    given = asked_with(request)
    other = CaseRef("", given.master or "")
    return Around(
        place=replace(case.spot, cell=given.cell) if given.cell else None,
        master=Other(other, State.HANDLING, case.spot.street, case.urgency, history=False, closed_at=None),
    )


# --- deciding -------------------------------------------------------------------------------------------------------
def decidable(case: Case, book: Rulebook, now: datetime, actor: Actor) -> tuple[Request, ...]:
    """The pending requests that this actor may decide: his post's word is awaited, and somebody else asked."""
    return tuple(r for r in pending(case) if _why_not(r, case, book, now, actor) is None)


def grantable(case: Case, book: Rulebook, now: datetime, actor: Actor, carry_out: CarryOut) -> tuple[Request, ...]:
    """Those of them that could be granted now."""
    return tuple(r for r in decidable(case, book, now, actor) if _possible(r, case, book, now, actor, carry_out))


def _possible(request: Request, case: Case, book: Rulebook, now: datetime, actor: Actor, carry_out: CarryOut) -> bool:
    turn = Turn(case, book, now, _anywhere(request, case))
    try:
        _on_paper(turn, request, BY_STEP[(request.kind, case.state)], actor, carry_out)
    except GovernanceError:
        return False
    return True


def some_decidable(case: Case, book: Rulebook, now: datetime, actor: Actor) -> None:
    """Whether there is one to decide; else why not."""
    refusals = [_why_not(r, case, book, now, actor) for r in pending(case)]
    if not refusals:
        raise UnknownRequest("")
    if None not in refusals:
        raise next(r for r in refusals if r is not None)


def _why_not(request: Request, case: Case, book: Rulebook, now: datetime, actor: Actor) -> GovernanceError | None:
    move = BY_STEP.get((request.kind, case.state))
    if move is None:
        return UnknownRequest(request.request_id)
    wanted = request.deciders or _deciders(move, case, book, asked_with(request), now)
    if permit(case, actor, (g for g in move.deciding if g.role in wanted)) is None:
        return NotPermitted(Action.APPROVE, "post")
    if actor.account in (request.by.account, *(one.account for one in request.approvals)):
        return SeparationOfDuties(Action.APPROVE, "asked")
    return None


def _wanted(turn: Turn, actor: Actor) -> tuple[Request, Move]:
    """The request named, or the only one the actor may decide; he acts by the post whose word was awaited."""
    able = decidable(turn.case, turn.book, turn.at, actor)
    named = turn.inputs.request
    if named is None and len(able) > 1:
        raise MissingInput("request")
    request = next((r for r in able if named in (None, r.request_id)), None)
    if request is None:
        raise UnknownRequest(named or "")
    move = BY_STEP[(request.kind, turn.case.state)]
    wanted = request.deciders or tuple(g.role for g in move.deciding)
    allowed_by = permit(turn.case, actor, (g for g in move.deciding if g.role in wanted))
    turn.who = allowed_by[1] if allowed_by is not None else turn.who
    return request, move


def approve(turn: Turn, actor: Actor, carry_out: CarryOut) -> None:
    """What was asked for happens now, by who approves it; the asker is told."""
    request, move = _wanted(turn, actor)
    then = _THEN.get(request.kind)
    done = replace(request, status="approved", approvals=(*request.approvals, turn.who))
    if then is not None and not request.approvals:
        half = replace(done, status="pending", deciders=(then,))
        tell = (Told(then.value, turn.case.spot.street),)
        turn.emit(move.asked, [RequestChanged(half)], reason=request.reason, tell=tell)
        return
    turn.inputs, turn.granting = asked_with(request), done
    carry_out(turn, move, actor)


def deny(turn: Turn, actor: Actor) -> None:
    """It will not be done; why is said in words, and the asker is told."""
    request, _ = _wanted(turn, actor)
    denied = replace(request, status="denied", approvals=(*request.approvals, turn.who))
    asker = Told(request.by.role.value if request.by.role else "", request.by.unit or turn.case.spot.street)
    turn.emit(FactKind.REQUEST_DENIED, [RequestChanged(denied)], reason=request.kind.value, tell=(asker,))

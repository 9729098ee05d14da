"""A wish of another service → what the rules are asked. One row per kind of command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from schemas.events.case import CaseCommandRefusedV1
from schemas.events.command import CallbackV1, CommandV1, JoinV1, RateV1
from services.chassis.directory import Directory
from services.governance.acts import Act, Actor, Inputs, Post
from services.governance.case import Case
from services.governance.cycle import Action, Role, State
from services.governance.errors import GovernanceError, IllegalTransition
from services.governance.moves import WHISTLE_REFUSALS


class CommandRefused(Exception):
    """Refused before the rules were asked; `code` is an error id of the word list."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class _Row:
    """What a kind of command asks for: the action and its inputs."""

    action: Callable[[CommandV1], Action]
    inputs: Callable[[CommandV1], Inputs]


def _callback_action(body: CommandV1) -> Action:
    assert isinstance(body, CallbackV1)
    return _OUTCOMES[body.outcome]


def _callback_inputs(body: CommandV1) -> Inputs:
    assert isinstance(body, CallbackV1)
    told = f"{body.outcome} {body.platform_id or ''}".strip()
    return Inputs(
        reason=body.reason or _REFUSED_FOR if body.outcome in _REFUSALS else body.reason,
        note=body.masked_note or told,  # the rules want words, the platform may send none
        lead_unit=body.unit,
        until=body.eta,
        close_condition_met=body.outcome not in _REFUSALS or None,  # its own feedback vouches for it
    )


def _plain(body: CommandV1) -> Inputs:
    return Inputs(reason=body.reason, note=body.masked_note or None)


def _confirmed(body: CommandV1) -> Inputs:
    return replace(_plain(body), grade="satisfied")


def _grade(body: CommandV1) -> Inputs:
    assert isinstance(body, RateV1)
    return replace(_plain(body), grade=body.grade)


_REFUSALS = frozenset({"refused", "returned"})
_REFUSED_FOR = WHISTLE_REFUSALS[0]  # where the platform gives no ground of ours
_OUTCOMES: Mapping[str, Action] = {
    "accepted": Action.ANSWER_WHISTLE,
    "refused": Action.REFUSE,
    "returned": Action.REFUSE,
    "disposed": Action.FEEDBACK,
    "closed": Action.FEEDBACK,
}
_DONE = (State.FED_BACK, State.VERIFIED, State.CLOSED, State.ARCHIVED)
_SAID: Mapping[str, tuple[State, ...]] = {
    "accepted": (State.DISTRICT_HANDLING, *_DONE),
    "disposed": _DONE,
    "closed": _DONE,
}
"""Where a call-back tells what is known already: a platform says disposed, and closed after it."""
_ROWS: Mapping[str, _Row] = {
    "command.urge": _Row(lambda _: Action.URGE, _plain),
    "command.withdraw": _Row(lambda _: Action.WITHDRAW, _plain),
    "command.confirm": _Row(lambda _: Action.SATISFACTION, _confirmed),  # 确认已解决 is the best of grades
    "command.rate": _Row(lambda _: Action.SATISFACTION, _grade),
    "command.reopen": _Row(lambda _: Action.REOPEN, _plain),
    "command.answer": _Row(lambda _: Action.ANSWER_QUESTION, _plain),
    "command.add_info": _Row(lambda _: Action.ADD_INFO, _plain),
    "command.callback": _Row(_callback_action, _callback_inputs),
}


def act_of(kind: str, body: CommandV1, case: Case | None, directory: Directory, now: datetime) -> Act:
    """What the rules are asked. Raises CommandRefused where there is no such case or no such right to ask."""
    if case is None:
        raise CommandRefused("unknown_case")
    if isinstance(body, JoinV1):  # two cases become one only by a person's decision
        raise CommandRefused("no_change" if body.report_id in case.reports else "merge_by_person")
    row = _ROWS.get(kind)
    if row is None:
        raise CommandRefused("unknown_command")
    if isinstance(body, CallbackV1) and case.state in _SAID.get(body.outcome, ()):
        raise CommandRefused("no_change")
    return Act(row.action(body), _actor(body, case, directory, now), row.inputs(body), body.command_id)


def was_done(case: Case, act: Act) -> bool:
    """The very act has been carried out before: its message came twice under two ids."""
    return f"{act.action.value}:{act.op_id}" in case.operations


def refusal_body(
    kind: str, body: CommandV1, case: Case | None, error: CommandRefused | GovernanceError
) -> CaseCommandRefusedV1:
    """What the sender is told."""
    return CaseCommandRefusedV1(
        command_id=body.command_id,
        command=kind,
        case_id=case.case_id if case is not None else body.case_id,
        case_no=case.case_no if case is not None else body.case_no,
        code=error.code,
        state=State(case.state) if case is not None else None,
        allowed=error.allowed if isinstance(error, IllegalTransition) else (),
    )


def _actor(body: CommandV1, case: Case, directory: Directory, now: datetime) -> Actor:
    """Who asks: the reporter of one of the case's reports, a person with his posts of now, or the other platform."""
    if body.by_reporter:
        if body.report_id not in case.reports:
            raise CommandRefused("not_permitted")
        account = body.actor.account or f"report:{body.report_id}"
        as_reporter = Post(Role.REPORTER, unit=body.report_id)  # a resident's post is his report
        return Actor(account, (*directory.posts_of(account, now), as_reporter))
    if body.actor.account is not None and body.actor.account in directory.accounts:
        return Actor(body.actor.account, directory.posts_of(body.actor.account, now))
    if body.actor.role is None:
        raise CommandRefused("not_permitted")
    machine = body.actor.account or "platform"
    return Actor(machine, (Post(body.actor.role, unit=body.actor.unit),))

"""What other services ask becomes what the rules are asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from schemas.events.command import COMMAND_KINDS, CallbackV1, CommandV1, RateV1
from schemas.events.parts import ActorV1
from services.chassis.directory import Directory
from services.dispatch.usecases.commands import CommandRefused, act_of, refusal_body
from services.governance.cycle import Action, Role, State
from services.governance.errors import IllegalTransition
from tests.unit.dispatch.conftest import NOW, opened

NOBODY = Directory(rev=1)
REPORT = "01a00000-0000-7000-8000-0000000000aa"


def command(cls: type[CommandV1] = CommandV1, **values: Any) -> CommandV1:
    given = {"command_id": "c", "report_id": REPORT, "by_reporter": True, "actor": ActorV1(), "asked_at": NOW}
    return cls.model_validate({**given, **values})


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        ("command.urge", Action.URGE),
        ("command.withdraw", Action.WITHDRAW),
        ("command.confirm", Action.SATISFACTION),
        ("command.reopen", Action.REOPEN),
    ],
)
def test_a_reporter_asks_as_the_reporter_of_his_report(kind: str, action: Action) -> None:
    act = act_of(kind, command(reason="other", masked_note="请快些"), opened(), NOBODY, NOW)
    assert act.action is action
    assert [(post.role, post.unit) for post in act.actor.posts] == [(Role.REPORTER, REPORT)]
    assert (act.inputs.reason, act.inputs.note) == ("other", "请快些")


def test_a_grade_is_passed_on() -> None:
    act = act_of("command.rate", command(RateV1, grade="fair"), opened(), NOBODY, NOW)
    assert (act.action, act.inputs.grade) == (Action.SATISFACTION, "fair")


@pytest.mark.parametrize(
    ("outcome", "action", "met"),
    [
        ("accepted", Action.ANSWER_WHISTLE, True),
        ("refused", Action.REFUSE, None),
        ("returned", Action.REFUSE, None),
        ("disposed", Action.FEEDBACK, True),
        ("closed", Action.FEEDBACK, True),
    ],
)
def test_the_platform_answers(outcome: str, action: Action, met: bool | None) -> None:
    body = command(
        CallbackV1,
        outcome=outcome,
        by_reporter=False,
        actor=ActorV1(role=Role.DISTRICT),
        eta=NOW + timedelta(days=1),
        unit="qu-zhujian",
    )
    act = act_of("command.callback", body, opened(), NOBODY, NOW)
    assert (act.action, act.inputs.close_condition_met) == (action, met)
    assert act.inputs.note
    assert (act.inputs.reason is not None) is (action is Action.REFUSE)


@pytest.mark.parametrize(
    ("outcome", "state", "known"),
    [
        ("accepted", State.AT_DISTRICT, False),
        ("accepted", State.DISTRICT_HANDLING, True),
        ("disposed", State.DISTRICT_HANDLING, False),
        ("disposed", State.FED_BACK, True),
        ("closed", State.DISTRICT_HANDLING, False),
        ("closed", State.FED_BACK, True),
        ("closed", State.CLOSED, True),
        ("returned", State.FED_BACK, False),
    ],
)
def test_what_the_platform_tells_again_changes_nothing(outcome: str, state: State, known: bool) -> None:
    """It says disposed, and closed after it: nobody has to look at the second."""
    body = command(CallbackV1, outcome=outcome, by_reporter=False, actor=ActorV1(role=Role.DISTRICT))
    case = replace(opened(), state=state)
    if not known:
        assert act_of("command.callback", body, case, NOBODY, NOW).op_id == "c"
        return
    with pytest.raises(CommandRefused, match="no_change"):
        act_of("command.callback", body, case, NOBODY, NOW)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (command(report_id="another"), "not_permitted"),
        (command(by_reporter=False), "not_permitted"),
    ],
)
def test_who_may_not_ask_is_refused(body: CommandV1, code: str) -> None:
    with pytest.raises(CommandRefused) as refused:
        act_of("command.urge", body, opened(), NOBODY, NOW)
    assert refused.value.code == code


def test_a_case_nobody_knows_and_a_kind_nobody_handles_are_refused() -> None:
    with pytest.raises(CommandRefused, match="unknown_case"):
        act_of("command.urge", command(), None, NOBODY, NOW)
    with pytest.raises(CommandRefused, match="unknown_command"):
        act_of("command.join", command(), opened(), NOBODY, NOW)


def test_the_refusal_says_where_the_case_stands() -> None:
    error = IllegalTransition(State.REPORTED, Action.REOPEN, (Action.URGE,))
    told = refusal_body("command.reopen", command(), opened(), error)
    assert (told.code, told.state, told.allowed) == ("illegal_transition", State.REPORTED, (Action.URGE,))
    assert told.command in COMMAND_KINDS

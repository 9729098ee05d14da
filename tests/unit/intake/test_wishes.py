"""What a reporter is offered to ask or answer, from his case as intake knows it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.governance.cycle import Flag, Stage, State
from services.intake.store.reading import CaseSeen
from services.intake.usecases.actions import KINDS, offered

CASE = CaseSeen(
    own="c",
    case_id="c",
    case_no="FC-20260306-00001",
    state=State.DISPATCHED,
    stage=Stage.RESPONSE,
    due_at=None,
    skipped=[],
    flags=[],
    restricted=False,
    closed_at=None,
    closed_as=None,
)


@pytest.mark.parametrize(
    ("flag", "answer"), [(Flag.ASKED_REPORTER, "answer_question"), (Flag.AWAITING_MORE, "add_info")]
)
def test_what_stands_open_on_his_side_comes_first(flag: Flag, answer: str) -> None:
    assert offered(CASE) == ("urge",)
    assert offered(replace(CASE, flags=[flag.value])) == (answer, "urge")


def test_a_case_that_is_over_asks_nothing() -> None:
    asked = replace(CASE, state=State.CLOSED, flags=[Flag.ASKED_REPORTER.value])
    assert offered(asked) == ("rate", "ask_reopen")


def test_every_wish_has_a_message() -> None:
    everything = {State.REPORTED, State.FED_BACK, State.CLOSED}
    flags = [Flag.ASKED_REPORTER.value, Flag.AWAITING_MORE.value]
    shown = {wish for state in everything for wish in offered(replace(CASE, state=state, flags=flags))}
    assert shown == set(KINDS)

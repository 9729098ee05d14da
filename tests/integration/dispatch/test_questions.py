"""The reporter of a case is asked by its people, and his answer from the phone stands on the case."""

from __future__ import annotations

import pytest

from tests.integration.dispatch.conftest import SignIn, Street
from tests.integration.dispatch.test_acting import do, get
from tests.integration.dispatch.test_commands import asked

pytestmark = pytest.mark.anyio


async def test_a_question_is_answered_from_the_phone(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened()
    clerk = await sign_in("shouli")
    await do(clerk, case_no, "ask_reporter", note="哪一侧？")
    assert "asked_reporter" in (await get(clerk, case_no))["flags"]
    await street.take(("command.answer", await asked(street, "command.answer", masked_note="北侧")))
    case = await get(clerk, case_no)
    assert "asked_reporter" not in case["flags"]
    last = case["timeline"][-1]
    assert (last["label"], last["actor_post"], last["note"]) == ("上报人已回复", "上报人", "北侧")


async def test_what_was_sent_back_for_more_is_given_from_the_phone(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened()
    await do(await sign_in("zhibu01"), case_no, "ask_more", note="请补楼号")
    await street.take(("command.add_info", await asked(street, "command.add_info", masked_note="3栋")))
    case = await get(await sign_in("shouli"), case_no)
    assert "awaiting_more" not in case["flags"]
    assert case["timeline"][-1]["kind"] == "case.more_given"

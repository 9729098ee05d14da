"""A moment that an act names: neither past nor beyond all reason, and the refusal says what it has to be instead."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.integration.dispatch.conftest import SignIn, Street
from tests.integration.dispatch.test_acting import get, post
from tests.integration.dispatch.test_queues import dispatched

pytestmark = pytest.mark.anyio

ACTS = {
    "supervise": ("zhiban", {"note": "请尽快处理"}),
    "call_conference": ("zhiban", {"note": "碰头", "co_units": ["huanwei"]}),
    "add_co": ("zhifadui", {"co_units": ["huanwei"]}),
    "suspend_request": ("zhifadui", {"reason": "weather", "note": "等雨停"}),
}
PAST, BEYOND = "2001-01-01T00:00:00+08:00", "9999-01-01T00:00:00+08:00"


async def test_no_act_names_a_past_moment_or_one_beyond_reason(street: Street, sign_in: SignIn) -> None:
    case_no = await dispatched(street, sign_in)
    unit = await sign_in("zhifadui")
    seen = await get(unit, case_no)
    begun = await post(unit, case_no, "respond", seen["version"], means="on_site")
    version = begun.json()["version"]
    for action, (login, inputs) in ACTS.items():
        person = await sign_in(login)
        form = next(one for one in (await get(person, case_no))["actions"] if one["action"] == action)
        until = next(one for one in form["inputs"] if one["name"] == "until")
        for moment, code, bound in ((PAST, "until_early", "earliest"), (BEYOND, "until_late", "latest")):
            refused = await post(person, case_no, action, version, **inputs, until=moment)
            told = refused.json()
            assert (refused.status_code, told["code"]) == (422, "invalid_input"), (action, told)
            (wrong,) = told["errors"]
            assert (wrong["field"], wrong["code"]) == ("until", code), action
            day = datetime.fromisoformat(until[bound]).astimezone(datetime.fromisoformat(PAST).tzinfo)
            assert f"{day:%Y-%m-%d}" in wrong["message"], action
            assert wrong["remedy"]
    assert (await get(unit, case_no))["version"] == version

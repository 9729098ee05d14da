"""What the page tells beyond state and words: who and how long in each step, each share, what stands close by."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.integration.dispatch.conftest import SignIn, Street
from tests.integration.dispatch.test_acting import PNG, do, get, proposed
from tests.integration.dispatch.test_candidates import spot

pytestmark = pytest.mark.anyio


def _limits(page: dict[str, Any], action: str) -> list[str]:
    return next(list(one["limits"]) for one in page["actions"] if one["action"] == action)


async def test_steps_shares_and_limits_are_told(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened(category=await street.category(), staff=False, reporter_account=None)
    branch, community = await sign_in("zhibu01"), await sign_in("shequ01")
    clerk, chief, lead, co = [await sign_in(who) for who in ("shouli", "zhiban", "zhifadui", "huanwei")]
    await do(branch, case_no, "call_up", reason="no_means")
    await do(community, case_no, "call_up", reason="no_enforcement", note="已劝导无效")
    await do(chief, case_no, "file", condition=await proposed(chief, case_no))
    units = {"lead_unit": "zhifadui", "co_units": ["huanwei"], "reason": "line_unfit"}
    await do(clerk, case_no, "dispatch", **units, note="先清运，后劝导")
    await do(lead, case_no, "respond", means="on_site")
    photo = str(uuid4())
    stored = await co.put(
        f"/api/v1/cases/{case_no}/evidence/{photo}", content=PNG, headers={"content-type": "image/png"}
    )
    assert stored.status_code == 200, stored.text
    await do(co, case_no, "co_done", note="已清扫", evidence=[photo])

    page = await get(lead, case_no)
    steps = {one["stage"]: one for one in page["stages"]}
    assert [who.split(" · ")[-1] for who in steps["discovery"]["who"]] == ["网格员", "网格党支部书记"]
    assert [who.split(" · ")[-1] for who in steps["response"]["who"]] == ["综合行政执法队"]
    handling = steps["disposal"]
    assert handling["clock"] == "处置时限"
    assert 0 <= handling["counted_s"] <= handling["allowed_s"]
    assert handling["basis"] in ("work", "wall", "natural")
    shares = {one["unit"]: one for one in page["tasks"]}
    assert shares["zhifadui"]["ask"] == shares["huanwei"]["ask"] == "先清运，后劝导"
    assert (shares["zhifadui"]["due"]["kind"], shares["huanwei"]["due"]) == ("handling", None)
    assert shares["huanwei"]["last"]["label"] == "协办完成"
    assert [one["id"] for one in shares["huanwei"]["evidence"]] == [photo]
    (extend, decided) = _limits(page, "extend_request")
    assert extend.startswith("已延期 0 次，最多 2 次")
    assert decided == "提交后由派遣员、值班长审批"
    until = next(
        i for a in page["actions"] if a["action"] == "suspend_request" for i in a["inputs"] if i["name"] == "until"
    )
    assert until["earliest"] < until["latest"]


async def test_what_is_open_close_by_is_told_to_whoever_may_read_it(street: Street, sign_in: SignIn) -> None:
    kind, quarrel = await street.category(), await street.category(restricted=True)
    case_no = await street.opened(category=kind, spot=await spot(street, 0))
    same = await street.opened(category=kind, spot=await spot(street, 60))
    unsure = await street.opened(category=None, spot=await spot(street, 20))
    hidden = await street.opened(category=quarrel, spot=await spot(street, 10))
    await street.opened(category=kind, spot=await spot(street, 500))
    seen = (await (await sign_in("shouli")).get(f"/api/v1/cases/{case_no}/nearby")).json()["cases"]
    told = [(one["case_no"], one["distance_m"], one["same_class"]) for one in seen]
    assert told == [(unsure, 20, False), (same, 60, True)]
    branch = (await (await sign_in("zhibu01")).get(f"/api/v1/cases/{case_no}/nearby")).json()["cases"]
    assert hidden in [one["case_no"] for one in branch]

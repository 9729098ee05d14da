"""One act on several cases: a result for each, and none is lost by what another refuses."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.integration.dispatch.conftest import SignIn, Street
from tests.integration.dispatch.test_acting import do, get

pytestmark = pytest.mark.anyio


async def versions(client: httpx.AsyncClient, *numbers: str) -> list[dict[str, Any]]:
    return [{"case_no": number, "version": (await get(client, number))["version"]} for number in numbers]


async def bulk(
    client: httpx.AsyncClient, action: str, cases: list[dict[str, Any]], key: str = "", **inputs: Any
) -> httpx.Response:
    headers = {"idempotency-key": key or str(uuid4()), "accept-language": "zh-CN"}
    return await client.post(f"/api/v1/bulk/{action}", json={"cases": cases, "inputs": inputs}, headers=headers)


async def test_each_case_has_its_own_answer(street: Street, sign_in: SignIn) -> None:
    category = await street.category()
    three = [await street.opened(category=category, staff=False) for _ in range(3)]
    branch, stranger = await sign_in("zhibu01"), await sign_in("wangge07")
    asked = await versions(branch, *three)
    await do(branch, three[1], "call_up", reason="no_means")  # no longer as it was looked at
    unknown = {"case_no": "FC-20200101-00001", "version": 1}
    foreign = await bulk(stranger, "call_up", asked, reason="no_means")
    assert [row["code"] for row in foreign.json()["results"]] == ["not_found"] * 3
    key = str(uuid4())
    answer = await bulk(branch, "call_up", [*asked, unknown], key, reason="no_means")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert [(row["case_no"], row["done"], row["code"]) for row in told["results"]] == [
        (three[0], True, None),
        (three[1], False, "version_conflict"),
        (three[2], True, None),
        ("FC-20200101-00001", False, "not_found"),
    ]
    assert told["done"] == 2
    overtaken = told["results"][1]["detail"]
    assert overtaken.startswith("钱示一 · 网格党支部书记 已于 "), overtaken
    assert "办理“呼叫社区”" in overtaken
    assert all(row["detail"] for row in told["results"] if not row["done"])
    assert (await bulk(branch, "call_up", [*asked, unknown], key, reason="no_means")).json() == told
    assert [(await get(branch, number))["state"] for number in three] == ["at_community"] * 3
    facts = await street.scalar("SELECT count(*) FROM dispatch.case_facts WHERE kind = 'case.called'")
    assert facts == 3


async def test_what_the_rules_refuse_is_told_in_words(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened(category=await street.category(), staff=False)
    branch = await sign_in("zhibu01")
    asked = await versions(branch, case_no)
    (missing,) = (await bulk(branch, "call_up", asked)).json()["results"]
    (early,) = (await bulk(branch, "sign", asked)).json()["results"]
    assert (missing["code"], early["code"]) == ("missing_input", "not_permitted")
    assert missing["detail"] != early["detail"]
    assert all("一" <= each["detail"][0] <= "龥" for each in (missing, early))


async def test_some_acts_want_a_look_at_each_case(street: Street, sign_in: SignIn) -> None:
    branch = await sign_in("zhibu01")
    one = {"case_no": await street.opened(), "version": 1}
    refused = await bulk(branch, "file", [one])
    assert (refused.status_code, refused.json()["detail"]) == (422, "这个操作不能批量办理，请逐件办理")
    twice = await bulk(branch, "urge", [one, one])
    assert (twice.status_code, twice.json()["errors"][0]["field"]) == (422, "cases")
    many = await bulk(branch, "urge", [{"case_no": f"x{n}", "version": 1} for n in range(51)])
    assert many.status_code == 422

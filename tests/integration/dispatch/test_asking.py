"""What one asks for and another decides: where it waits, what is kept, what happens when it is granted."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.integration.dispatch.conftest import SignIn, Street
from tests.integration.dispatch.test_acting import do, get, post, proposed

pytestmark = pytest.mark.anyio


async def queue(client: httpx.AsyncClient, name: str) -> list[str]:
    answer = await client.get(f"/api/v1/queues/{name}")
    assert answer.status_code == 200, answer.text
    return [row["case_no"] for row in answer.json()["rows"]]


async def at_street(street: Street, sign_in: SignIn) -> str:
    case_no = await street.opened(category=await street.category(), staff=False, reporter_account=None)
    community = await sign_in("shequ01")
    await do(await sign_in("zhibu01"), case_no, "call_up", reason="no_means")
    await do(community, case_no, "answer")
    await do(community, case_no, "call_up", reason="no_enforcement", note="已劝导无效")
    return case_no


def offered(page: dict[str, Any], action: str) -> dict[str, Any]:
    found: dict[str, Any] = next(a for a in page["actions"] if a["action"] == action)
    return found


async def test_it_waits_where_it_is_decided_and_is_done_as_it_was_filled_in(street: Street, sign_in: SignIn) -> None:
    case_no = await at_street(street, sign_in)
    clerk, chief, leader = await sign_in("shouli"), await sign_in("zhiban"), await sign_in("lingdao")
    await do(clerk, case_no, "answer")
    await do(chief, case_no, "file", condition=await proposed(chief, case_no))
    form = offered(await get(leader, case_no), "dispatch")
    assert form["ask"]
    assert form["label"] == "申请：派遣"
    asked = await do(leader, case_no, "dispatch", lead_unit="zhifadui", co_units=["huanwei"], reason="on_duty")
    assert asked["state"] == "filed"
    request = asked["requests"][-1]
    assert (request["kind"], request["status"], request["label"]) == ("dispatch", "pending", "派遣")
    assert {each["name"] for each in request["asked"]} == {"lead_unit", "co_units"}
    assert request["deciders"] == ["派遣员", "值班长"]
    assert case_no in await queue(clerk, "approvals")
    assert case_no in await queue(leader, "my_requests")
    assert case_no not in await queue(leader, "to_approve"), "his own, and not his to decide"
    (row,) = (await leader.get("/api/v1/queues/my_requests")).json()["rows"]
    (told,) = row["requests"]
    assert (told["kind"], told["status"], told["reason"], told["account"]) == (
        *("dispatch", "pending", "on_duty"),
        await street.account("lingdao"),
    )
    assert told["by_name"]
    assert (await clerk.get("/api/v1/queues/to_dispatch")).json()["rows"][0]["requests"] == [], "no list about them"
    done = await do(clerk, case_no, "approve")
    assert (done["state"], done["lead_unit"], done["co_units"]) == ("dispatched", "zhifadui", ["huanwei"])
    assert case_no not in await queue(clerk, "approvals")


async def test_a_leader_finds_what_waits_for_his_word_and_only_that(street: Street, sign_in: SignIn) -> None:
    case_no = await at_street(street, sign_in)
    clerk, chief, leader = await sign_in("shouli"), await sign_in("zhiban"), await sign_in("lingdao")
    await do(clerk, case_no, "answer")
    await do(chief, case_no, "file", condition=await proposed(chief, case_no))
    await do(clerk, case_no, "void", reason="test_data", note="演练")
    assert case_no not in await queue(leader, "to_approve"), "voiding is the duty chief's to decide"
    await do(clerk, case_no, "whistle", kind="street_cannot", note="需区级协调")
    assert case_no in await queue(leader, "to_approve")
    pending = [r for r in (await get(leader, case_no))["requests"] if r["status"] == "pending"]
    whistle = next(r for r in pending if r["kind"] == "whistle")
    assert [c["id"] for c in offered(await get(leader, case_no), "approve")["inputs"][0]["choices"]] == [whistle["id"]]
    await do(leader, case_no, "deny", request=whistle["id"], note="街道先办")
    assert case_no not in await queue(leader, "to_approve")


async def test_the_advice_of_a_proposal_stands_under_the_decision(street: Street, sign_in: SignIn) -> None:
    case_no = await at_street(street, sign_in)
    clerk, chief = await sign_in("shouli"), await sign_in("zhiban")
    await do(clerk, case_no, "answer")
    await do(clerk, case_no, "not_file", reason="not_street_matter", note="请向业委会反映")
    ended = await do(chief, case_no, "approve")
    assert ended["state"] == "not_filed"
    told = {line["kind"]: line["note"] for line in ended["timeline"]}
    assert told["case.not_filed"] == "请向业委会反映"
    kept = await street.rows("SELECT body::text FROM dispatch.case_facts WHERE kind = 'case.proposed'")
    assert kept
    assert all("业委会" not in str(row[0]) for row in kept), "words stay beside the facts"


async def test_a_worker_asks_to_merge_and_the_clerk_grants_it(street: Street, sign_in: SignIn) -> None:
    first = await street.opened(category=await street.category())
    second = await street.opened(category=await street.category())
    worker, clerk = await sign_in("wangge01"), await sign_in("shouli")
    await do(worker, second, "merge", master=first)
    merged = await do(clerk, second, "approve")
    assert (merged["state"], merged["master"]) == ("merged", first)


async def test_who_may_not_decide_is_told_why(street: Street, sign_in: SignIn) -> None:
    case_no = await at_street(street, sign_in)
    clerk, leader = await sign_in("shouli"), await sign_in("lingdao")
    await do(clerk, case_no, "answer")
    shown = await do(clerk, case_no, "not_file", reason="not_street_matter", note="x")
    refused = await post(clerk, case_no, "approve", shown["version"])
    assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")
    refused = await post(leader, case_no, "approve", shown["version"])
    assert refused.status_code == 403

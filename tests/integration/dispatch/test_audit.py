"""The auditor reads who did what; nobody else does, and being refused is itself recorded."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.integration.dispatch.conftest import SignIn, Street
from tests.integration.dispatch.test_acting import do

pytestmark = pytest.mark.anyio


async def told(client: httpx.AsyncClient, **params: Any) -> list[dict[str, Any]]:
    answer = await client.get("/api/v1/audit", params=params)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_an_act_is_recorded_with_who_where_and_on_what(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened()
    await do(await sign_in("zhibu01"), case_no, "ask_more", note="哪一栋")
    auditor = await sign_in("audit")
    (row,) = await told(auditor, subject=case_no)
    assert (row["action"], row["label"], row["outcome"]) == ("case.acted", "办理：退回补充", "done")
    assert (row["account_name"], row["details"]["action"]) == ("钱示一", "ask_more")
    assert row["address"] == "127.0.0.1"
    assert row["request_id"]
    assert row["told"][0] == {"label": "办理动作", "value": "退回补充"}
    assert "哪一栋" not in str(row)
    signed_in = (await told(auditor, action="session.opened"))[0]
    assert signed_in["subject_name"] == signed_in["account_name"]
    assert signed_in["told"] == [{"label": "登录方式", "value": "账号密码"}]


async def test_a_repeated_act_is_recorded_once_and_a_refused_one_not_at_all(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened()
    branch = await sign_in("zhibu01")
    headers = {"if-match": "1", "idempotency-key": "k-1"}
    version = (await branch.get(f"/api/v1/cases/{case_no}")).json()["version"]
    headers["if-match"] = str(version)
    path = f"/api/v1/cases/{case_no}/actions"
    for _ in range(2):
        answer = await branch.post(f"{path}/ask_more", json={"note": "x"}, headers=headers)
        assert answer.status_code == 200, answer.text
    refused = await branch.post(f"{path}/file", json={}, headers={"if-match": str(version)})
    assert refused.status_code in (403, 409)
    assert len(await told(await sign_in("audit"), action="case.acted")) == 1


async def test_nobody_but_the_auditor_reads_it_and_trying_is_recorded_once_a_minute(
    street: Street, sign_in: SignIn
) -> None:
    for login in ("admin", "zhiban", "wangge01", "lingdao"):
        client = await sign_in(login)
        assert [(await client.get("/api/v1/audit")).status_code for _ in range(3)] == [403] * 3
    rows = await told(await sign_in("audit"), action="access")
    assert [row["subject"] for row in rows] == ["GET /api/v1/audit"] * 4
    assert {row["account"] for row in rows} == {
        await street.account(x) for x in ("admin", "zhiban", "wangge01", "lingdao")
    }
    assert {(row["outcome"], row["reason"]) for row in rows} == {("refused", "not_permitted")}
    assert {row["reason_label"] for row in rows} == {"您的岗位不能这样办理"}


async def test_pages_join_and_filters_narrow(sign_in: SignIn) -> None:
    for login in ("zhibu01", "shequ01", "shouli"):
        client = await sign_in(login)
        await client.delete("/api/v1/session")
    auditor = await sign_in("audit")
    everything = await told(auditor, action="session", limit=200)
    assert [row["action"] for row in everything] == ["session.opened", *["session.closed", "session.opened"] * 3]
    seen, after = [], None
    while True:
        page = (await auditor.get("/api/v1/audit", params={"limit": 2, **({"after": after} if after else {})})).json()
        seen += [row["place"] for row in page["items"] if row["action"].startswith("session.")]
        if (after := page["next"]) is None:
            break
    assert seen == [row["place"] for row in everything]
    middle = everything[3]["at"]
    assert len(await told(auditor, action="session", since=middle)) + len(
        await told(auditor, action="session", until=middle)
    ) == len(everything)
    assert await told(auditor, outcome="refused") == []
    for wrong in ({"after": "bm8"}, {"outcome": "maybe"}, {"since": "2026-01-01T00:00:00"}, {"subject": "\x00"}):
        assert (await auditor.get("/api/v1/audit", params=wrong)).status_code == 422, wrong


@pytest.mark.parametrize(
    ("lang", "words"), [("zh-CN", "没有这个操作；您现在可以："), ("en-US", "There is no such action. You can: ")]
)
async def test_an_unknown_action_names_the_field_and_what_is_possible(
    lang: str, words: str, street: Street, sign_in: SignIn
) -> None:
    case_no = await street.opened()
    branch, path = await sign_in("zhibu01"), f"/api/v1/cases/{case_no}/actions/explode"
    answer = await branch.post(path, json={}, headers={"if-match": "1", "accept-language": lang})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "invalid_input")
    (wrong,) = problem["errors"]
    assert (wrong["field"], wrong["code"]) == ("action", "unknown_action")
    assert wrong["message"].startswith(words)
    assert "' or '" not in str(problem)
    assert set(problem["allowed"]) == {
        a["action"] for a in (await branch.get(f"/api/v1/cases/{case_no}")).json()["actions"]
    }
    stranger = await sign_in("shequ02")
    assert (await stranger.post(path, json={}, headers={"if-match": "1"})).status_code == 404

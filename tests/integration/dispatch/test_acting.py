"""People act on cases over HTTP: who sees what, versions, conflicts, the walk to the end."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.integration.dispatch.conftest import SignIn, Street

pytestmark = pytest.mark.anyio


def _picture() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (64, 48), "white").save(made, "PNG")
    return made.getvalue()


PNG = _picture()


async def get(client: httpx.AsyncClient, case_no: str) -> dict[str, Any]:
    answer = await client.get(f"/api/v1/cases/{case_no}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def do(client: httpx.AsyncClient, case_no: str, action: str, **inputs: object) -> dict[str, Any]:
    """Act on the case as it stands for this person."""
    seen = await get(client, case_no)
    answer = await post(client, case_no, action, seen["version"], **inputs)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def proposed(chief: httpx.AsyncClient, case_no: str) -> str:
    """The filing condition that the form offers; it is one of the choices."""
    filing = next(a for a in (await get(chief, case_no))["actions"] if a["action"] == "file")
    field = next(i for i in filing["inputs"] if i["name"] == "condition")
    assert field["value"] in [choice["id"] for choice in field["choices"]]
    return str(field["value"])


async def post(
    client: httpx.AsyncClient, case_no: str, action: str, version: int, key: str | None = None, **inputs: object
) -> httpx.Response:
    headers = {"if-match": f'"{version}"'} | ({"idempotency-key": key} if key else {})
    return await client.post(f"/api/v1/cases/{case_no}/actions/{action}", json=inputs, headers=headers)


async def offered(client: httpx.AsyncClient, case_no: str, action: str) -> list[dict[str, Any]]:
    """The fields of an action's form."""
    actions = (await get(client, case_no))["actions"]
    inputs: list[dict[str, Any]] = next(one["inputs"] for one in actions if one["action"] == action)
    return inputs


async def test_a_unit_is_offered_its_own_share_only(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened(category=await street.category(), staff=False, reporter_account=None)
    branch, community = await sign_in("zhibu01"), await sign_in("shequ01")
    clerk, chief, co = await sign_in("shouli"), await sign_in("zhiban"), await sign_in("huanwei")
    await do(branch, case_no, "call_up", reason="no_means")
    await do(community, case_no, "answer")
    await do(community, case_no, "call_up", reason="no_enforcement", note="已劝导无效")
    await do(clerk, case_no, "answer")
    await do(chief, case_no, "file", condition=await proposed(chief, case_no))
    await do(
        clerk, case_no, "dispatch", lead_unit="zhifadui", co_units=["chengguanban", "huanwei"], reason="line_unfit"
    )
    done = next(a for a in (await get(co, case_no))["actions"] if a["action"] == "co_done")
    tasks = next(i for i in done["inputs"] if i["name"] == "task")["choices"]
    assert len(tasks) == 1
    await do(co, case_no, "co_done", note="已清扫", task=tasks[0]["id"])


async def test_a_case_walks_from_the_branch_to_closed(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened(category=await street.category(), staff=False, reporter_account=None)
    branch, community = await sign_in("zhibu01"), await sign_in("shequ01")
    clerk, chief = await sign_in("shouli"), await sign_in("zhiban")
    assert (await do(branch, case_no, "call_up", reason="no_means"))["state"] == "at_community"
    await do(community, case_no, "answer")
    item = next(i for i in await offered(community, case_no, "call_up") if i["name"] == "kind")
    assert item["label"] == "职责清单事项"
    tried = {"note": "已劝导无效", "kind": "占道经营（清单第7项）"}
    called = await do(community, case_no, "call_up", reason="no_enforcement", **tried)
    assert called["state"] == "at_street"
    await do(clerk, case_no, "answer")
    filed = await do(chief, case_no, "file", condition=await proposed(chief, case_no))
    assert filed["state"] == "filed"
    sent = await do(clerk, case_no, "dispatch", lead_unit="zhifadui", co_units=["huanwei"], reason="line_unfit")
    assert sent["state"] == "dispatched"
    lead, co = await sign_in("zhifadui"), await sign_in("huanwei")
    await do(lead, case_no, "sign")
    await do(lead, case_no, "respond", means="on_site")
    assert [a["action"] for a in (await get(co, case_no))["actions"] if a["primary"]] == ["co_done"]
    await do(co, case_no, "co_done", note="已清扫")
    stored = await lead.put(
        f"/api/v1/cases/{case_no}/evidence/after-1", content=PNG, headers={"content-type": "image/png"}
    )
    assert stored.status_code == 200, stored.text
    fed = await do(lead, case_no, "feedback", note="已清理", close_condition_met=True, evidence=["after-1"])
    assert fed["state"] == "fed_back"
    verifier = await sign_in("hecha")
    await do(verifier, case_no, "verify_pass", means="on_site")
    shown = await get(chief, case_no)
    if shown["state"] == "verified":
        shown = await do(chief, case_no, "close")
    assert shown["state"] == "closed"
    assert await visits(verifier) == []
    await do(verifier, case_no, "visit", grade="dissatisfied", note="味道还在")
    assert await visits(verifier) == [(case_no, "dissatisfied")], "closed, and yet somebody has to answer"
    await do(verifier, case_no, "visit", grade="fair")
    assert await visits(verifier) == []
    notes = [t["note"] for t in shown["timeline"] if t["note"]]
    assert "已劝导无效\n占道经营（清单第7项）" in notes
    assert "已清理" in notes
    evidence = [e for t in shown["timeline"] for e in t["evidence"]]
    assert [e["id"] for e in evidence] == ["after-1"]
    told = await street.rows(
        "SELECT headers ->> 'ce_type' AS kind, convert_from(payload, 'UTF8')::json -> 'pictures' AS pictures,"
        " (SELECT path FROM dispatch.evidence) AS path FROM dispatch.outbox WHERE topic = 'grid.case.v1'"
    )
    assert {row.kind: row.pictures for row in told if row.pictures} == {"case.fed_back": [told[0].path]}
    picture = await chief.get(evidence[0]["url"])
    assert picture.status_code == 200
    assert picture.headers["content-type"] == "image/jpeg"
    assert [s["stage"] for s in shown["stages"] if s["entered_at"]] == [
        "discovery",
        "community_call",
        "coordination",
        "response",
        "disposal",
        "closing",
    ]


async def visits(verifier: httpx.AsyncClient) -> list[tuple[str, str | None]]:
    rows = (await verifier.get("/api/v1/queues/visits")).json()["rows"]
    return [(row["case_no"], row["grade"]) for row in rows]


async def test_a_foreign_case_is_not_there(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened()
    stranger = await sign_in("wangge07")
    for answer in (
        await stranger.get(f"/api/v1/cases/{case_no}"),
        await post(stranger, case_no, "call_up", 1, reason="no_means"),
        await stranger.put(f"/api/v1/cases/{case_no}/evidence/x", content=PNG, headers={"content-type": "image/png"}),
    ):
        assert answer.status_code == 404, answer.text
        assert answer.json()["code"] == "not_found"
    listed = await stranger.get("/api/v1/cases", params={"q": case_no})
    assert listed.json()["rows"] == []


async def test_a_stale_version_says_who_changed_what_and_keeps_nothing(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened(staff=False)
    branch, second = await sign_in("zhibu01"), await sign_in("wangge01")
    version = (await get(second, case_no))["version"]
    await do(branch, case_no, "call_up", reason="no_means")
    facts = await street.scalar("SELECT count(*) FROM dispatch.case_facts")
    answer = await post(second, case_no, "self_resolve_start", version)
    assert answer.status_code == 409
    told = answer.json()
    assert told["code"] == "version_conflict"
    assert told["by_name"] == "钱示一"
    assert told["action"] == "呼叫社区"
    assert await street.scalar("SELECT count(*) FROM dispatch.case_facts") == facts


async def test_an_impossible_action_names_the_state_and_what_is_allowed(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened(staff=False)
    branch = await sign_in("zhibu01")
    version = (await get(branch, case_no))["version"]
    answer = await post(branch, case_no, "self_resolve_done", version, means="sao", note="已扫")
    assert answer.status_code == 409
    body = answer.json()
    assert (body["code"], body["state"]) == ("illegal_transition", "reported")
    assert "call_up" in body["allowed"]
    assert "已上报待研判" in body["detail"]


async def test_a_post_that_may_not_is_refused(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened(staff=False)
    leader = await sign_in("lingdao")
    version = (await get(leader, case_no))["version"]
    answer = await post(leader, case_no, "call_up", version, reason="no_means")
    assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")


async def test_the_same_key_acts_once(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened(staff=False)
    branch = await sign_in("zhibu01")
    version = (await get(branch, case_no))["version"]
    first = await post(branch, case_no, "call_up", version, key="k1", reason="no_means")
    again = await post(branch, case_no, "call_up", version, key="k1", reason="no_means")
    other = await post(branch, case_no, "call_up", version, key="k1", reason="recurring")
    assert first.status_code == again.status_code == 200
    assert first.content == again.content
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_of_two_who_act_at_once_one_is_told_so(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened(staff=False)
    branch, worker = await sign_in("zhibu01"), await sign_in("wangge01")
    version = (await get(branch, case_no))["version"]
    answers = await asyncio.gather(
        post(branch, case_no, "call_up", version, reason="no_means"),
        post(worker, case_no, "self_resolve_start", version),
    )
    assert sorted(a.status_code for a in answers) == [200, 409]
    sequences = await street.rows("SELECT sequence FROM dispatch.case_facts ORDER BY sequence")
    assert [row.sequence for row in sequences] == list(range(1, len(sequences) + 1))


async def test_broken_pictures_and_unknown_evidence_are_refused(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened(staff=False)
    branch = await sign_in("zhibu01")
    url = f"/api/v1/cases/{case_no}/evidence/e1"
    broken = await branch.put(url, content=PNG[:40], headers={"content-type": "image/png"})
    assert (broken.status_code, broken.json()["code"]) == (422, "broken_image")
    text = await branch.put(url, content=b"hello", headers={"content-type": "image/png"})
    assert (text.status_code, text.json()["code"]) == (415, "unsupported_media")
    first = await branch.put(url, content=PNG, headers={"content-type": "image/png"})
    again = await branch.put(url, content=PNG, headers={"content-type": "image/png"})
    assert first.json() == again.json()
    version = (await get(branch, case_no))["version"]
    missing = await post(branch, case_no, "note", version, note="看", evidence=["e2"])
    assert (missing.status_code, missing.json()["missing"]) == (422, ["e2"])


async def test_a_restricted_case_shows_class_and_community_only_outside_its_chain(
    street: Street, sign_in: SignIn
) -> None:
    case_no = await street.opened(category=await street.category(restricted=True), staff=False)
    chief, branch = await sign_in("zhiban"), await sign_in("zhibu01")
    outside, inside = await get(chief, case_no), await get(branch, case_no)
    assert inside["reports"][0]["text"] == "垃圾堆在路口"
    assert outside["reports"] == outside["timeline"] == outside["actions"] == []
    assert outside["place"]["grid"] is None
    rows = (await chief.get("/api/v1/queues/branch_triage")).json()["rows"]
    assert [(r["summary"], r["address"]) for r in rows] == [("", "云溪社区")]
    await street.indexed()
    assert (await chief.get("/api/v1/cases", params={"q": "垃圾"})).json()["rows"] == []
    assert len((await branch.get("/api/v1/cases", params={"q": "垃圾"})).json()["rows"]) == 1
    urged = await post(chief, case_no, "urge", outside["version"])
    assert (urged.status_code, urged.json()["code"]) == (403, "not_permitted")


async def test_a_wrong_place_is_put_right_from_the_form(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened(category=await street.category(), staff=False, reporter_account=None)
    branch = await sign_in("zhibu01")
    form = next(a for a in (await get(branch, case_no))["actions"] if a["action"] == "reclassify")
    cells = next(i for i in form["inputs"] if i["name"] == "cell")["choices"]
    here = str(await street.scalar("SELECT cell FROM dispatch.cases WHERE case_no = :no", no=case_no))
    near = next(c["id"] for c in cells if c["id"] != here)
    nowhere = await post(
        branch, case_no, "reclassify", (await get(branch, case_no))["version"], cell="x", reason="wrong_place"
    )
    assert (nowhere.status_code, nowhere.json()["errors"][0]["field"]) == (422, "cell")
    await do(branch, case_no, "reclassify", cell=near, reason="wrong_place")
    assert await street.scalar("SELECT cell FROM dispatch.cases WHERE case_no = :no", no=case_no) == near

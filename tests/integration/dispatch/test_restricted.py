"""A restricted matter through every way out of dispatch: its owner chain and its mediator see it, nobody else does."""

from __future__ import annotations

import csv
import io
import json
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from schemas.events.parts import CategoryV1
from services.governance.cycle import Role
from tests.integration.dispatch.conftest import SignIn, Street
from tests.integration.dispatch.test_acting import do, get, post, proposed
from tests.integration.dispatch.test_events import next_event, served, signed_in

pytestmark = pytest.mark.anyio
SECRET, NOTE = "邻居楼上漏水吵架", "双方同意先查漏点"
QUARREL = CategoryV1(scheme="STREET-EXT", version="1", code="2101")
WATCHING = ("red", "overdue", "due_soon", "in_handling", "intake", "to_dispatch", "hard")


async def quarrel(street: Street) -> str:
    """Told by a resident, standing at the branch."""
    resident = {"reporter_account": await street.account("jumin01"), "reporter_role": Role.REPORTER, "staff": False}
    return await street.opened(category=QUARREL, masked_text=SECRET, masked_place="云溪一街3号楼", **resident)


async def at_street(street: Street, sign_in: SignIn) -> str:
    case_no = await quarrel(street)
    await do(await sign_in("zhibu01"), case_no, "call_up", reason="no_enforcement")
    await do(await sign_in("shequ01"), case_no, "call_up", reason="no_enforcement", note="调过一次")
    return case_no


async def named(street: Street, sign_in: SignIn) -> str:
    """Led by 综治中心, mediated by the branch secretary of another grid's community: shequ02."""
    case_no = await at_street(street, sign_in)
    chief = await sign_in("zhiban")
    await do(chief, case_no, "file", condition=await proposed(chief, case_no))
    await do(await sign_in("paiqian"), case_no, "dispatch", lead_unit="zongzhi")
    await do(chief, case_no, "name_mediator", person=await street.account("sifasuo"))
    return case_no


async def all_that(client: httpx.AsyncClient, case_no: str) -> str:
    """Everything of the case that this person can get hold of, as one text."""
    paths = [f"/api/v1/cases/{case_no}", f"/api/v1/cases/{case_no}/mediation", "/api/v1/cases?q=漏水"]
    paths += [f"/api/v1/queues/{queue}" for queue in WATCHING] + ["/api/v1/export/cases.csv"]
    return "\n".join([(await client.get(path)).text for path in paths])


async def test_only_the_chain_names_a_mediator_and_only_of_a_restricted_matter(street: Street, sign_in: SignIn) -> None:
    case_no, plain = await quarrel(street), await street.opened(category=await street.category())
    branch, chief = await sign_in("zhibu01"), await sign_in("zhiban")
    offered = next(a for a in (await get(branch, case_no))["actions"] if a["action"] == "name_mediator")
    (field,) = offered["inputs"]
    assert await street.account("shequ01") in {choice["id"] for choice in field["choices"]}
    assert "name_mediator" not in {a["action"] for a in (await get(branch, plain))["actions"]}
    person = await street.account("shequ01")
    seen = (await get(chief, case_no))["version"]
    too_early = await post(chief, case_no, "name_mediator", seen, person=person)
    assert (too_early.status_code, too_early.json()["code"]) == (403, "not_permitted")
    nobody = await post(branch, case_no, "name_mediator", (await get(branch, case_no))["version"], person="x")
    assert (nobody.status_code, nobody.json()["errors"][0]["field"]) == (422, "person")
    shown = await do(branch, case_no, "name_mediator", person=person)
    assert shown["mediator"] == "施示二"
    sent = await street.scalar("SELECT convert_from(payload, 'UTF8') FROM dispatch.outbox ORDER BY id DESC LIMIT 1")
    assert json.loads(str(sent))["tell"] == [{"post": "mediator", "code": "", "instead_of": None, "account": person}]
    await do(await sign_in("zhibu01"), case_no, "name_mediator", person=await street.account("wangge02"))
    assert (await get(await sign_in("wangge02"), case_no))["reports"][0]["text"] == SECRET


async def test_the_mediator_sees_all_of_it_and_writes_a_record_apart(street: Street, sign_in: SignIn) -> None:
    case_no = await named(street, sign_in)
    mediator, lead, chief = await sign_in("sifasuo"), await sign_in("zongzhi"), await sign_in("zhiban")
    assert (await get(mediator, case_no))["reports"][0]["text"] == SECRET
    rows = (await mediator.get("/api/v1/queues/to_mediate")).json()["rows"]
    assert [row["case_no"] for row in rows] == [case_no]
    path, body = f"/api/v1/cases/{case_no}/mediation", {"id": str(uuid4()), "text": NOTE}
    for _ in range(2):
        written = await mediator.post(path, json=body)
        assert written.status_code == 201, written.text
    told = (await lead.get(path)).json()
    assert (told["mediator"], told["may_write"]) == ("朱示三", False)
    assert [(note["by_name"], note["text"]) for note in told["notes"]] == [("朱示三", NOTE)]
    assert (await chief.get(path)).json()["notes"] == told["notes"]
    for somebody in (lead, chief):
        refused = await somebody.post(path, json={"id": str(uuid4()), "text": "x"})
        assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")


async def test_what_is_said_in_mediation_is_in_no_fact_event_timeline_or_file(street: Street, sign_in: SignIn) -> None:
    case_no = await named(street, sign_in)
    mediator, chief = await sign_in("sifasuo"), await sign_in("zhiban")
    body = {"id": str(uuid4()), "text": NOTE}
    assert (await mediator.post(f"/api/v1/cases/{case_no}/mediation", json=body)).status_code == 201
    for statement in (
        "SELECT string_agg(body::text, ' ') FROM dispatch.case_facts",
        "SELECT string_agg(convert_from(payload, 'UTF8'), ' ') FROM dispatch.outbox",
        "SELECT string_agg(note, ' ') FROM dispatch.notes",
        "SELECT string_agg(body::text || summary || address, ' ') FROM dispatch.cases",
        "SELECT string_agg(details::text, ' ') FROM identity.audit_log",
    ):
        assert NOTE not in str(await street.scalar(statement)), statement
    await street.indexed()
    for client in (chief, mediator):
        assert NOTE not in json.dumps(await get(client, case_no), ensure_ascii=False)
        assert NOTE not in (await client.get("/api/v1/export/cases.csv")).text
        assert (await client.get("/api/v1/cases", params={"q": "漏点"})).json()["rows"] == []


async def test_everybody_else_gets_class_and_community_wherever_he_asks(street: Street, sign_in: SignIn) -> None:
    case_no = await quarrel(street)
    for login in ("zhiban", "lingdao", "shouli", "shequ01"):
        told = await all_that(await sign_in(login), case_no)
        assert "邻里纠纷" in told, login
        assert "云溪社区" in told, login
        assert SECRET not in told, login
        assert "云溪一街" not in told, login
    case_no = await named(street, sign_in)
    for login in ("zhifadui", "huanwei", "wangge06", "shequ02", "quji", "gongwei", "chengyuan-xuexiao", "pingjia"):
        client = await sign_in(login)
        assert (await client.get(f"/api/v1/cases/{case_no}")).status_code == 404, login
        assert (await client.get(f"/api/v1/cases/{case_no}/mediation")).status_code == 404, login
        assert SECRET not in await all_that(client, case_no), login


async def test_a_row_tells_nothing_that_the_class_does_not(street: Street, sign_in: SignIn) -> None:
    case_no = await quarrel(street)
    (row,) = (await (await sign_in("zhiban")).get("/api/v1/queues/branch_triage")).json()["rows"]
    assert (row["case_no"], row["category"]["name"], row["address"]) == (case_no, "邻里纠纷", "云溪社区")
    assert (row["due"], row["reports"], row["hand_overs"], row["flags"]) == (None, 0, 0, ["restricted"])
    shown = await get(await sign_in("zhiban"), case_no)
    assert (shown["source"], shown["owner"], shown["routing"], shown["mediator"]) == ("", None, None, None)


TOLD = {"case_no", "version", "sequence", "category", "restricted", "sample"}
"""What may be filled; version and sequence number the facts and say nothing of them."""


async def test_how_it_stands_and_since_when_is_in_no_row_page_or_file(street: Street, sign_in: SignIn) -> None:
    case_no = await quarrel(street)
    for login in ("zhiban", "lingdao", "shouli", "shequ01"):
        client = await sign_in(login)
        queue = next(q["id"] for q in (await client.get("/api/v1/queues")).json()["queues"] if q["open"])
        (row,) = (await client.get(f"/api/v1/queues/{queue}")).json()["rows"]
        assert {name for name, value in row.items() if value} == {*TOLD, "address", "community", "flags"}, login
        shown = await get(client, case_no)
        assert {name for name, value in shown.items() if value} == {*TOLD, "place"}, login
        place = {name for name, value in shown["place"].items() if value}
        assert place == {"street", "community", "community_name"}, login
    answer = await (await sign_in("lingdao")).get("/api/v1/export/cases.csv", headers={"accept-language": "en-US"})
    (line,) = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert [value for value in line.values() if value] == [case_no, "2101", "邻里纠纷", "云溪社区"]


async def test_a_member_unit_takes_no_part_in_it(street: Street, sign_in: SignIn) -> None:
    case_no = await at_street(street, sign_in)
    chief = await sign_in("zhiban")
    await do(chief, case_no, "file", condition=await proposed(chief, case_no))
    dispatcher = await sign_in("paiqian")
    version = (await get(dispatcher, case_no))["version"]
    refused = await post(dispatcher, case_no, "dispatch", version, lead_unit="zongzhi", co_units=["chengyuan-xuexiao"])
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "co_units")


async def test_once_it_is_closed_the_mediator_still_sees_it_and_writes_no_more(street: Street, sign_in: SignIn) -> None:
    case_no = await named(street, sign_in)
    await do(await sign_in("zhiban"), case_no, "void", reason="test_data", note="重复登记")
    await do(await sign_in("zhiban02"), case_no, "approve")
    mediator = await sign_in("sifasuo")
    assert (await get(mediator, case_no))["state"] == "void"
    assert (await mediator.get(f"/api/v1/cases/{case_no}/mediation")).json()["may_write"] is False
    late = await mediator.post(f"/api/v1/cases/{case_no}/mediation", json={"id": str(uuid4()), "text": "x"})
    assert late.status_code == 403


async def test_the_live_feed_tells_no_more_than_the_lists(street: Street, app: FastAPI) -> None:
    """Both stand before their streams: the branch gets the words, the duty chief class and community."""
    async with (
        served(app) as url,
        signed_in(url, "zhibu01") as branch,
        signed_in(url, "zhiban") as chief,
        branch.stream("GET", "/api/v1/events") as near,
        chief.stream("GET", "/api/v1/events") as far,
    ):
        lines = [near.aiter_lines(), far.aiter_lines()]
        for each in lines:
            await next_event(each, "queue.counts")
        case_no = await quarrel(street)
        own, others = [json.loads((await next_event(each, "case.changed"))["data"]) for each in lines]
    assert own["case_no"] == others["case_no"] == case_no
    assert own["row"]["summary"] == SECRET
    assert (others["row"]["category"]["name"], others["row"]["address"]) == ("邻里纠纷", "云溪社区")
    assert SECRET not in json.dumps(others, ensure_ascii=False)
    assert {name for name, value in others["row"].items() if value} == {*TOLD, "address", "community", "flags"}

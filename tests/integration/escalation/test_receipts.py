"""A platform behind an endpoint: told in its dialect, answered where the case came from, heard when it calls back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from schemas.events.case import CaseCommandRefusedV1
from schemas.events.command import CallbackV1
from schemas.events.parts import ExternalV1
from schemas.registry import decode
from schemas.webhooks import ANSWERS
from services.chassis.directory import DirectoryCache
from services.chassis.telemetry import Metrics
from services.escalation.app import http_app
from services.escalation.dialects.city_form import digest
from services.escalation.usecases.vitals import PlatformProbe
from services.escalation.webhooks.client import Outcome
from tests.integration.escalation.conftest import HOOK_URL, House, fact

pytestmark = pytest.mark.anyio
ORIGIN = "http://localhost"
KEY = "handed-out-by-the-platform"
CITY = {
    "url": HOOK_URL,
    "name": "区平台",
    "events": list(ANSWERS),
    "dialect": "city_form",
    "app_key": "street-1",
    "secret": KEY,
    "crs": "gcj02",
    "partner": "hotline",
}
TAKEN = Outcome(200, None, 3, '{"code": 0, "data": {"taskNum": "GD-1"}}')
FAILED_INSIDE = Outcome(200, None, 3, '{"code": 5001, "msg": "签名错误"}')


@pytest.fixture
async def app(
    sample_street: None, house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[FastAPI]:
    monkeypatch.setenv("GRID_MEDIA_URL", str(tmp_path))
    await house.partner("hotline")
    cache = DirectoryCache(house.db)
    await cache.refresh()
    made = http_app(house.db, cache, house.box)
    async with made.router.lifespan_context(made):
        yield made


@pytest.fixture
async def admin(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"origin": ORIGIN}) as client:
        signed_in = {"login": "admin", "password": "fengcheng-2026"}
        assert (await client.post("/api/v1/session", json=signed_in)).status_code == 200
        yield client


@pytest.fixture
async def platform(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Who is not signed in."""
    form = {"content-type": "application/x-www-form-urlencoded"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN, headers=form) as client:
        yield client


def from_hotline(case_id: str, kind: str, number: str = "GD-1") -> Any:
    """A fact of a case that the hotline knows."""
    told = fact(case_id, kind=kind)
    object.__setattr__(
        told, "data", told.data.model_copy(update={"external": (ExternalV1(system="hotline", number=number),)})
    )
    return told


def signed(now: datetime, **said: str) -> bytes:
    given = {"msgId": uuid4().hex, "appKey": "street-1", "time": str(int(now.timestamp() * 1000)), **said}
    return urlencode({**given, "digest": digest(KEY.encode(), given)}).encode()


async def commands(house: House) -> list[CallbackV1]:
    rows = await house.rows("SELECT headers, payload FROM escalation.outbox ORDER BY id")
    found = [decode({name: value.encode() for name, value in head.items()}, body).data for head, body in rows]
    return [one for one in found if isinstance(one, CallbackV1)]


async def test_a_case_is_answered_where_it_came_from_and_nowhere_else(house: House, admin: httpx.AsyncClient) -> None:
    made = await admin.post("/api/v1/webhooks", json=CITY)
    assert made.status_code == 201, made.text
    assert (made.json()["secret"], made.json()["secret_hint"]) == (None, KEY[-4:])
    house.platform.answer = lambda _: TAKEN
    await house.hear(from_hotline("a", "case.reported"), fact("b", kind="case.fed_back"))
    for kind in ("signed", "returned", "extension_requested", "fed_back", "closed", "dispatched"):
        await house.hear(fact("a", kind=f"case.{kind}"))
    for _ in range(6):
        await house.deliverer().once()
    records = [dict(parse_qsl(body.decode())) for _, body in house.platform.posted]
    assert [one["eventState"] for one in records][1:5] == ["115", "142", "105", "107"]
    assert {one["taskNum"] for one in records} == {"GD-1"}
    assert [one["sequence"] for one in records] == ["1", "2", "3", "4", "5"]
    assert all(digest(KEY.encode(), one) == one["digest"] for one in records)


async def test_a_failing_code_in_a_200_is_tried_again(house: House, admin: httpx.AsyncClient) -> None:
    await admin.post("/api/v1/webhooks", json=CITY)
    house.platform.answer = lambda _: FAILED_INSIDE
    await house.hear(from_hotline("a", "case.fed_back"))
    await house.deliverer().once()
    [shown] = (await admin.get("/api/v1/deliveries")).json()["items"]
    assert (shown["state"], shown["last_status"], shown["last_error"]) == ("waiting", 200, "code_5001")
    house.platform.answer = lambda _: TAKEN
    await house.later(10)
    await house.deliverer().once()
    [shown] = (await admin.get("/api/v1/deliveries")).json()["items"]
    assert (shown["state"], shown["attempts"]) == ("delivered", 2)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"dialect": "klingon"}, "dialect"),
        ({"auth": "basic"}, "auth"),
        ({"app_key": ""}, "app_key"),
        ({"secret": None}, "secret"),
        ({"auth": "standard_webhooks"}, "secret"),
        ({"secret": "short"}, "secret"),
        ({"crs": "mars"}, "crs"),
        ({"partner": "hotlein"}, "partner"),
    ],
)
async def test_what_cannot_be_spoken_is_told_by_field(
    admin: httpx.AsyncClient, change: dict[str, Any], field: str
) -> None:
    answer = await admin.post("/api/v1/webhooks", json={**CITY, **change})
    assert answer.status_code == 422, answer.text
    [wrong] = answer.json()["errors"]
    assert wrong["field"] == field
    assert wrong["message"]


async def test_what_the_other_side_has_handed_out_is_changed_by_hand(house: House, admin: httpx.AsyncClient) -> None:
    made = (await admin.post("/api/v1/webhooks", json=CITY)).json()
    at = f"/api/v1/webhooks/{made['id']}"
    refused = await admin.post(f"{at}/rotate-secret")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "secret_is_given")
    changed = await admin.patch(at, json={"secret": "handed-out-anew", "partner": "", "crs": "bd09", "app_key": "two"})
    told = changed.json()
    assert (told["secret_hint"], told["partner"], told["crs"], told["app_key"]) == ("anew", None, "bd09", "two")
    house.platform.answer = lambda _: TAKEN
    await house.hear(fact("b", kind="case.fed_back"))
    await house.deliverer().once()
    record = dict(parse_qsl(house.platform.posted[0][1].decode()))
    assert (record["crs"], record["digest"]) == ("bd09", digest(b"handed-out-anew", record))


async def test_a_receiver_changes_over_to_another_dialect(house: House, admin: httpx.AsyncClient) -> None:
    """What still waits in the old one is given up at once, and holds up nothing that is written in the new one."""
    native = {"url": HOOK_URL, "name": "区平台", "events": list(ANSWERS), "partner": "hotline"}
    made = (await admin.post("/api/v1/webhooks", json=native)).json()
    at = f"/api/v1/webhooks/{made['id']}"
    assert (await admin.get("/api/v1/webhooks")).json()["partners"] == ["hotline"]
    house.platform.answer = lambda _: Outcome(415, None, 3, "")
    await house.hear(from_hotline("a", "case.signed"))
    await house.deliverer().once()

    unfit = await admin.patch(at, json={"dialect": "city_form"})
    assert unfit.json()["auth"] == "standard_webhooks", "it stays where the dialect has it"
    for change, field in (
        ({"auth": "app_key", "secret": KEY}, "app_key"),
        ({"auth": "app_key", "app_key": "street-1"}, "secret"),
        ({"dialect": "esperanto"}, "dialect"),
        ({"dialect": "cloudevents", "auth": "app_key"}, "auth"),
        ({"partner": "nobody"}, "partner"),
    ):
        refused = await admin.patch(at, json=change)
        assert (refused.status_code, [one["field"] for one in refused.json()["errors"]]) == (422, [field])
    changed = (await admin.patch(at, json={"auth": "app_key", "app_key": "street-1", "secret": KEY})).json()
    assert (changed["dialect"], changed["auth"], changed["secret"], changed["failures"]) == (
        "city_form",
        "app_key",
        None,
        0,
    )

    house.platform.answer, before = lambda _: TAKEN, len(house.platform.posted)
    await house.deliverer().once()
    [given_up] = (await admin.get("/api/v1/deliveries", params={"failure": "dialect"})).json()["items"]
    assert (given_up["state"], given_up["last_error"], given_up["attempts"]) == ("dead", "other_dialect", 2)
    assert len(house.platform.posted) == before
    assert (await admin.get("/api/v1/webhooks")).json()["items"][0]["failures"] == 0, "nobody has failed"
    await house.hear(from_hotline("a", "case.fed_back"))
    await house.deliverer().once()
    record = dict(parse_qsl(house.platform.posted[-1][1].decode()))
    assert (record["sequence"], record["digest"]) == ("2", digest(KEY.encode(), record))

    back = (await admin.patch(at, json={"dialect": "cloudevents"})).json()
    assert (back["auth"], back["secret"][-4:]) == ("standard_webhooks", back["secret_hint"])
    assert "secret" not in (await admin.get("/api/v1/webhooks")).json()["items"][0]


async def test_call_backs_become_commands_once(
    house: House, admin: httpx.AsyncClient, platform: httpx.AsyncClient
) -> None:
    """By their number, in their dialect; what is only progress asks nobody."""
    made = (await admin.post("/api/v1/webhooks", json=CITY)).json()
    path, now = f"/api/v1/platform/{made['id']}/events", await house.now()
    await house.hear(from_hotline("a", "case.reported"))
    accepted = signed(now, taskNum="GD-1", eventState="118", disposeUnitName="区城管局", opinion="电话13812345678")
    assert (await platform.post(path, content=accepted)).json() == {"code": "0", "message": "passed_on"}
    assert (await platform.post(path, content=accepted)).json() == {"code": "0", "message": "repeated"}
    progress = await platform.post(path, content=signed(now, taskNum="GD-1", eventState="104"))
    assert progress.json()["message"] == "noted"
    forged = signed(now, taskNum="GD-1", eventState="107").replace(b"107", b"118")
    assert (await platform.post(path, content=forged)).status_code == 401
    assert (await platform.post(f"/api/v1/platform/{uuid4()}/events", content=accepted)).status_code == 401
    [asked] = await commands(house)
    assert (asked.outcome, asked.case_id, asked.unit) == ("accepted", "a", "区城管局")
    assert "13812345678" not in asked.masked_note


async def test_an_unknown_code_waits_for_a_person_who_takes_it_for_something(
    house: House, admin: httpx.AsyncClient, platform: httpx.AsyncClient
) -> None:
    made = (await admin.post("/api/v1/webhooks", json=CITY)).json()
    path, now = f"/api/v1/platform/{made['id']}/events", await house.now()
    assert (await admin.get("/api/v1/receipts/count")).json()["receipts"] == 0
    for code in ("777", "888"):
        told = await platform.post(path, content=signed(now, taskNum="GD-1", sourceNum="FC-1", eventState=code))
        assert told.json()["message"] == "unknown"
    shown = (await admin.get("/api/v1/receipts", params={"limit": 1})).json()
    assert [one["word"] for one in shown["items"]] == ["888"]
    rest = (await admin.get("/api/v1/receipts", params={"limit": 1, "after": shown["next"]})).json()
    [strange], [other] = rest["items"], shown["items"]
    assert (strange["word"], strange["case_no"], strange["endpoint"]) == ("777", "FC-1", "区平台")
    assert strange["said"]["taskNum"] == "GD-1"
    assert (await admin.get("/api/v1/receipts/count")).json()["receipts"] == 2

    taken = {"outcome": "disposed", "case_no": "FC-1", "note": "平台改了代码"}
    done = await admin.post(f"/api/v1/receipts/{strange['id']}/map", json=taken)
    assert (done.status_code, done.json()["mapped_as"], done.json()["open"]) == (200, "disposed", False)
    [asked] = await commands(house)
    assert (asked.outcome, asked.case_no) == ("disposed", "FC-1")
    again = await admin.post(f"/api/v1/receipts/{strange['id']}/map", json=taken)
    assert (again.status_code, again.json()["code"]) == (409, "receipt_settled")

    aside = await admin.post(f"/api/v1/receipts/{other['id']}/set-aside", json={"reason": "测试代码"})
    assert (aside.json()["aside_reason"], aside.json()["open"]) == ("测试代码", False)
    assert (await admin.get("/api/v1/receipts/count")).json()["receipts"] == 0
    every = (await admin.get("/api/v1/receipts", params={"state": "all"})).json()["items"]
    assert [one["word"] for one in every] == ["888", "777"]
    written = await house.rows("SELECT action FROM identity.audit_log WHERE action LIKE 'receipt.%' ORDER BY 1")
    assert [kind for (kind,) in written] == ["receipt.mapped", "receipt.set_aside"]


@pytest.mark.parametrize(("code", "waiting"), [("illegal_transition", 1), ("no_change", 0)])
async def test_what_dispatch_refused_waits_for_a_person_too(
    house: House, admin: httpx.AsyncClient, platform: httpx.AsyncClient, code: str, waiting: int
) -> None:
    made = (await admin.post("/api/v1/webhooks", json=CITY)).json()
    now = await house.now()
    closed = signed(now, taskNum="GD-1", sourceNum="FC-1", eventState="107")
    await platform.post(f"/api/v1/platform/{made['id']}/events", content=closed)
    [(head, body)] = await house.rows("SELECT headers, payload FROM escalation.outbox")
    asked = decode({name: value.encode() for name, value in head.items()}, body)
    refusal = CaseCommandRefusedV1(command_id=str(asked.id), command=asked.type, code=code)
    answer = replace(
        fact("a"), type="case.command_refused", data=refusal, causation_id=asked.id, correlation_id=asked.correlation_id
    )
    await house.hear(answer)
    count = (await admin.get("/api/v1/receipts/count")).json()
    assert (count["receipts"], count["dead_letters"]) == (waiting, 0)
    await house.later(90)
    metrics = Metrics("escalation")
    async with house.db.reading() as tx:
        await PlatformProbe(metrics).read(tx)
    told_by = metrics.registry.get_sample_value
    assert told_by("grid_receipts_waiting") == waiting
    assert ((told_by("grid_receipts_waiting_oldest_seconds") or 0) >= 90) == bool(waiting)


async def test_the_number_a_receiver_gives_is_kept_and_found(
    house: House, admin: httpx.AsyncClient, platform: httpx.AsyncClient
) -> None:
    """A whistle goes out under our number; from then on the platform may call back by its own."""
    given = {name: value for name, value in CITY.items() if name != "partner"}
    made = (await admin.post("/api/v1/webhooks", json={**given, "events": ["case.escalated"]})).json()
    house.platform.answer = lambda _: Outcome(200, None, 3, json.dumps({"code": "0", "data": {"taskNum": "QP-9"}}))
    await house.hear(fact("a", kind="case.escalated"))
    await house.deliverer().once()
    told = signed(await house.now(), taskNum="QP-9", eventState="118")
    await platform.post(f"/api/v1/platform/{made['id']}/events", content=told)
    assert [(one.outcome, one.case_id) for one in await commands(house)] == [("accepted", "a")]


@pytest.mark.parametrize("restricted", [False, True])
async def test_pictures_go_along_as_links_that_end(
    house: House, admin: httpx.AsyncClient, platform: httpx.AsyncClient, tmp_path: Path, restricted: bool
) -> None:
    """Nobody has to sign in to open one; of a restricted case there is none."""
    await admin.post("/api/v1/webhooks", json=CITY)
    picture = tmp_path / "evidence" / "aa" / "after.jpg"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"\xff\xd8 a clean picture")
    told = from_hotline("a", "case.fed_back")
    standing = told.data.standing.model_copy(update={"restricted": restricted})
    changes = {"pictures": ("aa/after.jpg", "aa/gone.jpg"), "standing": standing}
    object.__setattr__(told, "data", told.data.model_copy(update=changes))
    await house.hear(told)
    await house.deliverer().once()
    record = dict(parse_qsl(house.platform.posted[0][1].decode()))
    if restricted:
        assert "attachments" not in record
        return
    here, gone = (one["url"].removeprefix(ORIGIN) for one in json.loads(record["attachments"]))
    shown = await platform.get(here)
    assert (shown.status_code, shown.headers["content-type"], shown.content) == (
        *(200, "image/jpeg"),
        picture.read_bytes(),
    )
    assert shown.headers["cache-control"] == "private, no-store"
    assert (await platform.get(gone)).status_code == 404
    assert (await platform.get(here[:-3] + "AAA")).status_code == 404
    await house.later(3601)
    assert (await platform.get(here)).status_code == 404

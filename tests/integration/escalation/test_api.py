"""The routes of webhooks, deliveries and the platform's call-backs, over HTTP with the sample street's people."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from standardwebhooks.webhooks import Webhook

from schemas.envelope import Envelope
from schemas.events.case import CaseCommandRefusedV1
from schemas.events.command import CallbackV1
from schemas.registry import decode
from schemas.wire import Body
from services.chassis.signing import encode_secret
from services.chassis.telemetry import Metrics
from services.escalation.usecases.vitals import PlatformProbe
from tests.integration.escalation.conftest import HOOK_URL, ORIGIN, PLATFORM_SECRET, House, SignIn, fact

pytestmark = pytest.mark.anyio
NEW = {"url": HOOK_URL, "events": ["case.overdue", "case.closed"], "name": "平台"}


async def test_who_may_do_what(app: FastAPI, sign_in: SignIn) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as nobody:
        assert (await nobody.get("/api/v1/webhooks")).status_code == 401
    expected = {"admin": (200, 201), "zhiban": (200, 201), "audit": (200, 403), "wangge01": (403, 403)}
    for login, (reading, writing) in expected.items():
        person = await sign_in(login)
        assert (await person.get("/api/v1/webhooks")).status_code == reading, login
        assert (await person.get("/api/v1/deliveries")).status_code == reading, login
        assert (await person.post("/api/v1/webhooks", json=NEW)).status_code == writing, login


async def test_the_secret_is_shown_once_and_lies_nowhere_in_the_clear(house: House, admin: httpx.AsyncClient) -> None:
    key = {"idempotency-key": str(uuid4())}
    made = (await admin.post("/api/v1/webhooks", json=NEW, headers=key)).json()
    assert made["secret"].startswith("whsec_")
    assert made["secret"].endswith(made["secret_hint"])
    assert "secret" not in (await admin.get("/api/v1/webhooks")).json()["items"][0]
    again = await admin.post("/api/v1/webhooks", json=NEW, headers=key)
    assert again.json() == made
    assert again.headers["idempotent-replayed"] == "true"
    for table in ("idempotency_keys", "webhook_endpoints"):
        stored = await house.rows(f"SELECT convert_from(convert_to(t::text, 'UTF8'), 'UTF8') FROM escalation.{table} t")
        assert made["secret"] not in str(stored)
        assert made["secret"].encode().hex() not in str(stored)
    assert len(await house.rows("SELECT 1 FROM escalation.webhook_endpoints")) == 1


async def test_a_key_with_another_body_is_refused(admin: httpx.AsyncClient) -> None:
    key = {"idempotency-key": str(uuid4())}
    await admin.post("/api/v1/webhooks", json=NEW, headers=key)
    other = await admin.post("/api/v1/webhooks", json={**NEW, "name": "另一个"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    "url",
    [
        "http://platform.example.com/hook",
        "https://127.0.0.1/hook",
        "https://10.1.2.3/hook",
        "https://169.254.169.254/latest",
        "https://[::1]/hook",
        "https://[::ffff:10.0.0.1]/hook",
        "https://user:pass@platform.example.com/hook",
    ],
)
async def test_addresses_that_are_not_public_are_refused(admin: httpx.AsyncClient, url: str) -> None:
    answer = await admin.post("/api/v1/webhooks", json={**NEW, "url": url})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == "url"


async def test_unknown_kinds_are_refused_and_named(admin: httpx.AsyncClient) -> None:
    answer = await admin.post("/api/v1/webhooks", json={**NEW, "events": ["case.overdue", "case.nonsense"]})
    assert answer.status_code == 422
    assert "case.nonsense" in answer.text


async def test_change_rotate_test_and_remove(house: House, admin: httpx.AsyncClient) -> None:
    made = (await admin.post("/api/v1/webhooks", json=NEW)).json()
    at = f"/api/v1/webhooks/{made['id']}"
    changed = (await admin.patch(at, json={"active": False, "events": ["case.closed"]})).json()
    assert (changed["active"], changed["events"], changed["url"]) == (False, ["case.closed"], HOOK_URL)
    assert (await admin.patch(at, json={"active": True})).json()["active"] is True
    rotated = (await admin.post(f"{at}/rotate-secret")).json()
    assert rotated["secret"] != made["secret"]
    assert datetime.fromisoformat(rotated["previous_until"]) > await house.now() + timedelta(hours=23)
    ping = await admin.post(f"{at}/test")
    assert ping.status_code == 202
    [shown] = (await admin.get("/api/v1/deliveries")).json()["items"]
    assert (shown["id"], shown["type"], shown["state"]) == (ping.json()["delivery_id"], "test.ping", "waiting")
    assert (await admin.delete(at)).status_code == 204
    assert (await admin.get("/api/v1/webhooks")).json()["items"] == []
    for answer in (
        await admin.patch(at, json={"active": True}),
        await admin.delete(at),
        await admin.post(f"{at}/test"),
    ):
        assert answer.status_code == 404


async def test_the_log_pages_newest_first_and_filters(house: House, admin: httpx.AsyncClient) -> None:
    made = (await admin.post("/api/v1/webhooks", json=NEW)).json()
    for n in range(5):
        await house.hear(fact(f"case-{n}", kind="case.overdue"))
    await house.deliverer(GRID_WEBHOOK_CONCURRENCY=2).once()
    seen, after = [], None
    while True:
        query = {"limit": 2, **({"after": after} if after else {})}
        page = (await admin.get("/api/v1/deliveries", params=query)).json()
        seen += [item["case_no"] for item in page["items"]]
        if (after := page["next"]) is None:
            break
    assert seen == [f"FC-case-{n}" for n in (4, 3, 2, 1, 0)]
    done = (await admin.get("/api/v1/deliveries", params={"state": "delivered"})).json()["items"]
    assert len(done) == 2
    assert [attempt["status"] for attempt in done[0]["history"]] == [200]
    one = (await admin.get("/api/v1/deliveries", params={"case_no": "FC-case-3", "webhook_id": made["id"]})).json()
    assert [item["sequence"] for item in one["items"]] == [1]
    assert (await admin.get("/api/v1/deliveries", params={"after": "nonsense"})).status_code == 422


async def test_a_replay_over_http_is_done_once_per_key(house: House, admin: httpx.AsyncClient) -> None:
    made = (await admin.post("/api/v1/webhooks", json=NEW)).json()
    await house.hear(fact("a", kind="case.overdue"))
    await house.deliverer().once()
    key = {"idempotency-key": str(uuid4())}
    path = f"/api/v1/deliveries/{house.platform.ids[0]}/replay"
    assert (await admin.post(path, headers=key)).json() == {"replayed": 1}
    await house.deliverer().once()
    assert (await admin.post(path, headers=key)).json() == {"replayed": 1}
    assert await house.deliverer().once() == 0
    assert house.platform.ids[0] == house.platform.ids[1]
    assert (await admin.post("/api/v1/deliveries/msg_unknown/replay")).status_code == 404
    since = (await house.now() - timedelta(hours=1)).isoformat()
    whole = await admin.post(f"/api/v1/webhooks/{made['id']}/replay", params={"since": since})
    assert whole.json() == {"replayed": 1}


def _signed(
    house_now: datetime, kind: str, secret: str = PLATFORM_SECRET, **data: object
) -> tuple[dict[str, str], bytes]:
    body = json.dumps({"type": kind, "timestamp": house_now.isoformat(), "data": {"case_no": "FC1", **data}}).encode()
    message_id = f"msg_{uuid4().hex}"
    signature = Webhook(secret).sign(message_id, house_now.astimezone(UTC), body.decode())
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(house_now.timestamp())),
        "webhook-signature": signature,
        "content-type": "application/json",
    }
    return headers, body


async def test_the_platforms_call_backs(house: House, app: FastAPI) -> None:
    path = "/api/v1/platform/events"
    now = await house.now()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as platform:
        headers, body = _signed(now, "case.accepted", platform_id="P-1", unit="区城管局", ground="电话13812345678")
        first = await platform.post(path, content=body, headers=headers)
        assert (first.status_code, first.json()) == (202, {"result": "passed_on"})
        assert (await platform.post(path, content=body, headers=headers)).json() == {"result": "repeated"}
        headers, body = _signed(now, "case.praised")
        assert (await platform.post(path, content=body, headers=headers)).json() == {"result": "unknown"}
    receipts = await house.rows("SELECT type, state FROM escalation.platform_receipts ORDER BY at")
    assert receipts == [("case.accepted", "passed_on"), ("case.praised", "unknown")]
    [(topic, key, head, payload)] = await house.rows("SELECT topic, key, headers, payload FROM escalation.outbox")
    event = decode({name: value.encode() for name, value in head.items()}, payload)
    assert (topic, bytes(key), event.type) == ("grid.command.v1", b"FC1", "command.callback")
    assert isinstance(event.data, CallbackV1)
    assert (event.data.outcome, event.data.platform_id, event.data.unit) == ("accepted", "P-1", "区城管局")
    assert b"13812345678" not in bytes(payload)


async def test_a_call_back_learns_what_dispatch_answered(house: House, app: FastAPI) -> None:
    """By a fact or by a refusal; the first answer stands, and asking again under the same id tells it."""
    path, now = "/api/v1/platform/events", await house.now()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as platform:
        heard = [_signed(now, "case.accepted"), _signed(now, "case.refused"), _signed(now, "case.disposed")]
        for headers, body in heard:
            assert (await platform.post(path, content=body, headers=headers)).status_code == 202
        commands = [
            decode({name: value.encode() for name, value in head.items()}, payload)
            for head, payload in await house.rows("SELECT headers, payload FROM escalation.outbox ORDER BY id")
        ]
        yes, no, _ = commands
        granted = replace(fact("C1", kind="case.whistle_answered"), **_answers(yes))
        refusal = CaseCommandRefusedV1(command_id=str(no.id), command=no.type, code="illegal_transition")
        refused = replace(granted, id=house.ids.uuid7(), type="case.command_refused", data=refusal, **_answers(no))
        later = replace(granted, id=house.ids.uuid7(), type="case.command_refused", data=refusal, **_answers(yes))
        await house.hear(granted, refused)
        await house.hear(later)
        told = [(await platform.post(path, content=body, headers=headers)).json() for headers, body in heard]
    assert told == [
        {"result": "repeated", "answer": "done"},
        {"result": "repeated", "answer": "refused", "code": "illegal_transition"},
        {"result": "repeated"},
    ]
    metrics = Metrics("escalation")
    async with house.db.reading() as tx:
        await PlatformProbe(metrics).read(tx)
    assert metrics.registry.get_sample_value("grid_commands_unanswered") == 1


def _answers(command: Envelope[Body]) -> dict[str, Any]:
    return {"causation_id": command.id, "correlation_id": command.correlation_id}


async def test_call_backs_that_cannot_be_trusted_change_nothing(house: House, app: FastAPI) -> None:
    now = await house.now()
    good, body = _signed(now, "case.accepted")
    forged, forged_body = _signed(now, "case.accepted", secret=encode_secret(b"somebody-elses-secret-of-32-byte"))
    stale, stale_body = _signed(now - timedelta(minutes=6), "case.accepted")
    refused = [
        (forged, forged_body),
        (stale, stale_body),
        (good, body + b" "),
        ({**good, "webhook-id": ""}, body),
        ({name: value for name, value in good.items() if name != "webhook-signature"}, body),
    ]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as platform:
        for headers, content in refused:
            answer = await platform.post("/api/v1/platform/events", content=content, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "signature_invalid")
    assert (
        await house.rows("SELECT 1 FROM escalation.platform_receipts UNION ALL SELECT 1 FROM escalation.outbox") == []
    )

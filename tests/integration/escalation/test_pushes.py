"""Who hears of what, how it is signed for, addresses that are vouched for, dead letters and what becomes of them."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from schemas.api.escalation import WebhookIn
from schemas.events.parts import SpotV1
from services.chassis.telemetry import Metrics
from services.escalation.usecases.vitals import WebhookProbe
from services.escalation.webhooks.client import Outcome
from services.governance.cycle import Tier
from tests.integration.escalation.conftest import DOWN, HOOK_URL, House, SignIn, endpoint_id, fact

pytestmark = pytest.mark.anyio
LATE = "case.overdue"
ALLOWED = "/api/v1/webhooks/allowed"
INSIDE = {"scheme": "http", "host": "10.0.0.5", "port": 9000, "reason": "区平台在政务内网"}


async def subscribed(house: House, **wanted: object) -> UUID:
    body = WebhookIn.model_validate({"url": HOOK_URL, "events": [LATE], **wanted})
    async with house.db.transaction() as tx:
        return (await house.desk.add(tx, body, "admin")).endpoint.id


async def all_die(house: House, *cases: str, answer: Outcome = DOWN) -> None:
    """Every try of these cases' messages fails until they are dead letters."""
    await house.hear(*(fact(case, kind=LATE) for case in cases))
    house.platform.answer = lambda _: answer
    sender = house.deliverer()
    while await house.rows("SELECT 1 FROM escalation.webhook_deliveries WHERE state IN ('waiting', 'sending')"):
        await sender.once()
        await house.later(100)


async def test_a_receiver_hears_of_its_streets_and_tiers_alone(house: House) -> None:
    everything = await subscribed(house)
    street = await subscribed(house, streets=["441802003"])
    district = await subscribed(house, tiers=["T3"])
    here, there = SpotV1(street="441802001"), SpotV1(street="441802003")
    await house.hear(
        fact("a", kind=LATE, spot=here, tier=Tier.STREET),
        fact("b", kind=LATE, spot=there, tier=Tier.STREET),
        fact("c", kind=LATE, spot=here, tier=Tier.DISTRICT),
    )
    rows = await house.rows("SELECT endpoint_id, case_id FROM escalation.webhook_deliveries ORDER BY case_id")
    heard = {made: [case for one, case in rows if one == made] for made in (everything, street, district)}
    assert heard == {everything: ["a", "b", "c"], street: ["b"], district: ["c"]}


async def test_whoever_has_the_public_key_can_check_through_a_rotation(house: House) -> None:
    made = await house.endpoint(LATE)
    async with house.db.transaction() as tx:
        rotated = await house.desk.rotate(tx, endpoint_id(made))
    assert rotated is not None
    await house.hear(fact("a", kind=LATE))
    await house.deliverer().once()
    [(headers, body)] = house.platform.posted
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    signatures = [part.removeprefix("v1a,") for part in headers["webhook-signature"].split() if part[:4] == "v1a,"]
    for endpoint, signature in zip((rotated.endpoint, made.endpoint), signatures, strict=True):
        raw = base64.b64decode((endpoint.public_key or "").removeprefix("whpk_"))
        Ed25519PublicKey.from_public_bytes(raw).verify(base64.b64decode(signature), signed)


async def test_the_log_tells_who_was_reached_and_why_it_failed(house: House) -> None:
    await house.endpoint(LATE)
    await house.hear(fact("a", kind=LATE))
    house.platform.answer = lambda _: Outcome(429, None, 3, "slow down", address="203.0.113.9")
    await house.deliverer().once()
    assert await house.rows("SELECT address, error, reply FROM escalation.webhook_attempts") == [
        ("203.0.113.9", "status_429", "slow down")
    ]
    assert await house.rows("SELECT failure, state FROM escalation.webhook_deliveries") == [("throttled", "waiting")]


async def test_most_failures_of_a_minute_open_the_breaker_though_never_five_came_in_a_row(house: House) -> None:
    await house.endpoint(LATE)
    await house.hear(*(fact(f"case-{n:02}", kind=LATE) for n in range(24)))
    turn = iter(range(100))
    house.platform.answer = lambda _: Outcome(200 if next(turn) % 3 == 0 else 503, None, 3, "")
    sender = house.deliverer(GRID_WEBHOOK_PER_ENDPOINT=3)
    for _ in range(8):
        await sender.once()
    [(failures, open_for, recent)] = await house.rows(
        "SELECT failures, open_for_s, recent FROM escalation.webhook_endpoints"
    )
    assert (failures < 5, open_for, recent) == (True, 30, [])


async def test_gone_is_told_until_somebody_switches_it_on_again(house: House, admin: httpx.AsyncClient) -> None:
    made = await house.endpoint(LATE)
    await house.hear(fact("a", kind=LATE))
    house.platform.answer = lambda _: Outcome(410, None, 3, "")
    await house.deliverer().once()
    [shown] = (await admin.get("/api/v1/webhooks")).json()["items"]
    assert (shown["active"], shown["off_because"]) == (False, "gone")
    again = await admin.patch(f"/api/v1/webhooks/{endpoint_id(made)}", json={"active": True})
    assert (again.json()["active"], again.json()["off_because"]) == (True, None)


async def test_an_address_inside_is_called_while_somebody_vouches_for_it(
    house: House, admin: httpx.AsyncClient, sign_in: SignIn
) -> None:
    inside = {"url": "http://10.0.0.5:9000/hook", "events": [LATE]}
    assert (await admin.post("/api/v1/webhooks", json=inside)).status_code == 422
    made = await admin.post(ALLOWED, json=INSIDE)
    assert made.status_code == 201, made.text
    assert (await admin.post("/api/v1/webhooks", json=inside)).status_code == 201
    for other in ("https://10.0.0.5:9000/hook", "http://10.0.0.5:9001/hook", "http://10.0.0.6:9000/hook"):
        assert (await admin.post("/api/v1/webhooks", json={**inside, "url": other})).status_code == 422, other
    [shown] = (await admin.get(ALLOWED)).json()["items"]
    assert (shown["host"], shown["reason"], shown["added_by"]) == ("10.0.0.5", INSIDE["reason"], "冯示三")
    assert (await admin.delete(f"{ALLOWED}/{shown['id']}")).status_code == 204
    assert (await admin.delete(f"{ALLOWED}/{shown['id']}")).status_code == 404
    assert (await admin.post("/api/v1/webhooks", json=inside)).status_code == 422
    told = await house.rows(
        "SELECT action, details FROM identity.audit_log WHERE action LIKE 'webhook.address%' ORDER BY at"
    )
    assert told == [
        ("webhook.address_allowed", {"target": "http://10.0.0.5:9000"}),
        ("webhook.address_forbidden", {"target": "http://10.0.0.5:9000"}),
    ]
    chief = await sign_in("zhiban")
    assert (await chief.get(ALLOWED)).status_code == 200
    assert (await chief.post(ALLOWED, json=INSIDE)).status_code == 403


@pytest.mark.parametrize(
    ("changed", "field", "code"),
    [
        ({"host": "http://10.0.0.5"}, "host", "host_format"),
        ({"host": "10.0.0.5:9000"}, "host", "host_format"),
        ({"host": "0x0a000005"}, "host", "host_format"),
        ({"host": "user@10.0.0.5"}, "host", "host_format"),
        ({"port": 0}, "port", "greater_than_equal"),
        ({"scheme": "ftp"}, "scheme", "literal_error"),
        ({"reason": " "}, "reason", "string_too_short"),
    ],
)
async def test_an_entry_that_could_never_be_called_or_has_no_reason_is_refused(
    admin: httpx.AsyncClient, changed: dict[str, object], field: str, code: str
) -> None:
    answer = await admin.post(ALLOWED, json={**INSIDE, **changed})
    assert answer.status_code == 422
    [wrong] = answer.json()["errors"]
    assert (wrong["field"], wrong["code"]) == (field, code)
    assert wrong["message"]
    assert wrong["remedy"]


async def test_one_place_is_vouched_for_once(admin: httpx.AsyncClient) -> None:
    assert (await admin.post(ALLOWED, json=INSIDE)).status_code == 201
    twice = await admin.post(ALLOWED, json={**INSIDE, "host": "10.0.0.5"})
    assert [one["code"] for one in twice.json()["errors"]] == ["allowed_already"]


async def test_dead_letters_are_counted_by_kind_and_sent_again_by_choice(
    house: House, admin: httpx.AsyncClient
) -> None:
    made = await house.endpoint(LATE)
    await all_die(house, "a", "b")
    await admin.patch(f"/api/v1/webhooks/{endpoint_id(made)}", json={"active": True})
    await all_die(house, "c", answer=Outcome(404, None, 3, ""))
    told = (await admin.get("/api/v1/deliveries/dead")).json()
    assert (told["total"], [(one["failure"], one["count"]) for one in told["items"]]) == (
        3,
        [("receiver_error", 2), ("refused", 1)],
    )
    metrics = Metrics("escalation")
    async with house.db.reading() as tx:
        await WebhookProbe(metrics).read(tx)
    label = {"endpoint": str(endpoint_id(made))}
    assert metrics.registry.get_sample_value("grid_webhook_dead", label) == 3
    assert (metrics.registry.get_sample_value("grid_webhook_dead_oldest_seconds", label) or 0) > 100
    before = [row[0] for row in await house.rows("SELECT id FROM escalation.webhook_deliveries ORDER BY id")]
    wanted = {"webhook_id": str(endpoint_id(made)), "failure": "receiver_error"}
    assert (await admin.post("/api/v1/deliveries/replay", json=wanted)).json() == {"replayed": 2}
    house.platform.answer = lambda _: Outcome(200, None, 3, "")
    await admin.patch(f"/api/v1/webhooks/{endpoint_id(made)}", json={"active": True})
    house.platform.posted.clear()
    await house.deliverer().once()
    assert sorted(house.platform.ids) == sorted(one for one in before if one in house.platform.ids)
    assert sorted(house.platform.numbers) == [("a", 1), ("b", 1)]
    states = await house.rows(
        "SELECT case_id, state, died_at IS NULL FROM escalation.webhook_deliveries ORDER BY case_id"
    )
    assert states == [("a", "delivered", True), ("b", "delivered", True), ("c", "dead", False)]


async def test_replay_by_event_goes_to_every_endpoint_and_by_time_only_to_the_time(
    house: House, admin: httpx.AsyncClient
) -> None:
    one, other = await house.endpoint(LATE), await house.endpoint(LATE)
    event = fact("a", kind=LATE)
    await house.hear(event, fact("b", kind=LATE))
    sender = house.deliverer()
    await sender.once()
    answer = await admin.post("/api/v1/deliveries/replay", json={"event_id": str(event.id), "state": "any"})
    assert answer.json() == {"replayed": 2}
    await sender.once()
    now = await house.now()
    span = {"webhook_id": str(endpoint_id(one)), "state": "delivered"}
    early = {**span, "until": (now - timedelta(hours=1)).isoformat()}
    assert (await admin.post("/api/v1/deliveries/replay", json=early)).json() == {"replayed": 0}
    late = {**span, "since": (now - timedelta(hours=1)).isoformat(), "until": (now + timedelta(hours=1)).isoformat()}
    assert (await admin.post("/api/v1/deliveries/replay", json=late)).json() == {"replayed": 2}
    told = await house.rows("SELECT details->>'replayed' FROM identity.audit_log WHERE action = 'webhook.replayed'")
    assert sorted(row[0] for row in told) == ["0", "2", "2"]
    assert endpoint_id(other) is not None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "choice_too_wide"),
        ({"event_id": "x"}, "uuid_parsing"),
        (
            {"event_id": str(uuid4()), "since": "2026-03-06T00:00:00Z", "until": "2026-03-05T00:00:00Z"},
            "range_backwards",
        ),
        ({"event_id": str(uuid4()), "failure": "bad luck"}, "literal_error"),
    ],
)
async def test_a_choice_that_says_nothing_is_refused(admin: httpx.AsyncClient, body: dict[str, str], code: str) -> None:
    answer = await admin.post("/api/v1/deliveries/replay", json=body)
    assert answer.status_code == 422
    assert [one["code"] for one in answer.json()["errors"]] == [code]
    assert all(one["message"] for one in answer.json()["errors"])


async def test_what_nobody_needs_is_set_aside_with_a_reason_and_stays_in_the_log(
    house: House, admin: httpx.AsyncClient
) -> None:
    made = await house.endpoint(LATE)
    await all_die(house, "a")
    wanted = {"webhook_id": str(endpoint_id(made)), "reason": "区平台已人工补录"}
    assert (await admin.post("/api/v1/deliveries/set-aside", json=wanted)).json() == {"set_aside": 1}
    assert (await admin.get("/api/v1/deliveries/dead")).json()["total"] == 0
    [shown] = (await admin.get("/api/v1/deliveries", params={"state": "skipped"})).json()["items"]
    assert (shown["note"], shown["failure"]) == ("区平台已人工补录", "receiver_error")


async def test_what_is_posted_can_be_looked_at_before_and_afterwards(house: House, admin: httpx.AsyncClient) -> None:
    made = await house.endpoint(LATE)
    path = f"/api/v1/webhooks/{endpoint_id(made)}/preview"
    before = (await admin.get(path, params={"type": LATE})).json()
    assert (before["of"], json.loads(before["body"])["type"]) == ("made_up", LATE)
    for kind in (*("case.escalated", "case.closed", "case.merged", "case.district_due", "test.ping"),):
        answer = await admin.get(path, params={"type": kind})
        assert json.loads(answer.json()["body"])["type"] == answer.json()["headers"]["ce-type"] == kind
    await house.hear(fact("a", kind=LATE))
    after = (await admin.get(path, params={"type": LATE})).json()
    assert (after["of"], after["headers"]["ce-subject"]) == ("sent", "a")
    [delivery] = (await admin.get("/api/v1/deliveries")).json()["items"]
    shown = (await admin.get(f"/api/v1/deliveries/{delivery['id']}/message")).json()
    assert (shown["body"], shown["url"]) == (after["body"], HOOK_URL)
    assert "webhook-signature" not in shown["headers"]
    assert (await admin.get(path, params={"type": "case.imagined"})).status_code == 404
    assert (await admin.get("/api/v1/deliveries/msg_none/message")).status_code == 404

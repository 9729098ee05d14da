"""What belongs to another service is passed on as it is, with the caller, and answered as it comes back."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from services.chassis.http_client import ServiceClient
from services.dispatch.forward import Forwarder
from tests.integration.dispatch.conftest import SignIn, Street

pytestmark = pytest.mark.anyio


class Owner:
    """Stands in for the other service and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return httpx.Response(201, json={"at": request.url.path}, headers={"x-secret": "kept", "etag": '"1"'})


@pytest.fixture
def owner(app: FastAPI) -> Owner:
    found = Owner()
    clients = (
        ServiceClient(name, "http://owner", SecretStr("shared"), transport=httpx.MockTransport(found))
        for name in ("intake", "escalation")
    )
    object.__setattr__(app.state.wiring, "forwarder", Forwarder(*clients))
    return found


@pytest.mark.parametrize(
    ("method", "path", "owned"),
    [
        ("POST", "/api/v1/intake/reports", "/api/v1/reports"),
        ("GET", "/api/v1/intake/form", "/api/v1/form"),
        ("GET", "/api/v1/intake/places?q=ym", "/api/v1/places"),
        ("GET", "/api/v1/escalation/webhooks", "/api/v1/webhooks"),
        ("POST", "/api/v1/escalation/webhooks/w1/test", "/api/v1/webhooks/w1/test"),
        ("PATCH", "/api/v1/escalation/webhooks/w1", "/api/v1/webhooks/w1"),
        ("DELETE", "/api/v1/escalation/webhooks/w1", "/api/v1/webhooks/w1"),
        ("POST", "/api/v1/escalation/deliveries/d1/replay", "/api/v1/deliveries/d1/replay"),
    ],
)
async def test_calls_reach_their_owner(
    street: Street, sign_in: SignIn, owner: Owner, method: str, path: str, owned: str
) -> None:
    client = await sign_in("shouli")
    body = {"text": "来电"} if method in {"POST", "PATCH"} else None
    answer = await client.request(method, path, json=body, headers={"idempotency-key": "k"})
    assert (answer.status_code, answer.json()["at"]) == (201, owned)
    assert "x-secret" not in answer.headers
    (asked,) = owner.asked
    assert asked.headers["authorization"] == "Bearer shared"
    assert asked.headers["x-grid-caller"] == await street.account("shouli")
    assert "cookie" not in asked.headers
    assert asked.url.query.decode() == httpx.URL(path).query.decode()


@pytest.mark.parametrize("path", ["platform/events", "session", "metrics", "../../admin"])
async def test_other_doors_of_escalation_stay_shut(sign_in: SignIn, owner: Owner, path: str) -> None:
    client = await sign_in("shouli")
    assert (await client.get(f"/api/v1/escalation/{path}")).status_code in {404, 422}
    assert owner.asked == []


async def test_nothing_is_passed_on_for_strangers(app: FastAPI, owner: Owner) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        assert (await client.get("/api/v1/escalation/webhooks")).status_code == 401
    assert owner.asked == []


async def test_an_absent_owner_is_said(sign_in: SignIn) -> None:
    client = await sign_in("shouli")
    answer = await client.get("/api/v1/intake/form")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


async def test_a_photo_is_shown_to_those_who_may_read_the_case(street: Street, sign_in: SignIn, owner: Owner) -> None:
    photo = {"id": "p1", "sha256": "0" * 64, "bytes": 1, "mime": "image/jpeg"}
    report = await street.report(photos=[photo])
    await street.take(("report.submitted", report))
    await street.indexed()
    client, stranger = await sign_in("zhibu01"), await sign_in("zhibu07")
    (case,) = (await client.get("/api/v1/cases")).json()["rows"]
    path = f"/api/v1/cases/{case['case_no']}/photos/{report.report_id}/p1"
    assert (await client.get(path)).status_code == 201
    assert owner.asked[-1].url.path == f"/api/v1/media/{report.report_id}/p1"
    assert (await stranger.get(path)).status_code == 404
    assert (await client.get(path.replace("p1", "p2"))).status_code == 404
    assert len(owner.asked) == 1

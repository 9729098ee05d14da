"""Too fast is told with a wait and a sentence; a phone that was away for days is never too fast."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from services.chassis.asgi.pace import Budget, Budgets, Pace
from services.chassis.clock import monotonic
from services.intake.settings import PaceSettings
from tests.integration.intake.conftest import ORIGIN, SignIn, Street, key

pytestmark = pytest.mark.anyio
URL = "/api/v1/reports"


async def test_who_goes_too_fast_is_told_how_long_to_wait(
    app: FastAPI, worker: httpx.AsyncClient, sign_in: SignIn, street: Street, report: dict[str, object]
) -> None:
    few, many = Budget(1, 3), Budget(60, 1000)
    app.state.pace = Pace(Budgets(few, many, many, many, many), monotonic)
    answers = [await worker.post(URL, json=report, headers=key()) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
    refused = answers[-1]
    told = refused.json()
    assert told["code"] == "too_fast"
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert str(told["retry_after_s"]) in told["detail"]
    assert refused.headers["content-language"] == "zh-CN"
    english = await worker.post(URL, json=report, headers={**key(), "accept-language": "en-US"})
    assert "Try again in" in english.json()["detail"]
    assert await street.count("reports") == 3
    assert (await worker.get(URL)).status_code == 200
    other = await sign_in("zhibu01")
    assert (await other.post(URL, json=report, headers=key())).status_code == 201


async def test_an_outbox_of_days_gets_in_at_once(
    app: FastAPI, worker: httpx.AsyncClient, report: dict[str, object]
) -> None:
    """Fifty reports, one after the other, under the limits as shipped."""
    app.state.pace = Pace(PaceSettings().budgets, monotonic)
    for _ in range(50):
        assert (await worker.post(URL, json=report, headers=key())).status_code == 201


@pytest.fixture
def few_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings as an operator would lower them."""
    monkeypatch.setenv("GRID_INTAKE_PAGES_PER_MINUTE", "1")
    monkeypatch.setenv("GRID_INTAKE_PAGES_BURST", "3")


async def test_addresses_are_held_back_whoever_asks(few_pages: None, app: FastAPI) -> None:
    """The edge counts before anybody is known: guessing at progress pages ends there."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as nobody:
        answers = [await nobody.get(f"/t/{uuid4().hex}") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [404, 404, 404, 429]
    assert answers[-1].headers["retry-after"]

"""First sign-in on a phone: a link made at the console signs in once, and then for thirty days without a password."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from services.chassis.db import move_clock
from tests.integration.dispatch.conftest import ORIGIN, SignIn, Street

pytestmark = pytest.mark.anyio
DAY = timedelta(days=1)


async def made(client: httpx.AsyncClient, login: str) -> httpx.Response:
    return await client.post(f"/api/v1/accounts/{login}/link")


def secret(link: httpx.Response) -> str:
    assert link.status_code == 201, link.text
    url: str = link.json()["url"]
    page, _, token = url.partition("#")
    assert page.endswith("/m/enter")
    return token


async def people(client: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    answer = await client.get("/api/v1/accounts")
    assert answer.status_code == 200, answer.text
    return {row["login"]: row for row in answer.json()["items"]}


@pytest.fixture
async def phone(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Nobody is signed in on it."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"origin": ORIGIN}) as client:
        yield client


async def test_a_link_signs_a_worker_in_for_thirty_days(
    app: FastAPI, street: Street, sign_in: SignIn, phone: httpx.AsyncClient
) -> None:
    chief = await sign_in("zhiban")
    assert (await people(chief))["wangge02"]["seen_at"] is None
    link = await made(chief, "wangge02")
    told = link.json()
    assert datetime.fromisoformat(told["expires_at"]) - await street.now() == pytest.approx(
        DAY, abs=timedelta(minutes=1)
    )
    assert told["qr"].startswith("data:image/svg+xml")
    assert (await people(chief))["wangge02"]["link_until"] == told["expires_at"]

    entered = await phone.post("/api/v1/session", json={"link": secret(link)})
    assert (entered.status_code, entered.json()["login"]) == (200, "wangge02")
    assert "Max-Age=2592000" in entered.headers["set-cookie"]
    row = (await people(chief))["wangge02"]
    assert row["link_until"] is None
    assert row["seen_at"] is not None
    assert (await phone.post("/api/v1/session", json={"link": secret(link)})).status_code == 401

    for days, status in ((29, 200), (31, 401)):
        async with street.db.transaction() as tx:
            await move_clock(tx, days * DAY)
        app.state.auth._sessions.clear()  # as if five seconds had passed
        assert (await phone.get("/api/v1/session")).status_code == status


async def test_a_new_link_ends_the_one_before(sign_in: SignIn, phone: httpx.AsyncClient) -> None:
    chief = await sign_in("zhiban")
    first, second = secret(await made(chief, "wangge01")), secret(await made(chief, "wangge01"))
    refused = await phone.post("/api/v1/session", json={"link": first})
    assert (refused.status_code, refused.json()["code"]) == (401, "link_invalid")
    assert (await phone.post("/api/v1/session", json={"link": second})).status_code == 200


async def test_nobody_makes_a_link_for_a_post_he_could_not_lend(sign_in: SignIn) -> None:
    chief, admin, worker = await sign_in("zhiban"), await sign_in("admin"), await sign_in("wangge01")
    for login in ("admin", "lingdao", "audit", "zhiban"):
        assert (await made(chief, login)).status_code in (403, 404), login
    assert (await made(admin, "lingdao")).status_code == 201
    assert (await made(admin, "admin")).status_code == 403
    assert (await made(worker, "wangge02")).status_code == 403
    assert (await worker.get("/api/v1/accounts")).status_code == 403
    assert (await made(chief, "nobody")).status_code == 404
    shown = await people(chief)
    assert shown["wangge01"]["may_invite"]
    assert not shown["zhiban"]["may_invite"]


async def test_who_made_the_link_is_written_down(street: Street, sign_in: SignIn) -> None:
    chief = await sign_in("zhiban")
    await made(chief, "wangge01")
    async with street.db.reading() as tx:
        query = sa.text("SELECT account, subject FROM identity.audit_log WHERE action = 'link.created'")
        (row,) = (await tx.execute(query)).all()
    assert tuple(row) == (await street.account("zhiban"), await street.account("wangge01"))

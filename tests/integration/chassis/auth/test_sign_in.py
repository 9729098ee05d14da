"""Signing in over HTTP against real tables: cookies, throttle, links, tokens, calls on behalf of a person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import sqlalchemy as sa
from fastapi import APIRouter, FastAPI
from pydantic import SecretStr

from services.chassis.asgi import create_app
from services.chassis.auth import Authenticator, AuthSettings, CurrentPerson, admin, session_router
from services.chassis.auth.tables import sessions
from services.chassis.db import Database, move_clock
from services.chassis.directory import DirectoryCache
from services.chassis.directory.write import end_post, give_post
from services.chassis.http_client import ServiceClient
from services.chassis.ids import SystemIds
from services.chassis.settings import HttpSettings
from services.governance.acts import Post
from services.governance.cycle import Role

pytestmark = pytest.mark.anyio
ORIGIN = "http://127.0.0.1:8002"
SECRET = "service-token-of-this-test"
PASSWORD = "fengcheng-2026"
SETTINGS = AuthSettings(session_s=3600, idle_s=600, tries_per_account=3, tries_per_address=8, throttle_window_s=900)
SINCE = datetime(2025, 1, 1, tzinfo=UTC)
GRID = Post(Role.GRID_WORKER, "44180200100101")


@dataclass
class House:
    """A service with one account, seen from outside."""

    db: Database
    app: FastAPI
    auth: Authenticator
    directory: DirectoryCache
    account_id: str

    def client(self, base: str = ORIGIN, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, client=("127.0.0.9", 5000)),
            base_url=base,
            headers={"origin": base, **(headers or {})},
        )


def _routes() -> APIRouter:
    router = APIRouter()

    @router.get("/api/v1/me")
    async def me(person: CurrentPerson) -> dict[str, object]:
        return {"id": person.account_id, "roles": sorted(person.roles), "machine": person.machine}

    return router


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    async with database.transaction() as tx:
        account_id = await admin.create_account(tx, SystemIds(), login="wangge01", name="王网格", password=PASSWORD)
        await give_post(tx, account_id, GRID, SINCE)
    directory = DirectoryCache(database, load=_no_rulebook)
    await directory.refresh()
    auth = Authenticator(database, directory, SystemIds(), SETTINGS, SecretStr(SECRET))
    app = create_app("test", HttpSettings(), [], ids=SystemIds())
    app.state.auth = auth
    app.include_router(session_router())
    app.include_router(_routes())
    yield House(database, app, auth, directory, account_id)
    auth.close()


def _no_rulebook(text: str, calendars: object) -> object:
    raise AssertionError("no rulebook is read here")


async def sign_in(client: httpx.AsyncClient, password: str = PASSWORD, login: str = "wangge01") -> httpx.Response:
    return await client.post("/api/v1/session", json={"login": login, "password": password})


async def test_sign_in_look_and_sign_out(house: House) -> None:
    async with house.client() as client:
        assert (await client.get("/api/v1/session")).json()["code"] == "not_signed_in"
        signed = await sign_in(client)
        assert signed.status_code == 200
        told = signed.json()
        links = told.pop("links")
        assert {page: link.split("/", 3)[-1] for page, link in links.items()} == {
            "form": "m/",
            "desk": "desk/",
            "console": "console/",
        }
        assert told == {
            "account_id": house.account_id,
            "login": "wangge01",
            "name": "王网格",
            "lang": "zh-CN",
            "posts": [
                {"role": "GW", "area": GRID.area, "unit": None, "label": None, "until": None, "granted_by": None}
            ],
            "sample": False,
            "desks": ["branch"],
            "rights": ["cases"],
            "work_no": None,
        }
        cookie = signed.headers["set-cookie"].lower()
        assert cookie.startswith("sid=")
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert "secure" not in cookie
        assert (await client.get("/api/v1/session")).json() == signed.json()
        token = client.cookies["sid"]
        assert (await client.delete("/api/v1/session")).status_code == 204
    async with house.client(headers={"cookie": f"sid={token}"}) as client:
        assert (await client.get("/api/v1/session")).status_code == 401, (
            "the session itself is gone, not only the cookie"
        )


async def test_over_https_only_the_host_cookie_counts(house: House) -> None:
    async with house.client("https://grid.example") as client:
        signed = await sign_in(client)
        cookie = signed.headers["set-cookie"]
        assert cookie.startswith("__Host-sid=")
        assert "Secure" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie
        assert (await client.get("/api/v1/me")).status_code == 200
        token = client.cookies["__Host-sid"]
    async with house.client("https://grid.example", {"cookie": f"sid={token}"}) as client:
        assert (await client.get("/api/v1/me")).status_code == 401


async def test_no_password_travels_over_an_open_network(house: House) -> None:
    async with house.client("http://192.0.2.7:8002") as client:
        answer = await sign_in(client)
    assert (answer.status_code, answer.json()["code"]) == (403, "https_required")


async def test_the_token_is_not_in_the_database(house: House) -> None:
    async with house.client() as client:
        await sign_in(client)
        token = client.cookies["sid"]
    async with house.db.reading() as tx:
        row = (await tx.execute(sa.select(sessions))).one()
    assert len(token) >= 43
    assert token.encode() not in row.token_sha256


async def test_a_wrong_account_and_a_wrong_password_look_the_same(house: House) -> None:
    async with house.client() as client:
        wrong, unknown = await sign_in(client, "guess-1234"), await sign_in(client, login="nobody")
    assert (wrong.status_code, wrong.json()["code"]) == (401, "wrong_password")
    assert {**wrong.json(), "instance": ""} == {**unknown.json(), "instance": ""}


async def test_guessing_is_throttled_per_account_and_forgiven_by_the_right_password(house: House) -> None:
    async with house.client() as client:
        for _ in range(2):
            assert (await sign_in(client, "guess-1234")).status_code == 401
        assert (await sign_in(client)).status_code == 200
        for _ in range(3):
            assert (await sign_in(client, "guess-1234")).status_code == 401
        refused = await sign_in(client)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_tries")
        assert 0 < int(refused.headers["retry-after"]) <= 900
        async with house.db.transaction() as tx:
            await move_clock(tx, timedelta(seconds=901))
        assert (await sign_in(client)).status_code == 200


async def test_guessing_is_throttled_per_address(house: House) -> None:
    async with house.client() as client:
        codes = [(await sign_in(client, "guess-1234", f"nobody{n}")).status_code for n in range(9)]
    assert codes == [401] * 8 + [429]


@pytest.mark.parametrize(("ahead_s", "status"), [(599, 200), (601, 401)])
async def test_an_idle_session_ends(house: House, ahead_s: int, status: int) -> None:
    async with house.client() as client:
        await sign_in(client)
        async with house.db.transaction() as tx:
            await move_clock(tx, timedelta(seconds=ahead_s))
        assert (await client.get("/api/v1/me")).status_code == status


async def test_a_session_in_use_ends_at_its_absolute_end(house: House) -> None:
    async with house.client() as client:
        await sign_in(client)
        seen = []
        for step in range(1, 8):
            async with house.db.transaction() as tx:
                await move_clock(tx, timedelta(seconds=550 * step))
            forget_cache(house)
            seen.append((await client.get("/api/v1/me")).status_code)
    assert seen == [200] * 6 + [401]


def forget_cache(house: House) -> None:
    """As if five seconds had passed."""
    house.auth._sessions.clear()
    house.auth._tokens.clear()


async def test_a_post_that_ends_stops_counting(house: House) -> None:
    async with house.client() as client:
        await sign_in(client)
        assert (await client.get("/api/v1/me")).json()["roles"] == ["GW"]
        async with house.db.transaction() as tx:
            assert await end_post(tx, house.account_id, GRID)
        await house.directory.refresh()
        forget_cache(house)
        assert (await client.get("/api/v1/me")).json()["roles"] == []


async def test_a_disabled_account_is_out(house: House) -> None:
    async with house.client() as client:
        await sign_in(client)
        async with house.db.transaction() as tx:
            await admin.disable_account(tx, "wangge01")
        forget_cache(house)
        assert (await client.get("/api/v1/me")).status_code == 401
        assert (await sign_in(client)).status_code == 401


async def test_a_new_password_ends_all_sessions(house: House) -> None:
    async with house.client() as client:
        await sign_in(client)
        async with house.db.transaction() as tx:
            await admin.set_password(tx, "wangge01", "another good one")
        forget_cache(house)
        assert (await client.get("/api/v1/me")).status_code == 401
        assert (await sign_in(client)).status_code == 401
        assert (await sign_in(client, "another good one")).status_code == 200


async def test_a_link_signs_in_once(house: House) -> None:
    async with house.db.transaction() as tx:
        link = (await admin.create_link(tx, SystemIds(), "wangge01", life_s=60)).token
    async with house.client() as client:
        assert (await client.post("/api/v1/session", json={"link": link})).json()["login"] == "wangge01"
        again = await client.post("/api/v1/session", json={"link": link})
        assert (again.status_code, again.json()["code"]) == (401, "link_invalid")
        both = await client.post("/api/v1/session", json={"link": link, "login": "a", "password": "b"})
        assert both.status_code == 422


async def test_an_old_link_is_no_good(house: House) -> None:
    async with house.db.transaction() as tx:
        link = (await admin.create_link(tx, SystemIds(), "wangge01", life_s=60)).token
        await move_clock(tx, timedelta(seconds=61))
    async with house.client() as client:
        assert (await client.post("/api/v1/session", json={"link": link})).status_code == 401


async def test_a_machine_has_its_tokens_role_until_it_is_revoked(house: House) -> None:
    async with house.db.transaction() as tx:
        made = await admin.create_token(tx, SystemIds(), name="platform", role=Role.DISTRICT)
    bearer = {"authorization": f"Bearer {made.token}"}
    async with house.client(headers=bearer) as client:
        assert (await client.get("/api/v1/me")).json() == {
            "id": f"token:{made.token_id}",
            "roles": ["DI"],
            "machine": True,
        }
        async with house.db.transaction() as tx:
            assert await admin.revoke_token(tx, made.token_id)
            assert not await admin.revoke_token(tx, made.token_id)
        forget_cache(house)
        refused = await client.get("/api/v1/me")
    assert (refused.status_code, refused.json()["code"]) == (401, "token_invalid")
    assert refused.headers["www-authenticate"] == "Bearer"


async def test_a_bad_token_beside_a_good_cookie_is_refused(house: House) -> None:
    async with house.client() as client:
        await sign_in(client)
        assert (await client.get("/api/v1/me", headers={"authorization": "Bearer nonsense"})).status_code == 401
        assert (await client.get("/api/v1/me", headers={"authorization": "Basic YTpi"})).status_code == 401


async def test_another_service_acts_for_a_person_and_only_with_the_service_token(house: House) -> None:
    person = (await house.auth.sign_in("wangge01", PASSWORD, address="x", agent="x")).person
    transport = httpx.ASGITransport(house.app)
    async with ServiceClient("test", ORIGIN, SecretStr(SECRET), transport=transport) as client:
        assert (await client.call_json("GET", "/api/v1/me", person=person))["id"] == house.account_id
        assert (await client.call_json("GET", "/api/v1/me", person=person))["roles"] == ["GW"]
    async with ServiceClient("test", ORIGIN, SecretStr("guess"), transport=transport) as client:
        assert (await client.call("GET", "/api/v1/me", person=person)).status_code == 401
    async with house.client(headers={"x-grid-caller": house.account_id}) as plain:
        assert (await plain.get("/api/v1/me")).status_code == 401


async def test_a_machines_call_can_be_passed_on_too(house: House) -> None:
    async with house.db.transaction() as tx:
        made = await admin.create_token(tx, SystemIds(), name="platform", role=Role.DISTRICT)
    machine = await house.auth.by_bearer(made.token, None)
    assert machine is not None
    transport = httpx.ASGITransport(house.app)
    async with ServiceClient("test", ORIGIN, SecretStr(SECRET), transport=transport) as client:
        assert (await client.call_json("GET", "/api/v1/me", person=machine))["roles"] == ["DI"]


async def test_accounts_are_listed_with_their_posts(house: House) -> None:
    async with house.db.reading() as tx:
        listed = await admin.list_accounts(tx, sample_password=PASSWORD)
    assert [(account.login, account.password) for account in listed] == [("wangge01", None)]
    assert listed[0].posts == [{"role": "GW", "area": GRID.area, "unit": None, "label": None}]

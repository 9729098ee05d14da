"""值班: a post lent for a while is there on the second it begins and gone on the second it ends."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from services.chassis.auth import Authenticator
from services.chassis.db import grid_now, move_clock
from services.dispatch.app import PostsOf
from tests.integration.dispatch.conftest import SignIn, Street

pytestmark = pytest.mark.anyio
GRID = "44180200100101"
SECRET = "the-services-token-of-this-test"
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


async def lend(client: httpx.AsyncClient, key: str | None = None, **changes: Any) -> httpx.Response:
    body = {"account": "hecha", "role": "GW", "area": GRID, **changes}
    sent = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in body.items()}
    return await client.post("/api/v1/delegations", json=sent, headers={"idempotency-key": key} if key else {})


async def listed(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/api/v1/delegations")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def posts_of(client: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    session = (await client.get("/api/v1/session")).json()
    return {post["role"]: post for post in session["posts"]}


async def test_a_lent_post_works_at_once_is_named_as_lent_and_is_taken_back(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened()
    chief, stand_in = await sign_in("zhiban"), await sign_in("hecha")
    assert set(await posts_of(stand_in)) == {"VF"}
    until = await street.now() + DAY
    made = await lend(chief, until=until)
    assert made.status_code == 201, made.text
    held = await posts_of(stand_in)
    assert datetime.fromisoformat(held["GW"]["until"]) == until
    assert held["GW"]["granted_by"] == (await chief.get("/api/v1/session")).json()["name"]
    assert (held["VF"]["until"], held["VF"]["granted_by"]) == (None, None)
    shown = (await stand_in.get(f"/api/v1/cases/{case_no}")).json()
    assert "self_resolve_start" in {offer["action"] for offer in shown["actions"]}
    (row,) = (await listed(chief))["items"]
    assert row == made.json()
    assert (row["account"], row["role_label"], row["in_force"], row["may_end"]) == ("hecha", "网格员", True, True)
    assert (await chief.delete(f"/api/v1/delegations/{row['id']}")).status_code == 204
    assert set(await posts_of(stand_in)) == {"VF"}
    assert (await stand_in.get(f"/api/v1/cases/{case_no}")).status_code == 404
    assert (await listed(chief))["items"] == []


async def test_it_begins_and_ends_on_the_second(street: Street, app: FastAPI, sign_in: SignIn) -> None:
    begins = (await street.now() + 2 * DAY).replace(microsecond=0)
    ends = begins + 3 * DAY
    assert (await lend(await sign_in("admin"), since=begins, until=ends)).status_code == 201
    account = await street.account("hecha")
    auth = Authenticator(street.db, PostsOf(street.cache), street.ids, service_token=SecretStr(SECRET))
    for moment, lent in ((begins - SECOND, False), (begins, True), (ends - SECOND, True), (ends, False)):
        seen: set[str] = set()
        for _ in range(20):  # until the look fell into that very second
            now = await _set_clock(street, moment)
            person = await auth.by_bearer(SECRET, account)
            assert person is not None
            assert person.at is not None
            seen = {role.value for role in person.roles}
            if person.at - now < SECOND and person.at < moment + SECOND:
                break
        assert seen == ({"VF", "GW"} if lent else {"VF"}), moment
    auth.close()


async def _set_clock(street: Street, moment: datetime) -> datetime:
    async with street.db.transaction() as tx:
        await move_clock(tx, timedelta(0))
        await move_clock(tx, moment - await grid_now(tx))
    return moment


async def test_a_session_in_use_loses_the_post_when_it_ends(street: Street, sign_in: SignIn) -> None:
    """The look-up of a session is kept for five seconds; the post goes by the clock all the same."""
    chief, stand_in = await sign_in("zhiban"), await sign_in("hecha")
    ends = await street.now() + timedelta(seconds=3)
    assert (await lend(chief, until=ends)).status_code == 201
    assert "GW" in await posts_of(stand_in)
    last_seen = await street.now()
    while True:
        before = await street.now()
        if "GW" not in await posts_of(stand_in):
            break
        last_seen = before
        assert last_seen < ends, "it is still there after its end"
        await asyncio.sleep(0.05)
    assert await street.now() >= ends - timedelta(milliseconds=500), "it went too early"


async def test_a_repeat_lends_once_and_everything_is_recorded(street: Street, sign_in: SignIn) -> None:
    admin = await sign_in("admin")
    until = await street.now() + DAY
    answers = [await lend(admin, "k-1", until=until) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    path = f"/api/v1/delegations/{answers[0].json()['id']}"
    assert [(await admin.delete(path)).status_code for _ in range(2)] == [204, 204]
    rows = (await (await sign_in("audit")).get("/api/v1/audit", params={"action": "post"})).json()["items"]
    assert [row["action"] for row in rows] == ["post.taken_back", "post.lent"]
    assert {row["account"] for row in rows} == {await street.account("admin")}
    assert {row["subject"] for row in rows} == {await street.account("hecha")}
    told = {line["label"]: line["value"] for line in rows[1]["told"]}
    assert told["岗位"] == "网格员"
    assert {"范围", "起", "止"} <= told.keys()


async def test_what_is_taken_back_before_it_began_never_begins(street: Street, sign_in: SignIn) -> None:
    admin = await sign_in("admin")
    begins = await street.now() + DAY
    made = (await lend(admin, since=begins, until=begins + DAY)).json()
    assert made["in_force"] is False
    assert (await admin.delete(f"/api/v1/delegations/{made['id']}")).status_code == 204
    assert (await listed(admin))["items"] == []
    held = street.cache.current().appointments_of(await street.account("hecha"), begins)
    assert [one.post.role.value for one in held] == ["VF"]
    assert (await lend(admin, since=begins, until=begins + DAY)).status_code == 201


async def test_a_refusal_names_each_field_and_the_remedy(street: Street, sign_in: SignIn) -> None:
    chief = await sign_in("zhiban")
    wrong = await lend(chief, account="nobody", role="SL", until=await street.now() - DAY)
    assert wrong.status_code == 422
    errors = {one["field"]: one for one in wrong.json()["errors"]}
    assert set(errors) == {"account", "role", "until"}
    assert errors["role"]["message"] == "这个岗位您不能授权"
    assert all(one["remedy"] for one in errors.values())
    english = await chief.post(
        "/api/v1/delegations",
        json={"account": "zhiban", "role": "GW", "area": GRID, "until": (await street.now() + DAY).isoformat()},
        headers={"accept-language": "en-US"},
    )
    assert english.json()["errors"][0]["message"] == "Nobody lends to himself"


async def test_two_who_lend_the_same_at_once_do_so_once(street: Street, sign_in: SignIn) -> None:
    chief, admin = await sign_in("zhiban"), await sign_in("admin")
    until = await street.now() + DAY
    answers = await asyncio.gather(*(lend(client, until=until) for client in (chief, admin)))
    assert sorted(answer.status_code for answer in answers) == [201, 422]
    refused = next(answer for answer in answers if answer.status_code == 422)
    assert refused.json()["errors"][0]["code"] == "lend_held_already"


async def test_the_form_offers_what_may_be_lent_to_whom(street: Street, sign_in: SignIn) -> None:
    chief = await listed(await sign_in("zhiban"))
    roles = {offer["role"]: offer for offer in chief["roles"]}
    assert set(roles) == {"GW", "GS", "CS", "IC", "DP", "HU", "MU", "VF"}
    assert roles["HU"]["field"] == "unit"
    assert [place["name"] for place in roles["DP"]["places"]] == ["全街道"]
    logins = {one["login"] for one in chief["people"]}
    assert {"wangge01", "hecha", "zhifadui"} <= logins
    assert logins.isdisjoint({"jumin01", "zhiban", "quji"})


async def test_an_account_that_is_disabled_is_neither_offered_nor_lent_to(street: Street, sign_in: SignIn) -> None:
    admin = await sign_in("admin")
    async with street.db.transaction() as tx:
        await tx.exec_driver_sql(
            "UPDATE identity.accounts SET disabled_at = directory.grid_now() WHERE login = 'hecha'"
        )
    assert "hecha" not in {one["login"] for one in (await listed(admin))["people"]}
    refused = await lend(admin, until=await street.now() + DAY)
    assert [(one["field"], one["code"]) for one in refused.json()["errors"]] == [("account", "lend_person_unknown")]


async def test_a_post_that_was_lent_outlives_a_load_of_the_streets_files(street: Street, sign_in: SignIn) -> None:
    from services.chassis.directory.load import load_street
    from tests.support.sample import SAMPLE

    admin = await sign_in("admin")
    assert (await lend(admin, until=await street.now() + DAY)).status_code == 201
    async with street.db.transaction() as tx:
        await load_street(tx, SAMPLE, street.ids)
    await street.cache.refresh()
    assert len((await listed(admin))["items"]) == 1

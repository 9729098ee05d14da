"""Guessing is slowed per account and address, across processes and at once; nobody is locked out by a stranger."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from services.chassis.asgi.problem import Problem
from services.chassis.audit.reading import Recorded, Wanted, recorded
from services.chassis.auth import Authenticator, AuthSettings
from services.chassis.auth.throttle import Refused, count_try, forgive, network_of
from services.chassis.db import Database, move_clock
from services.chassis.ids import SystemIds
from services.chassis.settings import DatabaseSettings
from tests.integration.chassis.auth.test_sign_in import PASSWORD, SETTINGS, House, house, sign_in

__all__ = ["house"]
pytestmark = pytest.mark.anyio
LIMITS = AuthSettings(tries_per_account=3, tries_per_address=8, throttle_window_s=900)


async def tried(db: Database, login: str | None, address: str) -> Refused | None:
    async with db.transaction() as tx:
        return await count_try(tx, login, address, LIMITS)


async def whose(db: Database, login: str | None, address: str) -> str | None:
    refused = await tried(db, login, address)
    return refused.whose if refused is not None else None


async def sessions_told(db: Database) -> list[Recorded]:
    async with db.reading() as tx:
        return (await recorded(tx, Wanted(action="session"), None, 100))[::-1]


async def test_a_stranger_elsewhere_does_not_lock_the_owner_out(database: Database) -> None:
    told = [await whose(database, "anna", "203.0.113.1") for _ in range(6)]
    assert told == [None] * 3 + ["account"] * 3
    assert await whose(database, "anna", "198.51.100.7") is None, "her own address has not failed yet"
    assert await whose(database, "anna", "198.51.100.7") == "account"
    assert await whose(database, "bert", "198.51.100.7") is None


async def test_many_strangers_together_get_one_look_each(database: Database) -> None:
    for n in range(3):
        assert await whose(database, "anna", f"203.0.113.{n}") is None
    assert [await whose(database, "anna", f"203.0.113.{n}") for n in range(4)] == ["account"] * 3 + [None]


async def test_the_window_ends_by_itself(database: Database) -> None:
    for _ in range(5):
        last = await tried(database, "anna", "203.0.113.1")
    assert last is not None
    assert 0 < last.retry_after_s <= 900
    async with database.transaction() as tx:
        await move_clock(tx, timedelta(seconds=901))
    assert await tried(database, "anna", "203.0.113.1") is None


async def test_what_was_typed_is_nowhere_and_however_it_is_typed_it_is_the_same_account(database: Database) -> None:
    for typed in ("13899887761", " 13899887761 ", "13899887761"):
        assert await whose(database, typed, "203.0.113.1") is None
    assert await whose(database, "13899887761", "203.0.113.1") == "account"
    async with database.reading() as tx:
        keys = (await tx.execute(sa.text("SELECT key FROM identity.throttle"))).scalars().all()
    assert sorted(key.split(":")[0] for key in keys) == ["address", "login", "pair"]
    assert "13899887761" not in " ".join(keys)


async def test_only_the_first_refusal_of_a_window_begins_one(database: Database) -> None:
    told = [await tried(database, "anna", "203.0.113.1") for _ in range(6)]
    assert [refused.begins for refused in told if refused is not None] == [True, False, False]


async def test_tries_at_once_through_several_processes_all_count(database_url: str) -> None:
    processes = [Database(DatabaseSettings(url=database_url, pool_size=8), f"p{n}") for n in range(3)]
    try:
        tries = [tried(processes[n % 3], "anna", "203.0.113.1") for n in range(60)]
        answers = await asyncio.gather(*tries)
    finally:
        for db in processes:
            await db.close()
    assert sum(answer is None for answer in answers) == 3


async def test_counting_and_forgiving_at_once_never_wait_for_each_other_in_a_ring(database_url: str) -> None:
    db = Database(DatabaseSettings(url=database_url, pool_size=10), "test")

    async def forgiven() -> None:
        async with db.transaction() as tx:
            await forgive(tx, "anna", "203.0.113.1")

    try:
        await asyncio.gather(*(work for _ in range(40) for work in (tried(db, "anna", "203.0.113.1"), forgiven())))
    finally:
        await db.close()


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("unknown", "unknown"),
    ],
)
def test_one_line_is_one_address(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(("lang", "words"), [("zh-CN", "秒后再试"), ("en-US", "Try again in")])
async def test_the_refusal_says_in_the_callers_language_when_to_come_back(lang: str, words: str, house: House) -> None:
    async with house.client(headers={"accept-language": lang}) as client:
        for _ in range(3):
            await sign_in(client, "guess-1234")
        refused = await sign_in(client)
    assert refused.status_code == 429
    assert words in refused.json()["detail"]
    assert refused.headers["retry-after"] in refused.json()["detail"]


async def test_guesses_at_once_through_two_services_are_looked_at_no_more_often(house: House) -> None:
    other = Authenticator(house.db, house.directory, SystemIds(), SETTINGS)

    async def guess(auth: Authenticator) -> int:
        try:
            await auth.sign_in("wangge01", "guess-1234", address="203.0.113.1", agent="x")
        except Problem as problem:
            return problem.status
        return 200

    codes = await asyncio.gather(*(guess(auth) for _ in range(6) for auth in (house.auth, other)))
    other.close()
    assert sorted(codes) == [401] * 3 + [429] * 9


async def test_signing_in_and_out_and_failing_to_is_recorded_without_what_was_typed(house: House) -> None:
    async with house.client() as client:
        await sign_in(client, "guess-1234")
        await sign_in(client, "x", login="my-own-password-typed-into-the-wrong-field")
        await sign_in(client, PASSWORD)
        await client.delete("/api/v1/session")
        for _ in range(5):
            await sign_in(client, "guess-1234")
    told = [(row.action, row.account, row.subject, row.outcome, row.reason) for row in await sessions_told(house.db)]
    me = house.account_id
    wrong = ("session.refused", None, me, "refused", "wrong_password")
    assert told == [
        wrong,
        ("session.refused", None, None, "refused", "wrong_password"),
        ("session.opened", me, me, "done", None),
        ("session.closed", me, me, "done", None),
        *[wrong] * 3,
        ("session.throttled", None, me, "refused", "account"),
    ]
    for row in await sessions_told(house.db):
        assert (row.address, row.request_id is not None) == ("127.0.0.9", True)
        assert "password-typed" not in str(row)

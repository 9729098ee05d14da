"""Who has a case open: told to who may read the case, by every process, and forgotten soon after."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.chassis.db import move_clock
from services.dispatch.live import Feed, Subscription
from services.dispatch.settings import DispatchSettings
from services.dispatch.store.presence import THERE_S, forget_old
from services.governance.acts import Actor, Post
from services.governance.cycle import Role
from tests.integration.dispatch.conftest import SignIn, Street
from tests.integration.dispatch.test_feed import CLERK, OTHER_BRANCH
from tests.integration.dispatch.test_restricted import quarrel

pytestmark = pytest.mark.anyio


async def be(client: httpx.AsyncClient, case_no: str, *, acting: bool = False, seat: str = "s1") -> int:
    return (await client.put(f"/api/v1/presence/{seat}", json={"case_no": case_no, "acting": acting})).status_code


async def open_cases(client: httpx.AsyncClient) -> dict[str, list[tuple[str, bool]]]:
    """Case → who has it open, as one person is told."""
    answer = await client.get("/api/v1/presence")
    assert answer.status_code == 200, answer.text
    return {one["case_no"]: [(p["name"], p["acting"]) for p in one["people"]] for one in answer.json()["cases"]}


async def told(feed: Feed, reader: Subscription) -> list[dict[str, Any]]:
    """What one look tells a reader of presence."""
    await feed.attendance.look()
    events = await reader.all(0) if reader._waiting else []
    return [json.loads(event.data) for event in events if event.name == "presence"]


def another_process(street: Street) -> Feed:
    return Feed(street.db, street.cache, DispatchSettings())


async def test_others_see_who_reads_and_who_acts(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened()
    branch, clerk, elsewhere = await sign_in("zhibu01"), await sign_in("shouli"), await sign_in("zhibu02")
    assert await be(branch, case_no) == 204
    names = {login: account.name for login in ("zhibu01", "shouli") for account in accounts(street, login)}
    assert await open_cases(clerk) == {case_no: [(names["zhibu01"], False)]}
    assert await open_cases(elsewhere) == {}
    assert await be(branch, case_no, acting=True, seat="s2") == 204
    assert await be(clerk, case_no) == 204
    assert sorted((await open_cases(branch))[case_no]) == sorted([(names["zhibu01"], True), (names["shouli"], False)])
    assert (await branch.delete("/api/v1/presence/s2")).status_code == 204
    assert (names["zhibu01"], False) in (await open_cases(clerk))[case_no]
    assert (await branch.delete("/api/v1/presence/s1")).status_code == 204
    assert (await branch.delete("/api/v1/presence/s1")).status_code == 204
    assert await open_cases(clerk) == {case_no: [(names["shouli"], False)]}


def accounts(street: Street, login: str) -> list[Any]:
    return [a for a in street.cache.current().accounts.values() if a.login == login]


async def test_a_window_shows_one_case_and_nobody_elses(street: Street, sign_in: SignIn) -> None:
    first, second = await street.opened(), await street.opened()
    branch, elsewhere = await sign_in("zhibu01"), await sign_in("zhibu02")
    assert await be(branch, first) == 204
    assert await be(branch, second) == 204
    assert set(await open_cases(branch)) == {second}
    assert await be(elsewhere, first) == 404
    assert await be(branch, "FC-20200101-00001") == 404
    assert set(await open_cases(branch)) == {second}, "what was refused moves nobody"


async def test_who_says_nothing_is_gone_within_half_a_minute_and_leaves_no_row(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened()
    branch = await sign_in("zhibu01")
    assert THERE_S < 30
    assert await be(branch, case_no) == 204
    async with street.db.transaction() as tx:
        await move_clock(tx, timedelta(seconds=THERE_S + 1))
    assert await open_cases(branch) == {}
    async with street.db.transaction() as tx:
        await move_clock(tx, timedelta(minutes=5))
        await forget_old(tx)
    assert await street.scalar("SELECT count(*) FROM dispatch.presence") == 0


async def test_every_process_tells_its_readers_the_whole_then_what_changes(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened()
    branch = await sign_in("zhibu01")
    await be(branch, case_no)
    feed = another_process(street)
    async with feed.subscribe(CLERK, "zh-CN", None) as own, feed.subscribe(OTHER_BRANCH, "zh-CN", None) as other:
        (whole,) = await told(feed, own)
        assert (whole["whole"], [one["case_no"] for one in whole["cases"]]) == (True, [case_no])
        assert [one["cases"] for one in await told(feed, other)] == [[]]
        assert await told(feed, own) == [], "nothing has changed"
        await be(branch, case_no, acting=True)
        (changed,) = await told(feed, own)
        assert (changed["whole"], changed["cases"][0]["people"][0]["acting"]) == (False, True)
        await branch.delete("/api/v1/presence/s1")
        (left,) = await told(feed, own)
        assert left == {"whole": False, "cases": [{"case_no": case_no, "people": []}]}
        assert await told(feed, other) == []


async def test_of_a_restricted_case_only_its_own_people_are_told(street: Street, sign_in: SignIn) -> None:
    case_no = await quarrel(street)
    branch, clerk = await sign_in("zhibu01"), await sign_in("shouli")
    assert await be(branch, case_no) == 204
    assert await be(clerk, case_no, seat="c1") == 404
    assert set(await open_cases(branch)) == {case_no}
    assert await open_cases(clerk) == {}
    chief = Actor("chief", (Post(Role.DUTY_CHIEF),))
    feed = another_process(street)
    async with feed.subscribe(chief, "zh-CN", None) as reader:
        assert [one["cases"] for one in await told(feed, reader)] == [[]]


async def test_nothing_is_asked_while_nobody_listens(street: Street, sign_in: SignIn) -> None:
    """And nothing of it goes to where events go."""
    case_no = await street.opened()
    before = await street.scalar("SELECT count(*) FROM dispatch.outbox")
    await be(await sign_in("zhibu01"), case_no)
    asked = 0

    class Counted:
        def reading(self) -> Any:
            nonlocal asked
            asked += 1
            return street.db.reading()

        def transaction(self) -> Any:
            return street.db.transaction()

    feed = another_process(street)
    feed.attendance._db = Counted()  # type: ignore[assignment]
    await feed.attendance.look()
    assert asked == 0
    async with feed.subscribe(CLERK, "zh-CN", None):
        await feed.attendance.look()
    assert asked == 1
    assert await street.scalar("SELECT count(*) FROM dispatch.outbox") == before

"""Kept counts are what counting the rows gives: whoever asks, before and after they are folded, whatever happened."""

from __future__ import annotations

import json
from datetime import timedelta

import httpx
import psycopg
import pytest
import sqlalchemy as sa

from services.chassis.db import move_clock
from services.dispatch.store.audience import scope_of, visible_cases
from services.dispatch.store.counting import counts
from services.dispatch.store.queues import QUEUES
from services.dispatch.store.whose import Whose
from services.dispatch.tables import cases
from services.governance.acts import Actor
from tests.chaos.lists import lists_counted
from tests.integration.dispatch.conftest import SignIn, Street
from tests.integration.dispatch.test_acting import do
from tests.integration.dispatch.test_feed import cases as told_of_cases
from tests.integration.dispatch.test_feed import running
from tests.integration.dispatch.test_queues import dispatched, keep_lists

pytestmark = pytest.mark.anyio
LOGINS = ("shouli", "zhibu01", "wangge01", "shequ01", "zhifadui", "huanwei", "hecha", "quji", "lingdao", "audit")
LEFT = "SELECT count(*) FROM dispatch.queue_deltas"


async def actor_of(street: Street, login: str) -> Actor:
    account = await street.account(login)
    return Actor(account, street.cache.current().posts_of(account, await street.now()))


async def agree(street: Street, when: str) -> None:
    """Everybody's counts are those of his rows, and those of 我的 and 本组 with them."""
    for login in LOGINS:
        scope = scope_of(await actor_of(street, login))
        async with street.db.reading() as tx:
            for whose in Whose:
                told = {c.queue.id: (c.open, c.overdue, c.oldest_at) for c in await counts(tx, scope, QUEUES, whose)}
                figures = [
                    figure.filter(*only, queue.holds(scope))
                    for queue in QUEUES
                    for figure, only in (
                        (sa.func.count(), ()),
                        (sa.func.count(), (cases.c.late,)),
                        (sa.func.min(cases.c.opened_at), ()),
                    )
                ]
                here = (cases.c.live, visible_cases(scope), whose.holds(scope))
                row = tuple((await tx.execute(sa.select(*figures).select_from(cases).where(*here))).one())
                for n, queue in enumerate(QUEUES):
                    assert told[queue.id] == row[3 * n : 3 * n + 3], (when, login, whose, queue.id)


async def test_counts_are_those_of_the_rows(street: Street, sign_in: SignIn, database_url: str) -> None:
    first = await street.opened()
    case_no = await dispatched(street, sign_in)
    await street.opened(category=None)
    await agree(street, "before they are folded")
    await keep_lists(street)
    assert await street.scalar(LEFT) == 0
    await agree(street, "folded")
    await do(await sign_in("zhibu01"), first, "call_up", reason="no_means")  # the oldest leaves its list
    await do(await sign_in("zhifadui"), case_no, "sign")
    await agree(street, "the oldest has left")
    await keep_lists(street)
    await agree(street, "the oldest is found")
    async with street.db.transaction() as tx:
        await move_clock(tx, timedelta(days=3))
    await keep_lists(street)
    assert await street.scalar("SELECT count(*) FROM dispatch.turned") != 0
    await agree(street, "late")
    with psycopg.connect(database_url) as connection:
        assert lists_counted(connection) == []


async def test_rows_of_an_older_version_find_their_lists(street: Street, sign_in: SignIn) -> None:
    """A process that knows nothing of lists writes the other columns alone; so rows of before stand."""
    case_no = await street.opened()
    async with street.db.transaction() as tx:
        wiped = "UPDATE dispatch.cases SET queues = '{}', arrival = '', twice_at = NULL, turns_at = NULL, standing = 0"
        await tx.execute(sa.text(wiped))
    clerk = await sign_in("shouli")
    assert await in_branch_triage(clerk) == []
    await keep_lists(street)
    assert await in_branch_triage(clerk) == [case_no]
    assert await street.scalar("SELECT arrival <> '' AND twice_at > stage_due_at FROM dispatch.cases")
    await agree(street, "found")


async def in_branch_triage(client: httpx.AsyncClient) -> list[str]:
    rows = (await client.get("/api/v1/queues/branch_triage")).json()["rows"]
    return [row["case_no"] for row in rows]


async def test_an_open_list_hears_that_time_has_passed(street: Street) -> None:
    """No fact says so: nobody is there to write one, and the row moves all the same."""
    case_no = await street.opened()
    clerk = await actor_of(street, "shouli")
    async with running(street) as feed, feed.subscribe(clerk, "zh-CN", None) as reader:
        async with street.db.transaction() as tx:
            await move_clock(tx, timedelta(days=5))
        await keep_lists(street)
        (event,) = await told_of_cases(reader, 1)
    body = json.loads(event.data)
    assert (body["case_no"], body["row"]["sequence"]) == (case_no, body["sequence"])
    assert {"overdue", "red"} <= set(body["queues"])


async def test_mine_is_what_one_has_to_do_with(street: Street, sign_in: SignIn) -> None:
    """The street's posts answer for what lies at the street; a worker's own is what he reported."""
    case_no, other = await street.opened(), await dispatched(street, sign_in)
    worker, clerk, lead = await sign_in("wangge01"), await sign_in("shouli"), await sign_in("zhifadui")
    chief = await sign_in("zhiban")

    async def seen(client: httpx.AsyncClient, queue: str, whose: str) -> list[str]:
        answer = await client.get(f"/api/v1/queues/{queue}", params={"whose": whose})
        assert answer.status_code == 200, answer.text
        counted = (await client.get("/api/v1/queues", params={"queues": queue, "whose": whose})).json()["queues"]
        found = [row["case_no"] for row in answer.json()["rows"]]
        assert counted[0]["open"] == len(found)
        return found

    assert await seen(worker, "branch_triage", "mine") == [case_no]
    assert await seen(clerk, "branch_triage", "unit") == []
    assert await seen(chief, "to_sign", "mine") == [other], "he has filed it"
    assert await seen(clerk, "to_sign", "mine") == [other], "he has dispatched it"
    assert await seen(await sign_in("paiqian"), "to_sign", "mine") == []
    assert await seen(clerk, "to_sign", "unit") == []
    assert await seen(lead, "to_sign", "unit") == [other]
    refused = await clerk.get("/api/v1/queues/intake", params={"whose": "theirs"})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_input")

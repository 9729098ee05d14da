"""Queues over real rows: every one of them answers, pages join without gaps, units see their own share."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.chassis.clock import LOCAL
from services.chassis.db import move_clock
from services.chassis.telemetry import Metrics
from services.dispatch.store.queues import QUEUES
from services.dispatch.usecases.ground import Ground
from services.dispatch.usecases.turning import KeepingLists
from tests.integration.dispatch.conftest import SignIn, Street
from tests.integration.dispatch.test_acting import do, get, proposed

pytestmark = pytest.mark.anyio


async def ids_in(client: httpx.AsyncClient, queue: str, **params: Any) -> list[str]:
    answer = await client.get(f"/api/v1/queues/{queue}", params=params)
    assert answer.status_code == 200, answer.text
    return [row["case_no"] for row in answer.json()["rows"]]


async def counts(client: httpx.AsyncClient) -> dict[str, int]:
    answer = await client.get("/api/v1/queues")
    assert answer.status_code == 200, answer.text
    return {queue["id"]: queue["open"] for queue in answer.json()["queues"]}


async def keep_lists(street: Street) -> None:
    """What a loop of the relay's process does four times a second."""
    keeping = KeepingLists(Ground(street.db, street.cache, street.ids, Metrics("dispatch")))
    while await keeping.once():
        pass


async def dispatched(street: Street, sign_in: SignIn) -> str:
    """A case that zhifadui leads and huanwei helps with."""
    case_no = await street.opened(category=await street.category(), staff=False)
    branch, community = await sign_in("zhibu01"), await sign_in("shequ01")
    chief, clerk = await sign_in("zhiban"), await sign_in("shouli")
    await do(branch, case_no, "call_up", reason="no_means")
    await do(community, case_no, "call_up", reason="no_enforcement", note="已劝导")
    await do(chief, case_no, "file", condition=await proposed(chief, case_no))
    await do(clerk, case_no, "dispatch", lead_unit="zhifadui", co_units=["huanwei"], reason="line_unfit")
    return case_no


@pytest.mark.parametrize("login", ["shouli", "zhibu01", "shequ01", "zhifadui", "hecha", "quji", "lingdao", "audit"])
async def test_every_queue_answers_everybody(street: Street, sign_in: SignIn, login: str) -> None:
    await street.opened()
    client = await sign_in(login)
    assert set(await counts(client)) == {queue.id for queue in QUEUES}
    for queue in QUEUES:
        await ids_in(client, queue.id)


async def test_counts_equal_the_pages(street: Street, sign_in: SignIn) -> None:
    for _ in range(3):
        await street.opened()
    await dispatched(street, sign_in)
    client = await sign_in("shouli")
    counted = await counts(client)
    assert counted["branch_triage"] == 3
    for queue in QUEUES:
        assert len(await ids_in(client, queue.id)) == counted[queue.id], queue.id


async def test_the_day_so_far_is_told_within_ones_sight(street: Street, sign_in: SignIn) -> None:
    now = (await street.now()).astimezone(LOCAL)
    noon = now.replace(hour=12) + timedelta(days=1) - now  # no midnight comes in between
    async with street.db.transaction() as tx:
        await move_clock(tx, noon)
    leader, stranger, branch = await sign_in("lingdao"), await sign_in("shequ02"), await sign_in("zhibu01")
    case_no = await street.opened()
    await street.opened()
    await do(branch, case_no, "self_resolve_start")
    await do(branch, case_no, "self_resolve_done", means="guan", note="已劝离")
    told = (await leader.get("/api/v1/today")).json()
    assert (told["opened"], told["closed"]) == (2, 1)
    assert (await stranger.get("/api/v1/today")).json() == {"day": told["day"], "opened": 0, "closed": 0}
    async with street.db.transaction() as tx:
        await move_clock(tx, noon + timedelta(days=1))
    assert (await leader.get("/api/v1/today")).json()["opened"] == 0


async def test_pages_join_without_gap_or_repeat(street: Street, sign_in: SignIn) -> None:
    everything = {await street.opened() for _ in range(5)}
    client = await sign_in("shouli")
    for queue in ("branch_triage", "grid_open"):
        seen: list[str] = []
        after: str | None = None
        while True:
            params = {"limit": 2} | ({"after": after} if after else {})
            page = (await client.get(f"/api/v1/queues/{queue}", params=params)).json()
            seen += [row["case_no"] for row in page["rows"]]
            after = page["next"]
            if after is None:
                break
        assert len(seen) == len(set(seen))
        assert set(seen) == everything


async def test_a_unit_sees_what_it_leads_and_what_it_helps_with(street: Street, sign_in: SignIn) -> None:
    case_no = await dispatched(street, sign_in)
    lead, helper, stranger = await sign_in("zhifadui"), await sign_in("huanwei"), await sign_in("yuanlin")
    assert await ids_in(lead, "to_sign") == [case_no]
    assert await ids_in(lead, "co_tasks") == []
    assert await ids_in(helper, "co_tasks") == [case_no]
    assert await ids_in(helper, "to_sign") == []
    assert await ids_in(stranger, "co_tasks") == await ids_in(stranger, "to_sign") == []
    assert (await stranger.get(f"/api/v1/cases/{case_no}")).status_code == 404
    await do(lead, case_no, "sign")
    assert await ids_in(lead, "to_respond") == [case_no]


async def test_what_is_late_stands_in_overdue_and_red(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened()
    client = await sign_in("shouli")
    assert await ids_in(client, "overdue") == []
    async with street.db.transaction() as tx:
        await move_clock(tx, timedelta(days=5))
    await keep_lists(street)
    client = await sign_in("shouli")
    assert await ids_in(client, "overdue") == await ids_in(client, "red") == [case_no]


async def test_an_unknown_queue_and_a_foreign_cursor_are_refused(street: Street, sign_in: SignIn) -> None:
    client = await sign_in("shouli")
    unknown = await client.get("/api/v1/queues/nothing")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "queue_unknown")
    foreign = await client.get("/api/v1/queues/red", params={"after": "bm8"})
    assert (foreign.status_code, foreign.json()["code"]) == (422, "invalid_input")


async def test_a_case_without_a_rule_waits_in_the_visible_list(street: Street, sign_in: SignIn) -> None:
    await street.opened(category=None)
    client = await sign_in("paiqian")
    (case_no,) = await ids_in(client, "no_rule")
    shown = await get(client, case_no)
    assert shown["routing"]["lead"] is None
    assert shown["routing"]["unmatched"]


async def test_a_member_unit_moves_a_share_from_to_claim_to_pledged(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened(category=await street.category(), staff=False)
    branch, community = await sign_in("zhibu01"), await sign_in("shequ01")
    member, other = await sign_in("chengyuan-xuexiao"), await sign_in("chengyuan-yinhang")
    await do(branch, case_no, "call_up", reason="no_means")
    await do(community, case_no, "accept", co_units=["chengyuan-xuexiao"])
    assert (await ids_in(member, "to_claim"), await ids_in(member, "pledged")) == ([case_no], [])
    assert await ids_in(other, "to_claim") == []
    await do(member, case_no, "claim", note="周五派两位老师")
    assert (await ids_in(member, "to_claim"), await ids_in(member, "pledged")) == ([], [case_no])
    shown = await get(community, case_no)
    assert "feedback" not in {offer["action"] for offer in shown["actions"]}
    await do(member, case_no, "co_done", note="已完成")
    assert await ids_in(member, "pledged") == []

"""Undone by whoever did it, for a minute, while nothing has happened since; all are told by an event of its own."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from services.chassis.db import move_clock
from tests.integration.dispatch.conftest import SignIn, Street
from tests.integration.dispatch.test_acting import do, get, post, proposed
from tests.integration.dispatch.test_queues import dispatched, ids_in

pytestmark = pytest.mark.anyio


async def test_a_dispatch_is_undone_as_if_it_had_not_been(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened(category=await street.category(), staff=False)
    branch, chief = await sign_in("zhibu01"), await sign_in("zhiban")
    await do(branch, case_no, "call_up", reason="no_means")
    await do(await sign_in("shequ01"), case_no, "call_up", reason="no_enforcement", note="已劝导")
    await do(chief, case_no, "file", condition=await proposed(chief, case_no))
    clerk, unit = await sign_in("shouli"), await sign_in("zhifadui")
    before = await get(clerk, case_no)
    assert before["undo"] is None
    await do(clerk, case_no, "dispatch", lead_unit="zhifadui", co_units=["huanwei"], reason="line_unfit")
    after = await get(clerk, case_no)
    assert after["undo"]["label"] == "派遣"
    assert (await get(unit, case_no))["undo"] is None
    stranger = await post(chief, case_no, "undo", after["version"])
    assert (stranger.status_code, stranger.json()["code"]) == (409, "too_late")
    undone = await post(clerk, case_no, "undo", after["version"])
    assert undone.status_code == 200, undone.text
    now = undone.json()
    for part in ("state", "owner", "lead_unit", "tier", "co_units", "flags"):
        assert now[part] == before[part], part
    assert now["version"] > after["version"]
    assert [line["kind"] for line in now["timeline"]][-2:] == ["case.dispatched", "case.undone"]
    due = {clock["kind"]: clock["due_at"] for clock in before["clocks"] if clock["state"] == "running"}
    assert {clock["kind"]: clock["due_at"] for clock in now["clocks"] if clock["state"] == "running"} == due
    told = "SELECT count(*) FROM dispatch.outbox WHERE headers ->> 'ce_type' = 'case.undone'"
    assert await street.scalar(told) == 1
    assert await ids_in(unit, "to_sign") == []
    assert {task["state"] for task in now["tasks"] if task["unit"] in ("zhifadui", "huanwei")} <= {"dropped"}
    assert (await post(clerk, case_no, "undo", now["version"])).json()["code"] == "too_late"  # not an undo of an undo
    await do(clerk, case_no, "dispatch", lead_unit="huanwei", co_units=[], reason="line_unfit")


async def test_not_after_a_minute_and_not_once_somebody_has_acted(street: Street, sign_in: SignIn) -> None:
    first = await dispatched(street, sign_in)
    clerk, unit = await sign_in("shouli"), await sign_in("zhifadui")
    await do(unit, first, "sign")
    late = await post(clerk, first, "undo", (await get(clerk, first))["version"])
    assert (late.status_code, late.json()["code"]) == (409, "too_late")
    second = await dispatched(street, sign_in)
    async with street.db.transaction() as tx:
        await move_clock(tx, timedelta(seconds=61))
    shown = await get(clerk, second)
    assert shown["undo"] is None
    late = await post(clerk, second, "undo", shown["version"])
    assert (late.status_code, late.json()["code"]) == (409, "too_late")


async def test_what_is_not_in_the_streets_list_stays(street: Street, sign_in: SignIn) -> None:
    case_no = await street.opened()
    clerk = await sign_in("zhibu01")
    await do(clerk, case_no, "note", note="已到场")
    shown = await get(clerk, case_no)
    assert shown["undo"] is None
    kept = await post(clerk, case_no, "undo", shown["version"], note=str(uuid4()))
    assert (kept.status_code, kept.json()["code"]) == (409, "too_late")

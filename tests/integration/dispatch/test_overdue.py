"""The auditor sees what becomes of overdue cases by itself: steps taken, to come, and skipped with the reason."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from services.chassis.auth import Person
from services.chassis.db import move_clock
from services.chassis.directory import Directory
from services.dispatch.store.overdue import of_numbers
from services.dispatch.usecases.around import nobody_on
from tests.integration.dispatch.conftest import SignIn, Street
from tests.integration.dispatch.test_acting import do, get

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
async def clock_back(street: Street) -> AsyncIterator[None]:
    yield
    async with street.db.transaction() as tx:
        await move_clock(tx, timedelta(0))


class Checks:
    """Escalation as far as its comparisons go."""

    def __init__(self, *stepless: str) -> None:
        self.stepless = stepless

    async def timer_checks(self, person: Person) -> Any:
        at = "2026-03-06T09:00:00+08:00"
        counts = dict.fromkeys(("cases", "unheard", "armed", "missing", "surplus", "moved", "overdue", "stepless"), 0)
        done = {"id": 1, "asked_at": at, "asked_by": None, "started_at": at, "ended_at": at, **counts}
        return {
            "items": [
                {**done, "id": 2, "ended_at": None, "stepless_cases": []},
                {**done, "stepless_cases": self.stepless},
            ]
        }


async def late(street: Street, sign_in: SignIn) -> str:
    """A case that the street has answered and then left lying for five days."""
    case_no = await street.opened(danger=True)
    await do(await sign_in("shouli"), case_no, "answer")
    async with street.db.transaction() as tx:
        await move_clock(tx, timedelta(days=5))
    await do(await sign_in("shouli"), case_no, "note", note="看过了")
    return case_no


async def test_every_step_says_what_became_of_it_and_when(street: Street, sign_in: SignIn) -> None:
    case_no = await late(street, sign_in)
    answer = await (await sign_in("audit")).get("/api/v1/overdue")
    assert answer.status_code == 200, answer.text
    (row,) = answer.json()["items"]
    assert (row["case_no"], row["state_label"]) == (case_no, "已呼叫街道待受理")
    assert datetime.fromisoformat(row["next_at"]) > await street.now()
    clocks = {clock["kind"]: clock for clock in row["clocks"]}
    filing = clocks["file"]
    assert (filing["late"], filing["state"]) == (True, "running")
    assert [step["standing"] for step in filing["steps"]] == ["done", "done", "pending"]
    taken = filing["steps"][0]
    planned, acted = (datetime.fromisoformat(taken[name]) for name in ("planned_at", "acted_at"))
    assert acted - planned > timedelta(days=4)
    assert taken["told"] == ["值班长"]
    answered = clocks["street_answer"]
    assert {(step["standing"], step["why"]) for step in answered["steps"]} == {("skipped", "时限内已办结")}


async def test_cases_without_a_next_step_are_those_of_the_last_whole_comparison(
    street: Street, sign_in: SignIn, app: FastAPI
) -> None:
    case_no = await late(street, sign_in)
    auditor = await sign_in("audit")
    for numbers, shown in (((case_no, "gone"), [case_no]), ((), [])):
        object.__setattr__(app.state.wiring, "forwarder", Checks(*numbers))
        answer = await auditor.get("/api/v1/overdue", params={"stepless": True})
        assert [row["case_no"] for row in answer.json()["items"]] == shown


async def test_pages_follow_each_other_and_a_foreign_cursor_is_refused(street: Street, sign_in: SignIn) -> None:
    numbers = {await late(street, sign_in)}
    async with street.db.transaction() as tx:
        await move_clock(tx, timedelta(0))
    numbers.add(await late(street, sign_in))
    auditor = await sign_in("audit")
    first = (await auditor.get("/api/v1/overdue", params={"limit": 1})).json()
    second = (await auditor.get("/api/v1/overdue", params={"limit": 1, "after": first["next"]})).json()
    assert {first["items"][0]["case_no"], second["items"][0]["case_no"]} == numbers
    assert second["next"] is None
    assert (await auditor.get("/api/v1/overdue", params={"after": "WyJ4Il0"})).status_code == 422


async def test_posts_that_nobody_holds_are_known_when_a_point_has_passed(street: Street, sign_in: SignIn) -> None:
    case_no = await late(street, sign_in)
    async with street.db.reading() as tx:
        (case,) = await of_numbers(tx, [case_no])
    now = await street.now()
    held = nobody_on(street.cache.current(), case, now)
    assert not {"duty_chief", "duty_leader", "community_secretary", "branch_secretary", "leader_in_charge"} & held
    assert nobody_on(Directory(rev=1), case, now) >= {"duty_chief", "liaison_leader", "district_duty"}


async def test_the_history_says_who_was_told_in_place_of_a_post_that_nobody_holds(
    street: Street, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.dispatch.usecases.around.nobody_on", lambda *_: frozenset({"duty_chief"}))
    case_no = await late(street, sign_in)
    page = await get(await sign_in("shouli"), case_no)
    told = {line for moment in page["timeline"] for line in moment["instead"]}
    assert told == {"值班长无人在岗，转告带班领导"}
    assert all(moment["machine"] for moment in page["timeline"] if moment["instead"])

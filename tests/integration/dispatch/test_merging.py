"""并案 over HTTP and the stream: two cases become one and two again, whoever else is at work on either meanwhile."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Coroutine
from datetime import timedelta
from typing import Any

import httpx
import pytest

from schemas.cases import load_case, load_fact
from schemas.events.command import CommandV1, RateV1
from schemas.events.parts import ActorV1, SpotV1
from schemas.events.report import PhotoV1, ReportPhotoAddedV1, ReportSubmittedV1
from schemas.events.sla import SlaFiredV1
from services.chassis.db import move_clock
from services.governance.acts import Clock, ClockState
from services.governance.case import Case, evolve
from services.governance.cycle import LIVE, ClockKind, State
from tests.integration.dispatch.conftest import SignIn, Street
from tests.integration.dispatch.test_acting import do, get, post

pytestmark = pytest.mark.anyio
REFUSED = {"master_itself", "version_conflict", "illegal_transition"}


async def opened(street: Street, count: int, **changes: object) -> list[str]:
    """Case numbers of so many reports at one place."""
    spot = SpotV1(street="441802001", community="441802001001", grid="44180200100101", lng=113.06, lat=23.69)
    given = {"category": await street.category(), "spot": spot, "reporter_account": None, "staff": False, **changes}
    return [await street.opened(**given) for _ in range(count)]


async def merge(client: httpx.AsyncClient, case_no: str, master: str) -> dict[str, Any]:
    return await do(client, case_no, "merge", master=master, reason="same_matter", note="同一处")


async def case_of(street: Street, case_no: str) -> Case:
    body = await street.scalar("SELECT body::text FROM dispatch.cases WHERE case_no = :no", no=case_no)
    return load_case(str(body).encode())


async def report_of(street: Street, case_no: str) -> str:
    return (await case_of(street, case_no)).reports[0]


async def home_of(street: Street, report_id: str) -> str:
    """The number of the case that a report is part of."""
    query = (
        "SELECT c.case_no FROM dispatch.cases c JOIN dispatch.case_reports r ON r.case_id = c.id"
        " WHERE r.report_id = :id"
    )
    return str(await street.scalar(query, id=report_id))


async def kinds_of(street: Street, case_no: str) -> list[str]:
    query = (
        "SELECT kind FROM dispatch.case_facts f JOIN dispatch.cases c ON c.id = f.case_id"
        " WHERE case_no = :no ORDER BY f.sequence"
    )
    return [str(row[0]) for row in await street.rows(query, no=case_no)]


async def sound(street: Street) -> None:
    """Sequences are dense, rows are what their facts make, and each report is part of the case that says so."""
    rows = await street.rows("SELECT c.body::text FROM dispatch.cases c")
    cases = {case.case_id: case for (body,) in rows if (case := load_case(str(body).encode()))}
    facts: list[Any] = await street.rows(
        "SELECT case_id::text, sequence, body::text FROM dispatch.case_facts ORDER BY case_id, sequence"
    )
    replayed: dict[str, Case | None] = {}
    counted: Counter[str] = Counter()
    for case_id, sequence, body in facts:
        counted[str(case_id)] += 1
        assert counted[str(case_id)] == sequence
        replayed[str(case_id)] = evolve(replayed.get(str(case_id)), load_fact(str(body).encode()))
    assert replayed == cases
    events: list[Any] = await street.rows(
        "SELECT convert_from(key, 'UTF8'), array_agg((headers ->> 'ce_sequence')::int ORDER BY id)"
        " FROM dispatch.outbox WHERE topic = 'grid.case.v1' AND headers ->> 'ce_type' <> 'case.command_refused'"
        " GROUP BY 1"
    )
    told: dict[object, object] = {row[0]: row[1] for row in events}
    assert told == {i: list(range(1, n + 1)) for i, n in counted.items()}
    parts: list[Any] = await street.rows("SELECT report_id, case_id FROM dispatch.case_reports")
    homes = {str(report): str(case_id) for report, case_id in parts}
    held = [(r, case.case_id) for case in cases.values() if case.master is None for r in case.reports]
    assert len(held) == len(homes)
    assert homes == dict(held)
    for case in cases.values():
        if case.master is not None:
            assert case.state is State.MERGED
            assert cases[case.master.case_id].master is None
            assert all(clock.state is ClockState.STOPPED for clock in case.clocks)


# --- over HTTP ------------------------------------------------------------------------------------------------------
async def test_a_clerk_merges_and_takes_it_back(street: Street, sign_in: SignIn) -> None:
    first, second = await opened(street, 2)
    report_id = await report_of(street, second)
    clerk = await sign_in("shouli")
    shown = await merge(clerk, second, first)
    assert (shown["state"], shown["master"]) == ("merged", first)
    assert [a["action"] for a in shown["actions"]] == ["unmerge"]
    assert shown["reports"] == []
    master = await get(clerk, first)
    assert [row["case_no"] for row in master["absorbed"]] == [second]
    assert report_id in [report["id"] for report in master["reports"]]
    assert await home_of(street, report_id) == first
    told = master["timeline"][-1]
    assert (told["kind"], told["label"], told["cases"]) == ("case.absorbed", "并入了同一问题的其他案件", [second])
    ended = shown["timeline"][-1]
    assert (ended["label"], ended["reason"], ended["note"]) == (
        "并入同一问题的主案件，一并办理",
        "同一问题重复上报",
        "同一处",
    )
    back = await do(clerk, second, "unmerge", reason="other_matter")
    assert (back["state"], back["master"], len(back["reports"])) == ("reported", None, 1)
    assert await home_of(street, report_id) == second
    master = await get(clerk, first)
    assert (master["absorbed"], master["timeline"][-1]["kind"]) == ([], "case.released")
    assert master["timeline"][-1]["cases"] == [second]
    await sound(street)


async def test_it_leaves_the_lists_and_the_master_shows_how_many_reported(street: Street, sign_in: SignIn) -> None:
    first, second = await opened(street, 2)
    clerk = await sign_in("shouli")

    async def listed() -> dict[str, int]:
        page = (await clerk.get("/api/v1/queues/branch_triage")).json()
        return {row["case_no"]: row["reports"] for row in page["rows"]}

    assert await listed() == {first: 1, second: 1}
    await merge(clerk, second, first)
    assert await listed() == {first: 2}
    await do(clerk, second, "unmerge", reason="other_matter")
    assert await listed() == {first: 1, second: 1}


async def test_a_number_may_be_typed_as_people_type_it(street: Street, sign_in: SignIn) -> None:
    first, second = await opened(street, 2)
    assert (await merge(await sign_in("shouli"), second, f" {first.lower()} "))["master"] == first


async def test_the_form_offers_what_is_near(street: Street, sign_in: SignIn) -> None:
    """Number, what, how far, how long ago; whatever has ended long ago or lies elsewhere is none."""
    first, second = await opened(street, 2)
    spot = SpotV1(street="441802001", community="441802001001", grid="44180200100101", lng=113.09, lat=23.69)
    await opened(street, 1, spot=spot)
    clerk = await sign_in("shouli")
    (offer,) = [one for one in (await get(clerk, second))["actions"] if one["action"] == "merge"]
    (field,) = [one for one in offer["inputs"] if one["name"] == "master"]
    assert (field["type"], field["required"], field["label"]) == ("case_no", True, "主案件编号")
    assert [choice["id"] for choice in field["choices"]] == [first]
    (choice,) = field["choices"]
    assert choice["label"] == "垃圾堆在路口"
    told = choice["detail"].split(" · ")
    assert told[:4] == [first, "相距0米", "上报1次", "已上报待研判"]
    assert told[4].endswith("前上报")


async def test_refusals_name_the_field(street: Street, sign_in: SignIn) -> None:
    first, second = await opened(street, 2)
    clerk = await sign_in("shouli")

    async def refused(master: str) -> tuple[int, str, list[str]]:
        version = (await get(clerk, second))["version"]
        answer = await post(clerk, second, "merge", version, master=master)
        body = answer.json()
        return answer.status_code, body["code"], [wrong["field"] for wrong in body["errors"]]

    assert await refused("FC-20200101-00001") == (422, "master_unknown", ["master"])
    assert await refused(second) == (422, "master_itself", ["master"])
    await do(await sign_in("wangge01"), first, "self_resolve_start")
    await do(await sign_in("wangge01"), first, "self_resolve_done", means="sao", note="已清扫")
    async with street.db.transaction() as tx:
        await move_clock(tx, timedelta(days=8))
    assert await refused(first) == (422, "master_ended", ["master"])


async def test_what_one_may_not_read_is_no_master(street: Street, sign_in: SignIn) -> None:
    """A dispute that has not come up to the street: its number tells the clerk nothing."""
    (hidden,) = await opened(street, 1, category=await street.category(restricted=True))
    (case_no,) = await opened(street, 1)
    clerk = await sign_in("shouli")
    version = (await get(clerk, case_no))["version"]
    answer = await post(clerk, case_no, "merge", version, master=hidden)
    assert (answer.status_code, answer.json()["code"]) == (422, "master_unknown")


async def test_only_the_street_merges_others_ask(street: Street, sign_in: SignIn) -> None:
    first, second = await opened(street, 2)
    worker, clerk = await sign_in("wangge01"), await sign_in("shouli")
    asked = await do(worker, second, "merge", master=first, reason="same_matter")
    assert (asked["state"], asked["master"]) == ("reported", None)
    (request,) = asked["requests"]
    granted = await do(clerk, second, "approve", request=request["id"])
    assert (granted["state"], granted["master"]) == ("merged", first)
    unit = await sign_in("huanwei")
    assert (await unit.get(f"/api/v1/cases/{first}")).status_code == 404
    await sound(street)


async def test_merging_into_a_merged_case_follows_its_master(street: Street, sign_in: SignIn) -> None:
    first, second, third = await opened(street, 3)
    clerk = await sign_in("shouli")
    await merge(clerk, second, first)
    assert (await merge(clerk, third, second))["master"] == first
    assert [row["case_no"] for row in (await get(clerk, first))["absorbed"]] == [second, third]
    await sound(street)


async def test_a_chain_is_flat_and_its_middle_takes_its_own_along(street: Street, sign_in: SignIn) -> None:
    first, second, third = await opened(street, 3)
    clerk = await sign_in("shouli")
    await merge(clerk, first, second)
    await merge(clerk, second, third)
    assert (await get(clerk, first))["master"] == third
    assert (await get(clerk, first))["timeline"][-1]["reason"] == "主案件已并入另一案件"
    await sound(street)
    await do(clerk, second, "unmerge", reason="wrong_master")
    assert (await get(clerk, first))["master"] == second
    await sound(street)


async def test_undone_after_hours_it_stands_where_it_would(street: Street, sign_in: SignIn) -> None:
    """The branch was silent and so was the community: its clocks never stopped."""
    first, second = await opened(street, 2)
    clerk = await sign_in("shouli")
    await merge(clerk, second, first)
    async with street.db.transaction() as tx:
        await move_clock(tx, timedelta(days=3))
    back = await do(clerk, second, "unmerge", reason="other_matter")
    assert back["state"] == "at_community"
    assert [entry["kind"] for entry in back["timeline"]][:4] == [
        "case.reported",
        "case.merged",
        "case.unmerged",
        "case.called",
    ]
    await sound(street)


# --- what follows the master ----------------------------------------------------------------------------------------
async def test_reports_photos_and_wishes_follow_the_master(street: Street, sign_in: SignIn) -> None:
    first, second = await opened(street, 2)
    report_id, case_id = await report_of(street, second), (await case_of(street, second)).case_id
    await merge(await sign_in("shouli"), second, first)
    joining = await street.report(joins=second, photos=(PhotoV1(id="p9", sha256="0" * 64, bytes=3, mime="image/webp"),))
    added = {"path": "x/p", "sha256": "0" * 64, "mime": "image/webp"}
    photo = ReportPhotoAddedV1(report_id=report_id, photo_id="p1", **added)
    wish = CommandV1(
        command_id=str(street.ids.uuid7()),
        case_id=case_id,
        report_id=report_id,
        actor=ActorV1(account=None),
        by_reporter=True,
        asked_at=await street.now(),
    )
    await street.take(("report.submitted", joining), ("report.photo_added", photo), ("command.urge", wish))
    assert await home_of(street, joining.report_id) == first
    kinds = await kinds_of(street, first)
    assert [kind for kind in kinds if kind in ("case.report_attached", "case.urged")] == [
        "case.report_attached",
        "case.report_attached",
        "case.urged",
    ]
    assert (await kinds_of(street, second))[-1] == "case.merged"
    await sound(street)


async def test_nobody_withdraws_what_others_reported_too(street: Street, sign_in: SignIn) -> None:
    first, second = await opened(street, 2)
    report_id = await report_of(street, second)
    await merge(await sign_in("shouli"), second, first)
    wish = CommandV1(
        command_id=str(street.ids.uuid7()),
        case_no=second,
        report_id=report_id,
        actor=ActorV1(account=None),
        by_reporter=True,
        asked_at=await street.now(),
        reason="mistaken",
    )
    await street.take(("command.withdraw", wish))
    refused: list[Any] = await street.rows("SELECT code, case_id::text FROM dispatch.refusals")
    assert [tuple(row) for row in refused] == [("unsettled", (await case_of(street, first)).case_id)]


async def test_the_reporter_of_a_duplicate_rates_the_result_of_the_master(street: Street, sign_in: SignIn) -> None:
    first, second = await opened(street, 2)
    report_id = await report_of(street, second)
    await merge(await sign_in("shouli"), second, first)
    worker = await sign_in("wangge01")
    await do(worker, first, "self_resolve_start")
    await do(worker, first, "self_resolve_done", means="sao", note="已清扫")
    wish = RateV1(
        command_id=str(street.ids.uuid7()),
        case_no=second,
        report_id=report_id,
        actor=ActorV1(account=None),
        by_reporter=True,
        asked_at=await street.now(),
        grade="satisfied",
    )
    await street.take(("command.rate", wish))
    assert (await kinds_of(street, first))[-1] == "case.visited"


async def test_a_report_of_an_ended_matter_opens_one_that_names_it(street: Street, sign_in: SignIn) -> None:
    (case_no,) = await opened(street, 1)
    worker = await sign_in("wangge01")
    await do(worker, case_no, "self_resolve_start")
    await do(worker, case_no, "self_resolve_done", means="sao", note="已清扫")
    joining = await street.report(joins=case_no)
    await street.take(("report.submitted", joining))
    fresh = await home_of(street, joining.report_id)
    assert fresh != case_no
    assert (await get(await sign_in("shouli"), fresh))["earlier"] == case_no


async def test_a_colleague_whose_report_was_merged_sees_the_master(street: Street, sign_in: SignIn) -> None:
    """The worker of another grid reported it there; it goes on here, where he holds no post."""
    (first,) = await opened(street, 1)
    now, directory = await street.now(), street.cache.current()
    here = {"44180200100101", "441802001001", "441802001", ""}
    workers = [a for a in directory.accounts.values() if a.login.startswith("wangge")]
    strangers = [a.login for a in workers if here.isdisjoint({p.area for p in directory.posts_of(a.account_id, now)})]
    stranger = strangers[0]
    (second,) = await opened(street, 1, reporter_account=await street.account(stranger), staff=True)
    reader = await sign_in(stranger)
    assert (await reader.get(f"/api/v1/cases/{first}")).status_code == 404
    await merge(await sign_in("shouli"), second, first)
    assert (await reader.get(f"/api/v1/cases/{first}")).status_code == 200


# --- at the same time -----------------------------------------------------------------------------------------------
async def attempt(client: httpx.AsyncClient, case_no: str, version: int, master: str) -> str:
    answer = await post(client, case_no, "merge", version, master=master)
    assert answer.status_code in (200, 409, 422), answer.text
    return "done" if answer.status_code == 200 else str(answer.json()["code"])


@pytest.mark.parametrize("turn", range(4))
async def test_both_ways_at_once_exactly_one_wins(street: Street, sign_in: SignIn, turn: int) -> None:
    a, b = await opened(street, 2)
    one, two = await sign_in("shouli"), await sign_in("zhiban")
    versions = {no: (await get(one, no))["version"] for no in (a, b)}
    asked = [attempt(one, a, versions[a], b), attempt(two, b, versions[b], a)]
    outcomes = await asyncio.gather(*(asked if turn % 2 else reversed(asked)))
    assert sorted(outcomes).count("done") == 1, outcomes
    assert set(outcomes) <= {"done", *REFUSED}
    await sound(street)


@pytest.mark.parametrize("turn", range(4))
async def test_a_cycle_of_three_at_once_leaves_one_master(street: Street, sign_in: SignIn, turn: int) -> None:
    cases = await opened(street, 3)
    people = [await sign_in(login) for login in ("shouli", "zhiban", "shouli")]
    versions = {no: (await get(people[0], no))["version"] for no in cases}
    asked = [attempt(people[n], cases[n], versions[cases[n]], cases[(n + 1 + turn % 2) % 3]) for n in range(len(cases))]
    outcomes = await asyncio.gather(*asked)
    assert 1 <= outcomes.count("done") <= 2, outcomes
    assert set(outcomes) <= {"done", *REFUSED}
    merged = [case for case in [await case_of(street, no) for no in cases] if case.state is State.MERGED]
    assert len(merged) == outcomes.count("done")
    await sound(street)


def running(case: Case) -> Clock | None:
    return next((c for c in case.clocks if c.state is ClockState.RUNNING and c.kind is not ClockKind.WHOLE), None)


async def batches(street: Street, cases: list[str], dice: random.Random, rounds: int) -> list[ReportSubmittedV1]:
    """What the stream brings on any of the cases: reports that join, photos, wishes, timers, several to a batch."""
    sent: list[ReportSubmittedV1] = []
    for _ in range(rounds):
        batch: list[tuple[str, Any]] = []
        for case_no in dice.sample(cases, k=len(cases)):
            case = await case_of(street, case_no)
            joining = await street.report(joins=case_no, reporter_account=None, staff=False)
            sent.append(joining)
            batch.append(("report.submitted", joining))
            added = ReportPhotoAddedV1(
                report_id=case.reports[0], photo_id=street.ids.token(4), path="x/p", sha256="0" * 64, mime="image/webp"
            )
            batch.append(("report.photo_added", added))
            clock = running(case)
            if clock is not None and clock.rungs:
                rung = clock.rungs[0]
                fired = SlaFiredV1(
                    case_id=case.case_id,
                    clock_id=clock.clock_id,
                    kind=clock.kind,
                    rev=clock.rev,
                    rung=rung.rung,
                    due_at=rung.at,
                    fired_at=rung.at,
                )
                batch.append(("sla.fired", fired))
        await street.take(*batch)
    return sent


async def people_at_work(client: httpx.AsyncClient, cases: list[str], dice: random.Random, rounds: int) -> Counter[str]:
    """Merging any into any, taking it back, urging: whatever comes to mind, on what was seen a moment ago."""
    outcomes: Counter[str] = Counter()
    for _ in range(rounds):
        case_no, other = dice.sample(cases, k=2)
        seen = await get(client, case_no)
        wish: dict[str, str] = {"master": other} if seen["state"] != "merged" else {"reason": "other_matter"}
        action = "merge" if seen["state"] != "merged" else "unmerge"
        if dice.random() < 0.3:
            action, wish = "note", {"note": "看过"}
        answer = await post(client, case_no, action, seen["version"], **wish)
        assert answer.status_code in (200, 409, 422), answer.text
        outcomes["done" if answer.status_code == 200 else answer.json()["code"]] += 1
    return outcomes


async def test_merges_among_everything_else_lose_nothing(street: Street, sign_in: SignIn) -> None:
    cases = await opened(street, 5)
    people = [await sign_in(login) for login in ("shouli", "zhiban")]
    work: list[Coroutine[Any, Any, Any]] = [
        *(people_at_work(client, cases, random.Random(n), 25) for n, client in enumerate(people)),
        *(batches(street, cases, random.Random(10 + n), 6) for n in range(2)),
    ]
    first, second, *sent = await asyncio.gather(*work)
    done = first + second
    assert done["done"] > 10, done
    assert set(done) <= {"done", *REFUSED}, done
    reports = {report.report_id for batch in sent for report in batch}
    kept = {str(row[0]) for row in await street.rows("SELECT report_id FROM dispatch.case_reports")}
    assert reports <= kept
    await sound(street)


async def test_many_pairs_at_once_meet_no_deadlock(street: Street, sign_in: SignIn) -> None:
    cases = await opened(street, 6)
    clerk, chief = await sign_in("shouli"), await sign_in("zhiban")
    versions = {no: (await get(clerk, no))["version"] for no in cases}
    asked: list[Awaitable[str]] = []
    for n, case_no in enumerate(cases):
        others = (cases[(n + 1) % 6], cases[(n + 3) % 6])
        asked += [attempt(clerk if n % 2 else chief, case_no, versions[case_no], other) for other in others]
    outcomes = Counter(await asyncio.gather(*asked))
    assert outcomes["done"] >= 1
    assert set(outcomes) <= {"done", *REFUSED}, outcomes
    live = [case for case in [await case_of(street, no) for no in cases] if case.state in LIVE]
    assert len(live) == len(cases) - outcomes["done"]
    await sound(street)

"""Case facts become the reporter's view: my report, its actions, similar matters, the public page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import httpx
import pytest
import segno
import sqlalchemy as sa
from fastapi import FastAPI

from schemas.envelope import Envelope
from schemas.events.case import CaseCommandRefusedV1, CaseFactV1, StandingV1
from schemas.labels import Labels
from schemas.wire import Body
from services.chassis.db import grid_now, move_clock
from services.chassis.ids import SystemIds
from services.chassis.streams import Received
from services.chassis.telemetry import Metrics
from services.intake.agents import Progress
from services.intake.usecases.vitals import PromiseProbe
from tests.integration.intake.conftest import ORIGIN, Street, key

pytestmark = pytest.mark.anyio
CASE = "01990000-0000-7000-8000-000000000001"


@dataclass
class Dispatch:
    """Tells intake of one case, as dispatch would."""

    street: Street
    now: datetime
    report_id: str
    offsets: Iterator[int] = field(default_factory=count)
    sequence: int = 0

    async def fact(self, kind: str, *, cause: UUID | None = None, **changes: Any) -> None:
        self.sequence += 1
        standing = StandingV1.model_validate(self.standing() | changes | {"sequence": self.sequence})
        body = CaseFactV1.model_validate({"standing": standing, "actor": {"account": None}})
        await self.send(
            Envelope(SystemIds().uuid7(), kind, 1, "grid/dispatch", self.now, CASE, self.sequence, body, cause)
        )

    async def send(self, envelope: Envelope[Body]) -> None:
        async with self.street.db.transaction() as tx:
            await Progress().apply(tx, [Received("grid.case.v1", 0, next(self.offsets), envelope)])

    def standing(self) -> dict[str, Any]:
        due = (self.now + timedelta(hours=4)).isoformat()
        clock = {
            "clock_id": "c1",
            "kind": "t0_response",
            "rev": 1,
            "state": "running",
            "started_at": self.now,
            "budget_s": 14400,
            "basis": "work",
            "due_at": due,
            "original_due": due,
        }
        return {
            "case_id": CASE,
            "case_no": "FC-20261122-00001",
            "version": 1,
            "sequence": 1,
            "state": "reported",
            "stage": "discovery",
            "tier": "T0",
            "urgency": "U2",
            "nature": "complaint",
            "source": "grid_worker",
            "restricted": False,
            "history": False,
            "category": {"scheme": "GB/T 30428.2", "version": "2013", "code": "0110"},
            "spot": {"street": "441802001", "community": "441802001001", "lng": 113.06, "lat": 23.69},
            "reports": [self.report_id],
            "clocks": [clock],
            "opened_at": self.now,
            "rulebook": "r1",
        }


@pytest.fixture
async def dispatch(street: Street, worker: httpx.AsyncClient, report: dict[str, object]) -> Dispatch:
    answer = await worker.post("/api/v1/reports", json=report, headers=key())
    async with street.db.reading() as tx:
        return Dispatch(street, await grid_now(tx), answer.json()["id"])


async def test_my_report_follows_its_case(worker: httpx.AsyncClient, dispatch: Dispatch) -> None:
    await dispatch.fact("case.reported")
    mine = (await worker.get(f"/api/v1/reports/{dispatch.report_id}")).json()
    assert (mine["case_no"], mine["state"], mine["stage"]) == ("FC-20261122-00001", "reported", "discovery")
    assert datetime.fromisoformat(mine["due_at"]) == dispatch.now + timedelta(hours=4)
    assert [action["action"] for action in mine["actions"]] == ["urge", "withdraw"]
    skipped = [{"stage": "community_call", "why": "direct"}]
    await dispatch.fact(
        "case.closed", state="closed", stage="closing", clocks=[], closed_at=dispatch.now, skipped=skipped
    )
    closed = (await worker.get(f"/api/v1/reports/{dispatch.report_id}")).json()
    assert (closed["state"], closed["due_at"], closed["skipped"]) == ("closed", None, skipped)
    assert [action["action"] for action in closed["actions"]] == ["rate", "ask_reopen"]


async def test_older_standing_changes_nothing(worker: httpx.AsyncClient, dispatch: Dispatch) -> None:
    dispatch.sequence = 5
    await dispatch.fact("case.filed", state="filed", stage="coordination")
    dispatch.sequence = 1
    await dispatch.fact("case.called", state="at_community", stage="community_call")
    assert (await worker.get(f"/api/v1/reports/{dispatch.report_id}")).json()["state"] == "filed"


MASTER = {"case_id": CASE[:-1] + "2", "case_no": "FC-20261122-00002"}


async def test_reports_of_a_merged_case_follow_the_master(worker: httpx.AsyncClient, dispatch: Dispatch) -> None:
    """State, steps and due time are the master's; nobody takes others' matter back."""
    url = f"/api/v1/reports/{dispatch.report_id}"
    await dispatch.fact("case.reported")
    duplicate = {"case_id": CASE, "case_no": "FC-20261122-00001", "reports": [dispatch.report_id]}
    handled = {"state": "handling", "stage": "disposal", "tier": "T2"}
    await dispatch.fact("case.merged", state="merged", clocks=[], master=MASTER)
    assert (await worker.get(url)).json()["state"] == "merged", "until the master has been heard of"
    await dispatch.fact("case.absorbed", **MASTER, **handled, absorbed=[duplicate])
    seen = (await worker.get(url)).json()
    assert (seen["case_no"], seen["state"], seen["stage"]) == (MASTER["case_no"], "handling", "disposal")
    assert datetime.fromisoformat(seen["due_at"]) == dispatch.now + timedelta(hours=4)
    assert [action["action"] for action in seen["actions"]] == ["urge"]
    mine = (await worker.get("/api/v1/reports?mine=true")).json()["items"]
    assert [(row["case_no"], row["state"]) for row in mine] == [(MASTER["case_no"], "handling")]
    await dispatch.fact("case.unmerged")
    own = (await worker.get(url)).json()
    assert (own["case_no"], own["state"]) == ("FC-20261122-00001", "reported")


async def test_facts_of_two_cases_may_come_in_any_order(worker: httpx.AsyncClient, dispatch: Dispatch) -> None:
    """They lie on different partitions: what the master said while it held the report comes after it let it go."""
    url = f"/api/v1/reports/{dispatch.report_id}"
    duplicate = {"case_id": CASE, "case_no": "FC-20261122-00001", "reports": [dispatch.report_id]}
    await dispatch.fact("case.absorbed", **MASTER, absorbed=[duplicate])
    await dispatch.fact("case.reported")
    assert (await worker.get(url)).json()["case_no"] == "FC-20261122-00001"
    await dispatch.fact("case.merged", state="merged", clocks=[], master=MASTER)
    assert (await worker.get(url)).json()["case_no"] == MASTER["case_no"]
    await dispatch.fact("case.unmerged")
    await dispatch.fact("case.called", **MASTER, absorbed=[duplicate], state="at_community", stage="community_call")
    assert (await worker.get(url)).json()["case_no"] == "FC-20261122-00001"


async def test_the_public_page_tells_of_the_merge_and_goes_on_with_the_master(
    worker: httpx.AsyncClient, dispatch: Dispatch
) -> None:
    url = (await worker.get(f"/api/v1/reports/{dispatch.report_id}")).json()["track_url"]
    duplicate = {"case_id": CASE, "case_no": "FC-20261122-00001", "reports": [dispatch.report_id]}
    await dispatch.fact("case.reported")
    await dispatch.fact("case.called", **MASTER, state="at_community", stage="community_call", reports=[])
    dispatch.now += timedelta(minutes=1)
    await dispatch.fact("case.merged", state="merged", clocks=[], master=MASTER)
    await dispatch.fact("case.absorbed", **MASTER, state="at_community", stage="community_call", absorbed=[duplicate])
    dispatch.now += timedelta(minutes=1)
    await dispatch.fact("case.filed", **MASTER, state="filed", stage="coordination", tier="T2", absorbed=[duplicate])
    page = (await worker.get(url)).text
    for words in ("FC-20261122-00002", "并入同一问题的主案件，一并办理", "已立案待派遣"):
        assert words in page
    lines = [
        line.split("</li>")[0].split("</time> ")[1] for line in page.split('<ol class="lines">')[1].split("<li>")[1:]
    ]
    told = [Labels("zh-CN").text(f"fact.case.{kind}") for kind in ("reported", "merged", "filed")]
    assert lines == told, "what the master had done before is not the reporter's own story"


async def test_a_wish_goes_out_and_its_answer_comes_back(
    worker: httpx.AsyncClient, street: Street, dispatch: Dispatch
) -> None:
    url = f"/api/v1/reports/{dispatch.report_id}"
    early = await worker.post(f"{url}/actions/urge", json={}, headers=key("u1"))
    assert (early.status_code, early.json()["code"]) == (409, "case_not_ready")
    await dispatch.fact("case.reported")
    asked = await worker.post(f"{url}/actions/urge", json={"note": "电话13812345678"}, headers=key("u1"))
    again = await worker.post(f"{url}/actions/urge", json={"note": "电话13812345678"}, headers=key("u1"))
    other = await worker.post(f"{url}/actions/withdraw", json={}, headers=key("u1"))
    assert (asked.status_code, again.json()) == (202, asked.json())
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    async with street.db.reading() as tx:
        query = (
            "SELECT headers, convert_from(payload, 'UTF8') AS body FROM intake.outbox WHERE topic = 'grid.command.v1'"
        )
        (row,) = (await tx.execute(sa.text(query))).all()
    assert (row.headers["ce_type"], row.headers["ce_subject"], row.headers["ce_sequence"]) == (
        "command.urge",
        CASE,
        "1",
    )
    assert row.headers["ce_id"] == asked.json()["command_id"]
    assert "138****5678" in row.body
    assert (await worker.get(url)).json()["pending"] == "urge"
    await dispatch.fact("case.urged", cause=UUID(asked.json()["command_id"]))
    assert (await worker.get(url)).json()["pending"] is None


async def test_a_refused_wish_is_answered_too(worker: httpx.AsyncClient, street: Street, dispatch: Dispatch) -> None:
    await dispatch.fact("case.reported")
    url = f"/api/v1/reports/{dispatch.report_id}"
    asked = (await worker.post(f"{url}/actions/withdraw", json={}, headers=key())).json()["command_id"]
    refused = CaseCommandRefusedV1(command_id=asked, command="command.withdraw", code="illegal_transition")
    ids = SystemIds()
    await dispatch.send(
        Envelope(ids.uuid7(), "case.command_refused", 1, "grid/dispatch", dispatch.now, CASE, 9, refused, UUID(asked))
    )
    assert (await worker.get(url)).json()["pending"] is None
    assert await street.scalar("SELECT state || code FROM intake.commands") == "refusedillegal_transition"
    answer = (await worker.get(url)).json()["answer"]
    assert (answer["action"], answer["label"], answer["result"]) == ("withdraw", "撤销上报", "refused")
    assert (answer["code"], answer["text"]) == ("illegal_transition", "当前状态不能这样办理")
    granted = (await worker.post(f"{url}/actions/urge", json={}, headers=key())).json()["command_id"]
    assert (await worker.get(url)).json()["answer"] is None  # 处理中
    await dispatch.fact("case.urged", cause=UUID(granted))
    again = (await worker.get(url)).json()["answer"]
    assert (again["action"], again["result"], again["text"]) == ("urge", "done", "")


async def test_similar_matters_near_by(worker: httpx.AsyncClient, dispatch: Dispatch) -> None:
    await dispatch.fact("case.reported")
    here = {"lng": 113.0602, "lat": 23.69, "category": "0110"}
    (found,) = (await worker.get("/api/v1/duplicates", params=here)).json()["items"]
    assert (found["case_no"], found["category_name"]) == ("FC-20261122-00001", "暴露垃圾")
    assert 15 < found["distance_m"] < 25
    for change in ({"lng": 113.0606}, {"category": "0405"}):
        assert (await worker.get("/api/v1/duplicates", params=here | change)).json()["items"] == []
    await dispatch.fact("case.reclassified", restricted=True)
    assert (await worker.get("/api/v1/duplicates", params=here)).json()["items"] == []


async def test_joining_a_known_case(worker: httpx.AsyncClient, report: dict[str, object], dispatch: Dispatch) -> None:
    await dispatch.fact("case.reported")
    joined = await worker.post("/api/v1/reports", json=report | {"joins": "FC-20261122-00001"}, headers=key())
    assert joined.status_code == 201


async def test_public_page(worker: httpx.AsyncClient, dispatch: Dispatch) -> None:
    url = (await worker.get(f"/api/v1/reports/{dispatch.report_id}")).json()["track_url"]
    worker.cookies.clear()
    before = await worker.get(url)
    assert before.status_code == 200
    assert "示例数据" in before.text
    await dispatch.fact("case.reported")
    await dispatch.fact("case.called", state="at_community", stage="community_call", tier="T1")
    page = (await worker.get(url)).text
    for words in ("已呼叫社区", "网格发现", "FC-20261122-00001", "暴露垃圾", 'aria-current="step"'):
        assert words in page
    for secret in ("13812345678", "138****5678", "赵", "<script", "style="):
        assert secret not in page
    english = (await worker.get(url, headers={"accept-language": "en"})).text
    assert "Community called" in english
    await dispatch.fact("case.reclassified", restricted=True)
    hidden = (await worker.get(url)).text
    assert "FC-20261122-00001" not in hidden
    assert "限制查看" in hidden
    assert (await worker.get("/t/nonsense")).status_code == 404
    assert (await worker.get("/t/style/track.css")).headers["content-type"].startswith("text/css")


def modules(svg: str) -> list[str]:
    """What a phone reads off a QR code: the dark squares."""
    return re.findall(r'class="qrline"[^>]* d="([^"]+)"', svg)


async def test_the_public_page_as_a_qr_code(worker: httpx.AsyncClient, app: FastAPI, dispatch: Dispatch) -> None:
    url = (await worker.get(f"/api/v1/reports/{dispatch.report_id}")).json()["track_url"]
    worker.cookies.clear()
    page = await worker.get(url)
    code = await worker.get(f"{url}.svg")
    assert f'src="{url}.svg"' in page.text
    assert (code.status_code, code.headers["content-type"]) == (200, "image/svg+xml")
    for name in ("cache-control", "referrer-policy", "x-robots-tag"):
        assert code.headers[name] == page.headers[name]
    assert modules(code.text) == modules(segno.make(f"{ORIGIN}{url}", error="m").svg_inline(scale=6, border=4)) != []
    app.state.http = app.state.http.model_copy(update={"public_url": "https://grid.example.cn/"})
    outside = segno.make(f"https://grid.example.cn{url}", error="m").svg_inline(scale=6, border=4)
    assert modules((await worker.get(f"{url}.svg")).text) == modules(outside) != modules(code.text)
    await dispatch.fact("case.reported", restricted=True)
    assert (await worker.get(f"{url}.svg")).status_code == 200
    for wrong in ("nonsense", "A" * 32):
        answer = await worker.get(f"/t/{wrong}.svg", headers={"accept-language": "en"})
        assert answer.status_code == 404
        assert "not valid" in answer.text


async def test_wishes_without_answer_and_reports_without_case_are_counted(
    worker: httpx.AsyncClient, street: Street, dispatch: Dispatch
) -> None:
    async def told() -> tuple[float | None, float | None, float | None]:
        metrics = Metrics("intake")
        async with street.db.reading() as tx:
            await PromiseProbe(metrics).read(tx)
        names = ("unanswered", "unanswered_oldest_seconds")
        wishes, age = (metrics.registry.get_sample_value(f"grid_commands_{name}") for name in names)
        return wishes, age, metrics.registry.get_sample_value("grid_intake_reports_without_case")

    assert await told() == (0, 0, 0)
    async with street.db.transaction() as tx:
        await move_clock(tx, timedelta(minutes=20))
    assert await told() == (0, 0, 1)
    await dispatch.fact("case.reported")
    url = f"/api/v1/reports/{dispatch.report_id}"
    asked = (await worker.post(f"{url}/actions/urge", json={}, headers=key())).json()["command_id"]
    wishes, age, caseless = await told()
    assert (wishes, caseless) == (1, 0)
    assert age is not None
    assert 0 <= age < 60
    await dispatch.fact("case.urged", cause=UUID(asked))
    assert (await told())[0] == 0


async def test_a_question_is_marked_in_the_list_and_answered_in_words(
    worker: httpx.AsyncClient, street: Street, dispatch: Dispatch
) -> None:
    url = f"/api/v1/reports/{dispatch.report_id}"
    await dispatch.fact("case.reported")
    await dispatch.fact("case.reporter_asked", flags=["asked_reporter"])
    (row,) = (await worker.get("/api/v1/reports?mine=true")).json()["items"]
    assert row["awaited"]
    seen = (await worker.get(url)).json()
    assert (seen["words"], seen["words_missing"]) == ([], True), "without dispatch it says so"
    assert [a["action"] for a in seen["actions"]] == ["answer_question", "urge", "withdraw"]
    assert seen["actions"][0]["label"] == "回复问题"
    page = (await worker.get(seen["track_url"])).text
    assert "询问上报人" in page
    assert Labels("zh-CN").text("track.words_missing") in page
    empty = await worker.post(f"{url}/actions/answer_question", json={"note": " "}, headers=key("q0"))
    assert (empty.status_code, empty.json()["code"]) == (422, "missing_input")
    given = {"note": "北侧，电话13812345678"}
    asked = await worker.post(f"{url}/actions/answer_question", json=given, headers=key("q1"))
    assert asked.status_code == 202, asked.text
    async with street.db.reading() as tx:
        query = "SELECT headers, convert_from(payload, 'UTF8') AS body FROM intake.outbox"
        (row,) = (await tx.execute(sa.text(f"{query} WHERE topic = 'grid.command.v1'"))).all()
    assert row.headers["ce_type"] == "command.answer"
    assert "138****5678" in row.body
    assert "13812345678" not in row.body
    assert (await worker.get(url)).json()["pending"] == "answer_question"
    await dispatch.fact("case.reporter_answered", cause=UUID(asked.json()["command_id"]))
    done = (await worker.get(url)).json()
    assert (done["pending"], done["answer"]["result"]) == (None, "done")
    assert "answer_question" not in [a["action"] for a in done["actions"]]


async def test_what_the_branch_asked_for_is_given_from_the_phone(worker: httpx.AsyncClient, dispatch: Dispatch) -> None:
    await dispatch.fact("case.reported")
    await dispatch.fact("case.more_asked", flags=["awaiting_more"])
    seen = (await worker.get(f"/api/v1/reports/{dispatch.report_id}")).json()
    assert seen["actions"][0]["action"] == "add_info"
    url = f"/api/v1/reports/{dispatch.report_id}/actions/add_info"
    assert (await worker.post(url, json={"note": "12号门前"}, headers=key("m1"))).status_code == 202

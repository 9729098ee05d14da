"""From a report to closed, by separate sign-ins, over HTTP."""

from __future__ import annotations

import hashlib
from uuid import uuid4

from tests.e2e.city import City
from tests.e2e.town import Person, Town, facts_are_dense, kinds_of, picture, until

FOREIGN = ("shequ02", "zhibu06", "wangge06", "yuanlin", "paichusuo")
"""A community, a branch, a worker and two units that this has nothing to do with."""
UNITS = ("zhifadui", "huanwei")
LATER = ("hecha", "quji")


def report_with_photo(town: Town) -> tuple[Person, str, str]:
    """The finder's report of an illegal structure, its photo on its way; answers finder, report id and case number."""
    finder, photo = town.person("wangge01"), picture("grey")
    named = {"id": "p1", "sha256": hashlib.sha256(photo).hexdigest(), "bytes": len(photo), "mime": "image/jpeg"}
    body = town.matter("wangge01", "0101", text="楼顶在加盖，联系人 13800138000", photos=[named])
    receipt = finder.send(body).raise_for_status().json()
    path = f"/api/v1/reports/{receipt['id']}/photos/p1"
    jpeg = {"content-type": "image/jpeg"}
    assert finder.intake.put(path, content=photo, headers=jpeg).status_code == 201
    assert finder.intake.put(path, content=photo, headers=jpeg).status_code == 200
    case_no = until("the report becomes a case", lambda: finder.receipt(receipt["id"])["case_no"])
    return finder, receipt["id"], case_no


def test_the_main_road(town: Town, city: City) -> None:
    finder, report_id, no = report_with_photo(town)
    branch, community = town.person("zhibu01"), town.person("shequ01")
    clerk, chief = town.person("shouli"), town.person("zhiban")
    lead, co = town.person("zhifadui"), town.person("huanwei")

    # 网格发现
    hidden = (*FOREIGN, *UNITS, *LATER)
    case = town.expect(no, "reported", "discovery", may={"zhibu01": {"call_up"}}, unseen_by=hidden)
    assert "13800138000" not in str(case["reports"])
    assert finder.receipt(report_id)["stage"] == "discovery"
    assert community.ask(no, "answer", case["version"], {}).status_code == 409
    assert lead.ask(no, "sign", case["version"], {}).status_code == 404

    # 社区呼叫
    branch.act(no, "call_up", reason="no_enforcement", note="需要执法")
    held = {"shequ01": {"answer", "accept"}}
    town.expect(no, "at_community", "community_call", may=held, unseen_by=hidden)
    community.act(no, "answer")
    town.expect(no, "at_community", "community_call", may={"shequ01": {"accept"}}, unseen_by=hidden)
    community.act(no, "call_up", reason="no_enforcement", note="上门劝过，不听")

    # 街道统筹
    held = {"shouli": {"answer", "file_dispatch"}, "zhiban": {"file"}}
    answered_first = town.person("zhiban").offers(no)
    assert "answer" in answered_first
    held["zhiban"] |= {"answer"}
    town.expect(no, "at_street", "coordination", may=held, unseen_by=hidden)
    clerk.act(no, "answer")
    held = {"shouli": {"file_dispatch"}, "zhiban": {"file"}}
    case = town.expect(no, "at_street", "coordination", may=held, unseen_by=hidden)
    proposed = {one["name"]: one["value"] for one in chief.offers(no)["file"]["inputs"]}
    assert (proposed["category"], proposed["condition"]) == ("0101", "0101.1")
    assert case["routing"]["lead"] == "zhifadui"
    chief.act(no, "file", condition="0101.1")
    held = {"shouli": {"dispatch"}, "zhiban": {"dispatch"}}
    town.expect(no, "filed", "coordination", may=held, unseen_by=hidden)
    clerk.act(no, "dispatch", lead_unit="zhifadui", co_units=["huanwei"])

    # 分级响应
    hidden = (*FOREIGN, *LATER)
    held = {"zhifadui": {"sign", "respond"}, "huanwei": {"co_done"}}
    case = town.expect(no, "dispatched", "response", may=held, unseen_by=hidden)
    assert (case["lead_unit"], case["co_units"]) == ("zhifadui", ["huanwei"])
    assert lead.queues_of(no)
    lead.act(no, "sign")
    town.expect(no, "dispatched", "response", may={**held, "zhifadui": {"respond"}}, unseen_by=hidden)
    lead.act(no, "respond", means="on_site")

    # 协同处置
    held = {"huanwei": {"co_done"}}
    case = town.expect(no, "handling", "disposal", may=held, unseen_by=hidden)
    early = lead.ask(no, "feedback", case["version"], {"note": "已拆", "close_condition_met": True})
    assert (early.status_code, early.json()["code"]) == (409, "co_tasks_open")
    co.act(no, "co_done", note="清运完毕")
    town.expect(no, "handling", "disposal", may={"zhifadui": {"feedback"}}, unseen_by=hidden)
    without = lead.ask(no, "feedback", lead.case(no)["version"], {"note": "已停工", "close_condition_met": True})
    assert (without.status_code, without.json()["code"]) == (422, "missing_input")
    unknown = {"note": "已停工", "close_condition_met": True, "evidence": ["never-sent"]}
    missing = lead.ask(no, "feedback", lead.case(no)["version"], unknown)
    assert (missing.status_code, missing.json()["code"]) == (422, "evidence_unknown")
    lead.act(no, "feedback", note="已停工", close_condition_met=True, evidence=[lead.show(no)])

    # 核查结案
    held = {login: {"verify_pass"} for login in ("wangge01", "zhibu01", "shequ01", "hecha")}
    case = town.expect(no, "fed_back", "closing", may=held, unseen_by=(*FOREIGN, "quji"))
    assert [one["person_name"] for one in case["tasks"] if one["kind"] == "verify"] == [finder.session["name"]]
    own = lead.ask(no, "verify_pass", case["version"], {"means": "on_site"})
    assert own.status_code in (403, 409)
    finder.act(no, "verify_pass", means="on_site", note="现场看过")

    # a case that the grid itself found needs no visit: the machine closes it
    case = chief.case(no)
    assert (case["state"], case["stage"], case["closed_as"]) == ("closed", "closing", "normal")
    facts_are_dense(case)
    assert kinds_of(case)[:-1] == [
        *("reported", "report_attached", "called", "answered", "called", "answered", "filed", "dispatched"),
        *("signed", "responded", "co_done", "fed_back", "verified"),
    ]
    last = case["timeline"][-1]
    assert (last["kind"], last["machine"], last["rule"]) == ("case.closed", True, "auto_close")
    walked = [one["stage"] for one in case["stages"] if one["entered_at"] and not one["skipped"]]
    assert walked == ["discovery", "community_call", "coordination", "response", "disposal", "closing"]
    assert all(one["sentence"] for one in case["clocks"])
    assert {one["state"] for one in case["clocks"]} == {"stopped"}

    # the finder's own view follows, and the city hears of the end
    seen = until("intake follows", lambda: (r := finder.receipt(report_id))["state"] == "closed" and r)
    assert seen["stage"] == "closing"
    (told,) = until("the city is told", lambda: city.of(no))
    assert (told.kind, told.data["closed_as"], told.data["lead_unit"]) == ("case.closed", "normal", "zhifadui")


def test_photos_and_evidence_are_for_those_who_see_the_case(town: Town) -> None:
    finder, _, no = report_with_photo(town)
    case = until("the photo is part of the case", lambda: (c := finder.case(no))["reports"][0]["photos"] and c)
    url = case["reports"][0]["photos"][0]["url"]
    for login in ("zhibu01", "shequ01", "shouli"):
        answer = town.person(login).dispatch.get(url)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg"), login
    for login in ("shequ02", "zhifadui"):
        assert town.person(login).dispatch.get(url).status_code == 404, login
    assert town.client("dispatch").get(url).status_code == 401


def test_a_phone_call_is_registered_for_somebody_else(town: Town) -> None:
    clerk = town.person("shouli")
    body = town.matter("wangge02", "0301", text="夜里施工吵", source="phone")
    sent = clerk.dispatch.post("/api/v1/intake/reports", json=body, headers={"idempotency-key": str(uuid4())})
    assert sent.status_code == 201, sent.text
    case_no = until("it becomes a case", lambda: _number(clerk, sent.json()["receipt_no"]))
    case = clerk.case(case_no)
    assert case["reports"][0]["receipt_no"] == sent.json()["receipt_no"]
    assert case["source"] == "phone"
    assert case["state"] == "reported"
    assert town.person("shequ01").look(case_no).status_code == 200
    assert town.person("shequ02").look(case_no).status_code == 404


def _number(clerk: Person, receipt_no: str) -> str | None:
    """As the console finds it: by the number on the receipt."""
    page = clerk.dispatch.get("/api/v1/cases", params={"q": receipt_no}).raise_for_status().json()
    return next((row["case_no"] for row in page["rows"]), None)


def test_deliveries_are_signed_retried_in_order_and_numbered(town: Town, city: City) -> None:
    chief, branch = town.person("zhiban"), town.person("zhibu01")
    no = town.report("wangge01", "0302")
    city.unwell = 2
    chief.act(no, "supervise", note="今天要有结果", until="2027-01-04T10:00:00+08:00")
    branch.act(no, "reply_supervision", note="正在处理")
    branch.act(no, "self_resolve_start")
    branch.act(no, "self_resolve_done", means="quan", note="已劝离")
    until("both are delivered", lambda: len(city.of(no)) >= 2)
    first, second = city.of(no)
    assert [first.kind, second.kind] == ["case.supervised", "case.closed"]
    tried = [one for one in city.attempts if one.data.get("case_no") == no]
    assert [one.answer for one in tried] == [503, 503, 204, 204]
    assert len({one.id for one in tried[:3]}) == 1, "a repeat keeps its id"
    for number, one in enumerate((first, second), 1):
        assert one.signed_with(city.secret)
        assert not one.signed_with("whsec_" + "A" * 32)
        assert (one.headers["ce-sequence"], one.data["sequence"]) == (str(number), number)
        assert one.headers["ce-type"] == one.kind
    assert first.data["case_sequence"] < second.data["case_sequence"]
    log = town.person("admin").dispatch.get("/api/v1/escalation/deliveries", params={"case_no": no})
    rows = log.raise_for_status().json()["items"]
    assert [(row["type"], row["state"]) for row in reversed(rows)] == [
        ("case.supervised", "delivered"),
        ("case.closed", "delivered"),
    ]
    assert [one["status"] for one in rows[-1]["history"]] == [503, 503, 204]
    assert town.person("wangge01").dispatch.get("/api/v1/escalation/deliveries").status_code == 403

"""Bad input over HTTP: the right answer in the caller's language, and nothing else changes."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.e2e.town import Person, Town, picture, until

TITLES = {
    "unknown_category": ("规则库中没有这个类别", "The rulebook has no such class"),
    "invalid_input": ("填写的内容有误", "Something you filled in is not right"),
    "idempotency_key_reused": ("同一提交编号已用于另一内容", "This key was used for other content"),
    "not_permitted": ("您的岗位不能这样办理", "Your post does not allow this"),
    "version_conflict": ("案件刚被他人更新", "Somebody was quicker"),
    "not_found": ("没有找到", "Not found"),
    "illegal_transition": ("当前状态不能这样办理", "Not possible in this state"),
}
LANGUAGES = ("zh-CN", "en-US")


def problem(answer: httpx.Response, status: int, code: str, lang: str = "zh-CN") -> dict[str, Any]:
    """The answer is this problem, in this language throughout."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-language"] == lang
    body: dict[str, Any] = answer.json()
    assert (body["code"], body["status"]) == (code, status)
    if code in TITLES:
        assert body["title"] == TITLES[code][LANGUAGES.index(lang)]
    for words in (body["title"], body.get("detail") or "", *(one["message"] for one in body.get("errors", []))):
        assert _in(lang, words), words
    return body


def _in(lang: str, words: str) -> bool:
    chinese = any("\u4e00" <= letter <= "\u9fff" for letter in words)
    return not words or chinese == (lang == "zh-CN")


def snapshot(town: Town, login: str = "wangge01") -> list[Any]:
    """What a person has reported, and what stands in the street's queues."""
    person, clerk = town.person(login), town.person("zhiban")
    counts = clerk.dispatch.get("/api/v1/queues").raise_for_status().json()["queues"]
    mine = person.intake.get("/api/v1/reports", params={"mine": "true", "limit": 200}).raise_for_status().json()
    return [len(mine["items"]), {one["id"]: one["open"] for one in counts}]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_reports_that_cannot_be_taken(town: Town, lang: str) -> None:
    person, before = town.person("wangge01"), snapshot(town)
    good = town.matter("wangge01", "0110")

    def send(**wrong: Any) -> httpx.Response:
        return person.send({**good, **wrong}, **{"accept-language": lang})

    kind = {"scheme": "GB/T 30428.2", "version": "2013", "code": "9999"}
    body = problem(send(category=kind), 422, "unknown_category", lang)
    assert [one["field"] for one in body["errors"]] == ["category"]
    types = send(text=5, danger="maybe", position={"lng": "x", "lat": 1}, photos={})
    body = problem(types, 422, "invalid_input", lang)
    assert {one["field"].split(".")[0] for one in body["errors"]} == {"text", "danger", "position", "photos"}
    problem(send(position={"cell": "000000000000000"}), 422, "unknown_cell", lang)
    problem(send(position={"lng": 0, "lat": 0}), 422, "position_impossible", lang)
    problem(send(position={"lng": 181, "lat": 23.6}), 422, "invalid_input", lang)
    problem(send(occurred_at="2099-01-01T00:00:00+08:00"), 422, "in_the_future", lang)
    problem(send(occurred_at="2026-01-01T00:00:00"), 422, "invalid_input", lang)
    problem(send(surprise=1), 422, "invalid_input", lang)
    problem(send(text="长" * 3_500_000), 422, "invalid_input", lang)
    problem(send(text="long" * 4_000_000), 413, "body_too_large", lang)
    broken = {"idempotency-key": str(uuid4()), "content-type": "application/json", "accept-language": lang}
    body = problem(
        person.intake.post("/api/v1/reports", content=b'{"text":', headers=broken), 422, "invalid_input", lang
    )
    assert [one["field"] for one in body["errors"]] == ["body"]
    no_key = person.intake.post("/api/v1/reports", json=good, headers={"accept-language": lang})
    problem(no_key, 422, "idempotency_key_required", lang)
    assert snapshot(town) == before


def test_more_text_than_a_body_may_hold_without_saying_how_much(town: Town) -> None:
    """In pieces, their length not announced."""
    person, before = town.person("wangge01"), snapshot(town)
    body = town.matter("wangge01", "0110")
    body["text"] = body.pop("text")  # the last member

    def pieces() -> Any:
        yield json.dumps(body)[:-2].encode()
        for _ in range(15):
            yield b"x" * 1_000_000
        yield b'"}'

    headers = {"idempotency-key": str(uuid4()), "content-type": "application/json"}
    problem(person.intake.post("/api/v1/reports", content=pieces(), headers=headers), 413, "body_too_large")
    assert snapshot(town) == before


def test_a_position_outside_the_street_is_kept_and_flagged(town: Town) -> None:
    person = town.person("wangge01")
    beyond = {"lng": 113.30, "lat": 23.69, "crs": "wgs84", "accuracy_m": 5}
    receipt = person.send(town.matter("wangge01", "0110", position=beyond)).raise_for_status().json()
    assert (receipt["cross_border"], receipt["cell"]) == (True, None)
    no = until("it becomes a case", lambda: person.receipt(receipt["id"])["case_no"])
    clerk = town.person("shouli")
    case = clerk.case(no)
    assert (case["place"]["lng"], case["place"]["lat"], case["cell"]) == (113.3, 23.69, None)
    assert "cross_border" in clerk.queues_of(no)
    assert case["state"] == "at_street", "no branch and no community can be asked"
    clerk.act(no, "reclassify", reason="wrong_place", cell=town.cell_of("wangge01"))
    put_right = clerk.case(no)
    assert (put_right["cell"], put_right["place"]["cell"]) == (town.cell_of("wangge01"), town.cell_of("wangge01"))
    assert put_right["place"]["cell_name"]
    assert "cross_border" not in put_right["flags"]
    assert "cross_border" not in clerk.queues_of(no)


def test_the_same_key_again(town: Town) -> None:
    person, key = town.person("wangge01"), str(uuid4())
    body = town.matter("wangge01", "0302")
    first = person.send(body, key)
    before = snapshot(town)
    again = person.send(body, key)
    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    for lang in LANGUAGES:
        other = person.send({**body, "text": "换了内容"}, key, **{"accept-language": lang})
        problem(other, 422, "idempotency_key_reused", lang)
    assert snapshot(town)[0] == before[0]
    elsewhere = town.person("wangge02").send(town.matter("wangge02", "0302"), key)
    assert elsewhere.status_code == 201, "keys belong to the caller"
    assert elsewhere.json()["id"] != first.json()["id"]


def test_a_broken_photo(town: Town) -> None:
    finder = town.person("wangge01")
    photo = b"\xff\xd8\xff\xe0" + b"no picture" * 50
    named = {"id": "p1", "sha256": hashlib.sha256(photo).hexdigest(), "bytes": len(photo), "mime": "image/jpeg"}
    receipt = finder.send(town.matter("wangge01", "0302", photos=[named])).raise_for_status().json()
    path = f"/api/v1/reports/{receipt['id']}/photos/p1"
    headers = {"content-type": "image/jpeg"}
    for lang in LANGUAGES:
        answer = finder.intake.put(path, content=photo, headers={**headers, "accept-language": lang})
        problem(answer, 422, "broken_image", lang)
    wrong = bytes(len(photo))
    answer = finder.intake.put(path, content=wrong, headers=headers)
    assert answer.status_code in (409, 422)
    foreign = town.person("wangge02").intake.put(path, content=photo, headers=headers)
    problem(foreign, 404, foreign.json()["code"])
    no = until("the report becomes a case all the same", lambda: finder.receipt(receipt["id"])["case_no"])
    assert not finder.receipt(receipt["id"])["photos"][0]["stored"]

    branch = town.person("zhibu01")
    evidence = f"/api/v1/cases/{no}/evidence/e1"
    for lang in LANGUAGES:
        answer = branch.dispatch.put(evidence, content=photo, headers={**headers, "accept-language": lang})
        problem(answer, 422, "broken_image", lang)
    drawing = b"GIF89a" + bytes(200)
    problem(branch.dispatch.put(evidence, content=drawing, headers=headers), 415, "unsupported_media")
    assert branch.dispatch.get(evidence).status_code == 404
    assert branch.dispatch.put(evidence, content=picture(), headers=headers).status_code == 200
    other = branch.dispatch.put(evidence, content=picture("blue"), headers=headers)
    problem(other, 409, "photo_conflict")
    assert branch.case(no)["sequence"] == 1


@pytest.mark.parametrize("lang", LANGUAGES)
def test_actions_that_are_not_possible(town: Town, lang: str) -> None:
    no = town.report("wangge01", "0302")
    branch, community, chief = (town.person(login) for login in ("zhibu01", "shequ01", "zhiban"))
    before = branch.case(no)

    def ask(person: Person, action: str, **inputs: Any) -> httpx.Response:
        return person.ask(no, action, before["version"], inputs, **{"accept-language": lang})

    body = problem(ask(chief, "file", condition="0302.1"), 409, "illegal_transition", lang)
    assert (body["state"], body["action"]) == ("reported", "file")
    assert set(body["allowed"]) == set(chief.offers(no))
    assert "已上报" in body["detail"] or "reported" in body["detail"].lower()
    problem(ask(community, "self_resolve_start"), 403, "not_permitted", lang)
    problem(ask(town.person("shequ02"), "call_up", reason="recurring"), 404, "not_found", lang)
    problem(ask(branch, "dance"), 422, "invalid_input", lang)
    body = problem(ask(branch, "call_up", reason="because"), 422, "invalid_input", lang)
    assert [one["field"] for one in body["errors"]] == ["reason"]
    problem(ask(branch, "call_up"), 422, "missing_input", lang)
    problem(ask(branch, "call_up", reason=7), 422, "invalid_input", lang)
    problem(ask(branch, "reclassify", reason="wrong_class", category="9999"), 422, "unknown_category", lang)
    path, given = f"/api/v1/cases/{no}/actions/call_up", {"reason": "recurring"}
    bare = branch.dispatch.post(path, json=given, headers={"accept-language": lang})
    problem(bare, 428, "if_match_required", lang)
    odd = branch.dispatch.post(path, json=given, headers={"accept-language": lang, "if-match": "newest"})
    problem(odd, 422, "invalid_input", lang)
    nobody = town.client("dispatch").post(path, json=given, headers={"accept-language": lang, "if-match": '"1"'})
    problem(nobody, 401, "not_signed_in", lang)
    elsewhere = {"origin": "http://evil.example", "if-match": '"1"', "accept-language": lang}
    assert branch.dispatch.post(path, json=given, headers=elsewhere).status_code == 403
    after = branch.case(no)
    passing = {"stages": (), "clocks": ()}  # these count time
    assert {**after, **passing} == {**before, **passing}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_case_that_has_moved_on_says_who_did_what(town: Town, lang: str) -> None:
    no = town.report("wangge01", "0302")
    branch, community = town.person("zhibu01"), town.person("shequ01")
    seen = branch.case(no)["version"]
    branch.act(no, "call_up", reason="recurring")
    moved = branch.case(no)
    late = branch.ask(no, "self_resolve_start", seen, {}, **{"accept-language": lang})
    body = problem(late, 409, "version_conflict", lang)
    assert (body["version"], body["by_name"], body["at"]) == (
        moved["version"],
        branch.session["name"],
        moved["timeline"][-1]["at"],
    )
    for words in (body["action"], body["by_post"]):
        assert words
        assert _in(lang, words)
    problem(community.ask(no, "answer", seen, {}, **{"accept-language": lang}), 409, "version_conflict", lang)
    assert branch.case(no)["sequence"] == moved["sequence"]
    community.act(no, "answer")


def test_the_same_act_twice_is_one_act(town: Town) -> None:
    no = town.report("wangge01", "0302")
    branch, key = town.person("zhibu01"), str(uuid4())
    version = branch.case(no)["version"]
    answers = [
        branch.ask(no, "call_up", version, {"reason": "recurring"}, **{"idempotency-key": key}) for _ in range(2)
    ]
    assert [one.status_code for one in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    assert branch.case(no)["sequence"] == 2

"""What each dialect writes, how it proves itself, what it takes for accepted, and how it hears call-backs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from standardwebhooks.webhooks import Webhook

from schemas.envelope import Envelope
from schemas.events.case import CaseFactV1
from schemas.registry import decode
from schemas.webhook_bodies import hook_body, hook_of, ping_body
from schemas.webhooks import KINDS
from services.chassis.coordinates import Crs, metres_between, to_wgs84
from services.chassis.signing import encode_secret, sign
from services.escalation.dialects.base import (
    Auth,
    Heard,
    Incoming,
    Link,
    Message,
    NotGenuineError,
    Ping,
    Sender,
    Told,
    UnreadableError,
    Verdict,
)
from services.escalation.dialects.city_form import CityForm, city_form, digest
from services.escalation.dialects.known import dialect, dialects
from services.escalation.dialects.native import Native
from services.governance.cycle import Flag, Intent, State

EXAMPLES = Path(__file__).parents[4] / "schemas" / "examples"
OURS = Path(__file__).parents[4] / "services" / "escalation" / "dialects" / "examples"
NOW = datetime(2026, 3, 6, 1, 0, tzinfo=UTC)
SECRET = b"agreed-upon-with-the-platform-32"
NAMES = {
    "441802001": "凤城街道",
    "441802001001": "桥北社区",
    "44180200100101": "桥北社区第一网格",
    "zhifadui": "综合行政执法队",
    "grid_worker": "网格员上报",
}


def event(kind: str = "case.fed_back", **standing: object) -> Envelope[CaseFactV1]:
    stored = json.loads((EXAMPLES / kind / "v1" / "plain.json").read_text("utf-8"))
    headers = {key: value.encode() for key, value in stored["headers"].items()}
    env = decode(headers, json.dumps(stored["data"]).encode())
    assert isinstance(env.data, CaseFactV1)
    body = env.data.model_copy(update={"standing": env.data.standing.model_copy(update=standing)})
    return replace(env, data=body)  # type: ignore[return-value, arg-type, type-var] # an envelope of a fact


def told(kind: str = "case.fed_back", *, partner: str | None = None, crs: Crs = Crs.WGS84, **standing: object) -> Told:
    fact = event(kind, **standing)
    hook = hook_of(fact.type, fact.data)
    assert hook is not None
    numbers = (("platform", "QP-77"), ("hotline", "GD-1"), ("hotline", "GD-2"))
    return Told(
        event=fact,
        kind=hook,
        number=3,
        hook=hook_body(fact, hook, sequence=3, category_name="暴露垃圾", numbers=numbers),
        numbers=numbers,
        partner=partner,
        crs=crs,
        category_name="暴露垃圾",
        category_codes=(("GB/T 30428.2", "0110"), ("CJ/T 214", "0210")),
        names=NAMES,
    )


def sender(auth: Auth, *, links: tuple[Link, ...] = ()) -> Sender:
    def signed(body: bytes) -> Mapping[str, str]:
        return sign([SECRET], "msg_1", datetime.now(UTC), body)

    return Sender("msg_1", NOW, auth, (SECRET,), signed, "street-1", links)


def fields(message: Message) -> dict[str, str]:
    return dict(parse_qsl(message.body.decode(), strict_parsing=True))


# --- what is written --------------------------------------------------------------------------------------------------
def test_the_record_of_a_case() -> None:
    record = fields(city_form().write(told(partner="hotline")))
    standing = event().data.standing
    assert (record["taskNum"], record["otherTaskNums"], record["sourceNum"]) == ("GD-1", "GD-2", standing.case_no)
    assert (record["eventState"], record["eventStateName"]) == ("105", "待核查")
    assert (record["mainType"], record["subType"], record["subTypeName"]) == ("02", "0210", "暴露垃圾")
    assert (record["street"], record["streetName"]) == ("441802001", "凤城街道")
    assert record["communityName"] == "桥北社区"
    assert record["createTime"] == standing.opened_at.astimezone(UTC).astimezone(standing.opened_at.tzinfo).strftime(
        "%Y-%m-%d %H:%M:%S"
    )
    assert record["sequence"] == "3"
    assert "reporter" not in record


def test_a_case_that_they_do_not_know_goes_under_our_number() -> None:
    case_no = event().data.standing.case_no
    assert fields(city_form().write(told(partner="other")))["taskNum"] == case_no


@pytest.mark.parametrize("crs", list(Crs))
def test_the_pin_is_in_the_receivers_datum(crs: Crs) -> None:
    spot = event().data.standing.spot
    assert spot.lng is not None
    assert spot.lat is not None
    record = fields(city_form().write(told(crs=crs)))
    back = to_wgs84(float(record["longitude"]), float(record["latitude"]), Crs(record["crs"]))
    assert metres_between(*back, spot.lng, spot.lat) < 0.5
    where = json.loads(Native().write(told(crs=crs)).body)["data"]["location"]
    back = to_wgs84(where["lon"], where["lat"], crs)
    assert metres_between(*back, spot.lng, spot.lat) < 0.5
    assert where["crs"] == {"wgs84": "WGS-84", "gcj02": "GCJ-02", "bd09": "BD-09", "cgcs2000": "CGCS2000"}[crs]


@pytest.mark.parametrize("name", sorted(dialects()))
def test_of_a_restricted_case_only_class_and_community_leave(name: str) -> None:
    written = dialect(name).write(told(restricted=True)).body.decode()
    spot = event().data.standing.spot
    shown = written if name == "cloudevents" else json.dumps(fields(Message({}, written.encode())))
    for secret in (spot.cell, spot.grid, str(spot.lng)[:7], "zhifadui", "address", "latitude"):
        assert f'"{secret}"' not in shown, secret
    assert str(spot.community) in shown


def test_every_kind_and_state_has_a_code() -> None:
    """So that no fact is without words in their scheme."""
    crosswalk = city_form().crosswalk
    for state in State:
        for kind in KINDS:
            fact = event(state=state).data
            assert crosswalk.code_for(kind, fact).code


@pytest.mark.parametrize(
    ("kind", "standing", "intent", "code"),
    [
        ("case.signed", {"state": State.DISPATCHED, "flags": (Flag.SIGNED,)}, None, "108"),
        ("case.overdue", {"state": State.DISPATCHED, "flags": ()}, None, "114"),
        ("case.return_requested", {"state": State.FILED}, None, "115"),
        ("case.extension_requested", {"state": State.HANDLING}, None, "142"),
        ("case.fed_back", {"state": State.FED_BACK}, None, "105"),
        ("case.closed", {"state": State.CLOSED}, None, "107"),
        ("case.reopened", {"state": State.HANDLING}, None, "120"),
        ("case.escalated", {"state": State.AT_DISTRICT}, Intent.WHISTLE, "124"),
        ("case.escalated", {"state": State.HANDLING}, Intent.NOTICE, "104"),
        ("case.overdue", {"state": State.DISTRICT_HANDLING}, None, "123"),
        ("case.overdue", {"state": State.DISPUTED}, None, "115"),
    ],
)
def test_the_crosswalk_out(kind: str, standing: Mapping[str, Any], intent: Intent | None, code: str) -> None:
    fact = event(**standing).data.model_copy(update={"intent": intent})
    assert city_form().crosswalk.code_for(kind, fact).code == code


# --- proof ------------------------------------------------------------------------------------------------------------
def test_app_key_time_and_digest_cover_every_field() -> None:
    spoken = city_form()
    sent = fields(spoken.send_off(spoken.write(told()), sender(Auth.APP_KEY)))
    assert (sent["appKey"], sent["time"]) == ("street-1", str(int(NOW.timestamp() * 1000)))
    assert sent["digest"] == digest(SECRET, sent)
    for name in sent:
        if name != "digest":
            assert digest(SECRET, {**sent, name: f"{sent[name]}x"}) != sent["digest"], name


@pytest.mark.parametrize("name", sorted(dialects()))
def test_the_public_library_signs_alike(name: str) -> None:
    spoken = dialect(name)
    message = spoken.send_off(spoken.write(told()), sender(Auth.STANDARD_WEBHOOKS))
    at = datetime.fromtimestamp(int(message.headers["webhook-timestamp"]), UTC)
    theirs = Webhook(encode_secret(SECRET)).sign(message.headers["webhook-id"], at, message.body.decode())
    assert message.headers["webhook-signature"] == theirs


@pytest.mark.parametrize("name", sorted(dialects()))
def test_a_static_token_goes_in_the_header(name: str) -> None:
    spoken = dialect(name)
    message = spoken.send_off(spoken.ping(Ping("e", "test:1", NOW, ping_body("w", NOW))), sender(Auth.STATIC_TOKEN))
    assert message.headers["authorization"] == f"Bearer {SECRET.decode()}"
    assert message.headers["webhook-id"] == "msg_1"


def test_links_to_pictures_belong_to_one_attempt() -> None:
    spoken, written = city_form(), city_form().write(told())
    link = Link("1.jpg", "https://street.example/p/1", NOW + timedelta(hours=1))
    assert "attachments" not in fields(written)
    sent = fields(spoken.send_off(written, sender(Auth.APP_KEY, links=(link,))))
    assert json.loads(sent["attachments"]) == [
        {"fileName": "1.jpg", "url": "https://street.example/p/1", "validUntil": "2026-03-06 10:00:00"}
    ]


# --- what is accepted -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("status", "reply", "wanted"),
    [
        (200, '{"code": 0, "data": {"taskNum": "T-9"}}', Verdict(their_number="T-9")),
        (200, '{"code": "200"}', Verdict()),
        (200, '{"code": "1001", "msg": "重复"}', Verdict()),
        (200, '{"code": 5001, "msg": "签名错误"}', Verdict("code_5001")),
        (200, '{"code": 0, "success": false}', Verdict("code_0")),
        (200, '{"code": true}', Verdict("answer_unreadable")),
        (200, "<html>502 Bad Gateway</html>", Verdict("answer_unreadable")),
        (200, "[]", Verdict("answer_unreadable")),
        (200, "[" * 60_000, Verdict("answer_unreadable")),
        (200, "", Verdict("answer_unreadable")),
        (503, '{"code": 0}', Verdict("status_503")),
        (302, '{"code": 0}', Verdict("status_302")),
    ],
)
def test_the_code_inside_the_answer_decides(status: int, reply: str, wanted: Verdict) -> None:
    assert city_form().verdict(status, reply) == wanted


@pytest.mark.parametrize(
    ("status", "reply", "wanted"),
    [
        (204, "", Verdict()),
        (200, '{"platform_id": "P-1"}', Verdict(their_number="P-1")),
        (200, '{"platform_id": 7}', Verdict()),
        (500, "", Verdict("status_500")),
    ],
)
def test_a_native_receiver_says_it_by_its_status(status: int, reply: str, wanted: Verdict) -> None:
    assert Native().verdict(status, reply) == wanted


# --- call-backs -------------------------------------------------------------------------------------------------------
def call_back(auth: Auth = Auth.APP_KEY, **changes: str) -> Incoming:
    given = {
        "taskNum": "GD-1",
        "eventState": "118",
        "disposeUnitName": "区城管局",
        "limitTime": "2026-03-07 18:00:00",
        "operateTime": "2026-03-06 08:59:00",
        "msgId": "m1",
        "appKey": "street-1",
        "time": str(int(NOW.timestamp() * 1000)),
    }
    given |= {name: value for name, value in changes.items() if name != "digest"}
    given["digest"] = changes.get("digest") or digest(SECRET, given)
    return Incoming({}, urlencode(given).encode(), auth, (SECRET,), NOW, "street-1")


def test_an_accepted_whistle_is_heard() -> None:
    heard = city_form().hear(call_back())
    assert (heard.outcome, heard.number, heard.unit, heard.message_id) == ("accepted", "GD-1", "区城管局", "m1")
    assert heard.word == "118 已应哨"
    assert heard.eta == datetime(2026, 3, 7, 10, 0, tzinfo=UTC)
    assert not {"appKey", "time", "digest"} & set(heard.raw)


@pytest.mark.parametrize(
    ("code", "outcome", "quiet"),
    [
        ("115", "returned", False),
        ("158", "returned", False),
        ("105", "disposed", False),
        ("128", "disposed", False),
        ("107", "closed", False),
        ("104", None, True),
        ("131", None, True),
        ("160", None, False),
        ("999", None, False),
    ],
)
def test_the_crosswalk_in(code: str, outcome: str | None, quiet: bool) -> None:
    heard = city_form().hear(call_back(eventState=code))
    assert (heard.outcome, heard.quiet) == (outcome, quiet)


@pytest.mark.parametrize(
    "changes",
    [
        {"digest": "0" * 64},
        {"appKey": "somebody-else"},
        {"time": str(int((NOW - timedelta(minutes=6)).timestamp() * 1000))},
        {"time": "yesterday"},
        {"time": "-1"},
        {"digest": "é"},
    ],
)
def test_a_call_back_that_does_not_prove_itself_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(NotGenuineError):
        city_form().hear(call_back(**changes))


def test_a_token_is_compared_whole() -> None:
    good = replace(call_back(Auth.STATIC_TOKEN), headers={"authorization": f"Bearer {SECRET.decode()}"})
    assert isinstance(city_form().hear(good), Heard)
    for header in ("", "Bearer ", f"Bearer {SECRET.decode()}x", f"Basic {SECRET.decode()}"):
        with pytest.raises(NotGenuineError):
            city_form().hear(replace(good, headers={"authorization": header}))


@pytest.mark.parametrize(
    "body", [b"\xff\xfe", b"no form", b"eventState=118&eventState=107", b"eventState=%00", b"taskNum=1"]
)
def test_what_is_no_form_is_told_so(body: bytes) -> None:
    given = Incoming({"authorization": f"Bearer {SECRET.decode()}"}, body, Auth.STATIC_TOKEN, (SECRET,), NOW)
    with pytest.raises(UnreadableError):
        city_form().hear(given)


def test_without_an_id_the_same_words_count_once() -> None:
    first = city_form().hear(call_back(msgId=""))
    later = city_form().hear(call_back(msgId="", time=str(int(NOW.timestamp() * 1000) + 5)))
    other = city_form().hear(call_back(msgId="", eventState="107"))
    assert first.message_id == later.message_id != other.message_id


# --- one class and one example ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", sorted(dialects()))
def test_the_example_is_what_the_dialect_writes(name: str) -> None:
    """An integrator builds on it; it is made by the class, so it cannot say something else."""
    spoken = dialect(name)
    usual = spoken.auths[0]
    fixed = replace(sender(usual), sign=lambda body: sign([SECRET], "msg_1", NOW, body))
    message = spoken.send_off(spoken.write(told(partner="hotline", crs=Crs.GCJ02)), fixed)
    body: object = json.loads(message.body) if name == "cloudevents" else fields(message)
    wanted = {"secret": SECRET.decode(), "headers": dict(message.headers), "body": body}
    assert json.loads((OURS / f"{name}.json").read_text("utf-8")) == wanted


@pytest.mark.parametrize("name", sorted(dialects()))
def test_a_message_is_known_for_its_dialects_alone(name: str) -> None:
    body = ping_body("e", NOW)
    for message in (dialect(name).write(told()), dialect(name).ping(Ping("1", "test:1", NOW, body))):
        assert [other for other, spoken in dialects().items() if spoken.wrote(message)] == [name]


def test_every_dialect_names_what_it_can_prove_itself_by() -> None:
    for name, spoken in dialects().items():
        assert spoken.name == name
        assert spoken.auths
        assert isinstance(spoken, CityForm | Native)


def test_a_native_message_shows_where_its_pictures_are() -> None:
    link = Link("1.jpg", "https://street.example/p/1", NOW + timedelta(hours=1))
    message = Native().send_off(Native().write(told()), sender(Auth.STANDARD_WEBHOOKS, links=(link,)))
    assert json.loads(message.body)["data"]["attachments"] == [
        {"name": "1.jpg", "url": "https://street.example/p/1", "valid_until": "2026-03-06T02:00:00+00:00"}
    ]
    Webhook(encode_secret(SECRET)).verify(message.body, dict(message.headers))  # type: ignore[no-untyped-call]

"""A 数字城管 platform's record: a form with its own codes and local times, answered by a code inside a 200.

Who signs with appKey, time and digest signs every field: the digest is the hex HMAC-SHA256, under the key agreed on, of
all other fields as `name=value`, sorted by name and joined by `&`. Words that people typed never leave, so the record
is described by class and place.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import parse_qsl, urlencode

import orjson

from schemas.events.case import StandingV1
from services.chassis.clock import LOCAL
from services.chassis.coordinates import from_wgs84
from services.escalation.dialects.base import (
    TOLERANCE_S,
    Auth,
    Became,
    Dialect,
    Heard,
    Incoming,
    Message,
    NotGenuineError,
    Ping,
    Sender,
    Told,
    UnreadableError,
    Verdict,
    bearer,
    check_bearer,
    check_signature,
)
from services.escalation.dialects.crosswalk import Crosswalk, read_crosswalk

WORDS: Final = Path(__file__).with_name("city_form.toml")
FORM: Final = "application/x-www-form-urlencoded; charset=utf-8"
TIME: Final = "%Y-%m-%d %H:%M:%S"
MOST_FIELDS: Final = 100
_THEIR_SCHEME: Final = "CJ/T 214"
_LONGEST: Final = 128


@dataclass(frozen=True, slots=True)
class CityForm(Dialect):
    """The form-encoded record."""

    crosswalk: Crosswalk

    name: ClassVar[str] = "city_form"
    content_type: ClassVar[str] = FORM
    auths: ClassVar[tuple[Auth, ...]] = (Auth.APP_KEY, Auth.STATIC_TOKEN, Auth.STANDARD_WEBHOOKS)

    def write(self, told: Told) -> Message:
        fact = told.event.data
        code = self.crosswalk.code_for(told.kind, fact)
        numbers = [number for system, number in told.numbers if told.partner in (None, system)]
        fields = {
            "taskNum": numbers[0] if numbers else fact.standing.case_no,
            "sourceNum": fact.standing.case_no,
            "otherTaskNums": ",".join(numbers[1:]),
            "eventState": code.code,
            "eventStateName": code.word,
            "operateTime": local(told.event.time),
            "sequence": str(told.number),
            **_class(told),
            **_where(told),
        }
        if not fact.standing.restricted:
            fields |= self._open(told, fact.standing)
        return Message({"content-type": FORM}, _form(fields))

    def ping(self, ping: Ping) -> Message:
        fields = {"taskNum": ping.subject, "recType": "test", "eventDesc": "连通测试", "operateTime": local(ping.at)}
        return Message({"content-type": FORM}, _form(fields))

    def send_off(self, message: Message, sender: Sender) -> Message:
        fields = {**dict(parse_qsl(message.body.decode(), strict_parsing=True)), "msgId": sender.message_id}
        if sender.links:
            shown = [{"fileName": link.name, "url": link.url, "validUntil": local(link.until)} for link in sender.links]
            fields["attachments"] = json.dumps(shown, ensure_ascii=False)
        if sender.auth is Auth.APP_KEY:
            fields |= {"appKey": sender.app_key, "time": str(int(sender.at.timestamp() * 1000))}
            fields["digest"] = digest(sender.secrets[0], fields)
        body = _form(fields)
        headers = {"webhook-id": sender.message_id}
        if sender.auth is Auth.STATIC_TOKEN:
            headers |= bearer(sender)
        elif sender.auth is Auth.STANDARD_WEBHOOKS:
            headers |= sender.sign(body)
        return Message({**message.headers, **headers}, body)

    def verdict(self, status: int, reply: str) -> Verdict:
        """The code inside decides, and there must be one: a page of a proxy in between is no answer of theirs."""
        if not 200 <= status < 300:
            return Verdict(f"status_{status}")
        try:
            told = orjson.loads(reply)  # unlike json, it refuses what is nested without end
        except ValueError:
            return Verdict("answer_unreadable")
        rules = self.crosswalk.answers
        code = next((told[name] for name in rules.code if name in told), None) if isinstance(told, dict) else None
        if not isinstance(code, str | int) or isinstance(code, bool):
            return Verdict("answer_unreadable")
        if told.get("success") is False or str(code) not in rules.accepted | rules.known:
            return Verdict(f"code_{str(code)[:32]}")
        inside = told.get("data")
        return Verdict(their_number=_number(inside, rules.their_number) if isinstance(inside, dict) else None)

    def hear(self, incoming: Incoming) -> Heard:
        if incoming.auth is Auth.STANDARD_WEBHOOKS:
            check_signature(incoming)
        fields = _fields(incoming.body)
        if incoming.auth is Auth.STATIC_TOKEN:
            check_bearer(incoming)
        elif incoming.auth is Auth.APP_KEY:
            _check_digest(fields, incoming)
        state = fields.get("eventState", "")
        if not state:
            raise UnreadableError("eventState", "missing")
        code = self.crosswalk.named(state)
        return Heard(
            message_id=_message_id(fields, incoming),
            word=state if code is None else f"{state} {code.word}",
            at=_moment(fields, "operateTime") or incoming.now,
            raw={name: value for name, value in fields.items() if name not in ("appKey", "time", "digest")},
            outcome=None if code is None else code.outcome,
            quiet=code is not None and code.heard == "progress",
            case_no=fields.get("sourceNum") or None,
            number=fields.get("taskNum") or None,
            their_number=fields.get("taskNum") or None,
            unit=fields.get("disposeUnitName") or fields.get("disposeUnit") or None,
            eta=_moment(fields, "limitTime"),
            ground=fields.get("opinion", ""),
        )

    def reply(self, became: Became) -> Mapping[str, str]:
        """Their own kind of answer: 0 says that it is here and need not come again."""
        return {"code": "0", "message": became.code or became.answer or became.result}

    def _open(self, told: Told, standing: StandingV1) -> dict[str, str]:
        """What is said of a case that is not restricted."""
        unit = standing.lead_unit or ""
        return {
            "eventSrc": standing.source,
            "eventSrcName": told.names.get(standing.source, standing.source),
            "recType": self.crosswalk.natures.get(standing.nature, standing.nature),
            "eventDesc": "，".join(part for part in (told.category_name, _address(told)) if part),
            "address": _address(told),
            "createTime": local(standing.opened_at),
            "archiveTime": local(standing.closed_at) if standing.closed_at is not None else "",
            "disposeUnit": unit,
            "disposeUnitName": told.names.get(unit, ""),
            "reportPatrol": told.names.get(standing.source, standing.source),
        }


def city_form() -> CityForm:
    """The dialect with the words of its file."""
    return CityForm(read_crosswalk(WORDS))


def local(moment: datetime) -> str:
    """Shanghai time without a zone, as the record wants it."""
    return moment.astimezone(LOCAL).strftime(TIME)


def digest(secret: bytes, fields: Mapping[str, str]) -> str:
    """The hex HMAC-SHA256 of all fields but the digest itself."""
    signed = "&".join(f"{name}={fields[name]}" for name in sorted(fields) if name != "digest")
    return hmac.new(secret, signed.encode(), hashlib.sha256).hexdigest()


def _form(fields: Mapping[str, str]) -> bytes:
    """Empty fields are left out: a form that is read back has none."""
    return urlencode({name: value for name, value in fields.items() if value}).encode()


def _fields(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:  # a wrong encoding is one as well
        raise UnreadableError("body", "not a form") from error
    fields = dict(pairs)
    if len(fields) != len(pairs) or any("\x00" in name or "\x00" in value for name, value in pairs):
        raise UnreadableError("body", "a field twice, or one that cannot be kept")
    return fields


def _class(told: Told) -> dict[str, str]:
    """The class by the platform's own scheme where the rulebook names it, and whether it is an event or a part."""
    codes = dict(reversed(told.category_codes))  # the first of a scheme counts
    ours = told.category_codes[0][1] if told.category_codes else ""
    code = codes.get(_THEIR_SCHEME, ours)
    return {
        "eventType": "" if not code else "部件" if code.startswith("P") else "事件",
        "mainType": code.removeprefix("P")[:2],
        "subType": code,
        "subTypeName": told.category_name,
    }


def _where(told: Told) -> dict[str, str]:
    """Areas with their names and the pin in the platform's datum; of a restricted case the community alone."""
    spot, restricted = told.event.data.standing.spot, told.event.data.standing.restricted
    areas = {"community": spot.community or ""}
    if not restricted:
        areas |= {
            "district": spot.street[:6],
            "street": spot.street,
            "dutyGrid": spot.grid or "",
            "cell": spot.cell or "",
        }
    fields = {name: code for name, code in areas.items() if code}
    fields |= {f"{name}Name": told.names.get(code, "") for name, code in fields.items()}
    if restricted or spot.lng is None or spot.lat is None:
        return fields
    lng, lat = from_wgs84(spot.lng, spot.lat, told.crs)
    return {**fields, "longitude": f"{lng:.6f}", "latitude": f"{lat:.6f}", "crs": told.crs.value}


def _address(told: Told) -> str:
    """By the names of the areas; a grid's often begins with its community's."""
    spot = told.event.data.standing.spot
    words = ""
    for code in (spot.grid, spot.community, spot.street):
        name = told.names.get(code or "", "")
        words = words if words.startswith(name) else name + words
    return words


def _number(inside: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    found = next((inside[name] for name in names if name in inside), None)
    return found if isinstance(found, str) and 0 < len(found) <= _LONGEST and found.isprintable() else None


def _message_id(fields: Mapping[str, str], incoming: Incoming) -> str:
    """Theirs, or what the fields say: the same words of the same moment are the same message."""
    given = fields.get("msgId") or incoming.headers.get("webhook-id", "")
    if given:
        return given
    stable = sorted((name, value) for name, value in fields.items() if name not in ("time", "digest"))
    return f"sha256_{hashlib.sha256(json.dumps(stable, ensure_ascii=False).encode()).hexdigest()}"


def _moment(fields: Mapping[str, str], name: str) -> datetime | None:
    told = fields.get(name, "")
    if not told:
        return None
    try:
        return datetime.strptime(told, TIME).replace(tzinfo=LOCAL)
    except ValueError as error:
        raise UnreadableError(name, "not a time as yyyy-MM-dd HH:mm:ss") from error


def _check_digest(fields: Mapping[str, str], incoming: Incoming) -> None:
    sent = fields.get("time", "")
    if not hmac.compare_digest(fields.get("appKey", "").encode(), incoming.app_key.encode()):
        raise NotGenuineError("appKey is not the one agreed on")
    if not sent.isascii() or not sent.isdigit() or len(sent) > 15:
        raise NotGenuineError("time is no number of milliseconds")
    if abs(incoming.now.timestamp() - int(sent) / 1000) > TOLERANCE_S:
        raise NotGenuineError("time is more than five minutes off")
    given = fields.get("digest", "").lower().encode()
    if not any(hmac.compare_digest(given, digest(secret, fields).encode()) for secret in incoming.secrets):
        raise NotGenuineError("the digest does not fit")

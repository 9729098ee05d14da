"""The native dialect: the hook as JSON, CloudEvents attributes beside it, signed after Standard Webhooks."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, get_args

import orjson
from pydantic import ValidationError

from schemas.api.escalation import PlatformDataIn, PlatformEventIn
from schemas.webhooks import HookDataV1, HookV1
from services.chassis.coordinates import Crs, from_wgs84
from services.escalation.dialects.base import (
    Auth,
    Dialect,
    Heard,
    Incoming,
    Link,
    Message,
    NotGenuineError,
    Outcome,
    Ping,
    Sender,
    Told,
    UnreadableError,
    Verdict,
    bearer,
    check_bearer,
    check_signature,
)

CRS_NAMES: Final[dict[Crs, str]] = {
    Crs.WGS84: "WGS-84",
    Crs.GCJ02: "GCJ-02",
    Crs.BD09: "BD-09",
    Crs.CGCS2000: "CGCS2000",
}
_LONGEST_NUMBER: Final = 128


@dataclass(frozen=True, slots=True)
class Native(Dialect):
    """CloudEvents JSON."""

    name: ClassVar[str] = "cloudevents"
    content_type: ClassVar[str] = "application/json"
    auths: ClassVar[tuple[Auth, ...]] = (Auth.STANDARD_WEBHOOKS, Auth.STATIC_TOKEN)

    def write(self, told: Told) -> Message:
        headers = cloudevents_headers(
            str(told.event.id), told.kind, told.event.subject, told.event.time.isoformat(), told.number
        )
        return Message(headers, _placed(told.hook, told.crs).model_dump_json(exclude_none=True).encode())

    def ping(self, ping: Ping) -> Message:
        headers = cloudevents_headers(ping.event_id, ping.hook.KIND, ping.subject, ping.at.isoformat(), 1)
        return Message(headers, ping.hook.model_dump_json().encode())

    def send_off(self, message: Message, sender: Sender) -> Message:
        message = Message(message.headers, _illustrated(message.body, sender.links))
        signed = message.with_headers(sender.sign(message.body))  # also where a token is what counts: it names the id
        return signed.with_headers(bearer(sender)) if sender.auth is Auth.STATIC_TOKEN else signed

    def verdict(self, status: int, reply: str) -> Verdict:
        """Any 2xx is accepted; an answer may carry the receiver's own number of the matter."""
        if not 200 <= status < 300:
            return Verdict(f"status_{status}")
        with contextlib.suppress(orjson.JSONDecodeError):
            told = orjson.loads(reply)
            number = told.get("platform_id") if isinstance(told, dict) else None
            if isinstance(number, str) and 0 < len(number) <= _LONGEST_NUMBER and number.isprintable():
                return Verdict(their_number=number)
        return Verdict()

    def hear(self, incoming: Incoming) -> Heard:
        headers = incoming.headers
        message_id = headers.get("webhook-id", "")
        if incoming.auth is Auth.STATIC_TOKEN:
            check_bearer(incoming)
        else:
            check_signature(incoming)
        if not message_id:
            raise NotGenuineError("webhook-id is missing")
        try:
            event = PlatformEventIn.model_validate_json(incoming.body)
        except ValidationError as error:
            first = error.errors()[0]
            raise UnreadableError(".".join(str(part) for part in first["loc"]) or "body", first["msg"]) from error
        return heard_of(message_id, event)


def heard_of(message_id: str, event: PlatformEventIn) -> Heard:
    """A native call-back in our words; one whose type or data are unknown asks for a person."""
    raw, word = event.model_dump(mode="json"), event.type.removeprefix("case.")
    outcome: Outcome | None = word if word in get_args(Outcome) else None  # type: ignore[assignment] # narrowed by the test beside it
    try:
        data = PlatformDataIn.model_validate(event.data)
    except ValidationError:
        return Heard(message_id, event.type, event.timestamp, raw)
    return Heard(
        message_id=message_id,
        word=event.type,
        at=event.timestamp,
        raw=raw,
        outcome=outcome,
        case_no=data.case_no,
        their_number=data.platform_id,
        unit=data.unit,
        eta=data.eta,
        ground=data.ground or "",
    )


def cloudevents_headers(event_id: str, kind: str, case_id: str, time: str, number: int) -> dict[str, str]:
    """CloudEvents attributes in HTTP binary mode. Unsigned: what must be trusted is in the body as well."""
    return {
        "content-type": Native.content_type,
        "ce-specversion": "1.0",
        "ce-id": event_id,
        "ce-source": "grid/escalation",
        "ce-type": kind,
        "ce-subject": case_id,
        "ce-time": time,
        "ce-sequence": str(number),
    }


def _illustrated(body: bytes, links: Sequence[Link]) -> bytes:
    """The body with where its pictures can be fetched for a while."""
    if not links:
        return body
    told = orjson.loads(body)
    told["data"]["attachments"] = [
        {"name": link.name, "url": link.url, "valid_until": link.until.isoformat()} for link in links
    ]
    return orjson.dumps(told)


def _placed(hook: HookV1, crs: Crs) -> HookV1:
    """The hook with its position in the receiver's datum."""
    data = getattr(hook, "data", None)
    if crs is Crs.WGS84 or not isinstance(data, HookDataV1):
        return hook
    where = data.location
    if where.lon is None or where.lat is None:
        return hook
    lng, lat = from_wgs84(where.lon, where.lat, crs)
    moved = where.model_copy(update={"lon": round(lng, 7), "lat": round(lat, 7), "crs": CRS_NAMES[crs]})
    return hook.model_copy(update={"data": data.model_copy(update={"location": moved})})

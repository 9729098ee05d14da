"""A small event of our own for tests of the plumbing, encoded and decoded by the published codec."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from schemas.envelope import Envelope
from schemas.registry import decode, encode
from schemas.wire import Body
from services.chassis.ids import SystemIds
from services.chassis.streams.message import Message

KIND = "test.noted"
TOPIC = "test.topic.v1"
_ids = SystemIds()


class NotedV1(Body):
    """Somebody noted something."""

    text: str


def noted(
    key: str, sequence: int, text: str = "", *, kind: str = KIND, version: int = 1, event_id: UUID | None = None
) -> Envelope[Body]:
    """The event number `sequence` of `key`."""
    return Envelope(
        id=event_id or _ids.uuid7(),
        type=kind,
        version=version,
        source="grid/test",
        time=datetime(2026, 9, 1, tzinfo=UTC),
        subject=key,
        sequence=sequence,
        data=NotedV1(text=text or f"{key}-{sequence}"),
    )


def decode_noted(headers: Mapping[str, bytes], payload: bytes) -> Envelope[Any]:
    """Code that knows version 1 of one kind."""
    return decode(headers, payload, {KIND: (NotedV1,)})


def decode_everything(headers: Mapping[str, bytes], payload: bytes) -> Envelope[Any]:
    """Newer code: knows another kind, and a second version."""

    class NotedV2(NotedV1):
        pass

    return decode(headers, payload, {KIND: (_Lifted, NotedV2), "test.later": (NotedV1,)})


class _Lifted(NotedV1):
    def upcast(self) -> Body:
        return NotedV1(text=self.text)


def message(envelope: Envelope[Body], offset: int = 0, *, topic: str = TOPIC, payload: bytes | None = None) -> Message:
    """The event as it comes out of Kafka."""
    headers, body = encode(envelope)
    raw = {name: value.encode() for name, value in headers.items()}
    return Message(topic, 0, offset, envelope.subject.encode(), raw, body if payload is None else payload)

"""A Kafka message as it came, and what could be read from it. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from schemas.envelope import Envelope, Head
from schemas.registry import NewerVersion, UnknownType, UnreadableMessage
from schemas.wire import Body
from services.chassis.streams.handler import Received

Decode = Callable[[Mapping[str, bytes], bytes], Envelope[Body]]
"""Raises UnknownType or NewerVersion for what newer code will read, UnreadableMessage for what nobody can."""


class Lane(NamedTuple):
    """What order is kept in: one producer's events of one key on one topic."""

    source: str
    topic: str
    key: bytes


class Why(StrEnum):
    """Why an event waits in `held_events`."""

    GAP = "gap"  # an earlier one of its lane is missing, held or dead
    UNKNOWN = "unknown"  # this code does not know its type, version or words yet
    REPLAY = "replay"  # a dead letter a person has put back


class Message(NamedTuple):
    """The bytes and their place."""

    topic: str
    partition: int
    offset: int
    key: bytes
    headers: Mapping[str, bytes]
    payload: bytes

    @classmethod
    def of(cls, raw: Any) -> Message:
        """As Faust hands it over; a header without a value says nothing."""
        headers = raw.headers.items() if hasattr(raw.headers, "items") else raw.headers or ()
        present = {name: value for name, value in headers if value is not None}
        return cls(raw.topic, raw.partition, raw.offset, raw.key or b"", present, raw.value or b"")


class Item(NamedTuple):
    """A message after reading. Exactly one of three: an event to apply, one to hold, one that is dead.

    `held` marks one that comes out of `held_events` and not from Kafka.
    """

    message: Message
    head: Head | None
    envelope: Envelope[Body] | None = None
    unknown: str | None = None
    dead: str | None = None
    held: bool = False

    @property
    def lane(self) -> Lane | None:
        """None where not even the attributes can be read."""
        return None if self.head is None else Lane(self.head.source, self.message.topic, self.message.key)

    def received(self) -> Received:
        """The event as handlers get it."""
        if self.envelope is None:
            raise TypeError("only a readable event goes to a handler")
        return Received(self.message.topic, self.message.partition, self.message.offset, self.envelope)


def read(message: Message, decode: Decode, *, held: bool = False) -> Item:
    """Decode one message; whatever is wrong with it becomes part of the answer."""
    try:
        envelope = decode(message.headers, message.payload)
    except (UnknownType, NewerVersion) as exc:
        head = _storable(exc.head)
        if head is None:
            return Item(message, None, dead=exc.why, held=held)
        return Item(message, head, unknown=exc.why, held=held)
    except UnreadableMessage as exc:
        return Item(message, _storable(exc.head), dead=exc.why, held=held)
    head = _storable(envelope.head)
    if head is None or head.subject.encode() != message.key:
        return Item(message, None, dead="ce_subject is not the message's key", held=held)
    return Item(message, head, envelope=envelope, held=held)


def _storable(head: Head | None) -> Head | None:
    """PostgreSQL's text holds no NUL; attributes that carry one count as unreadable."""
    if head is None or "\x00" in head.source + head.subject + head.type:
        return None
    return head


def printable(headers: Mapping[str, bytes]) -> dict[str, str]:
    """Headers as text that PostgreSQL can keep, whatever bytes they hold."""
    return {clean(name): clean(value.decode("utf-8", "backslashreplace")) for name, value in headers.items()}


def clean(text: str) -> str:
    """`text` without the one character PostgreSQL refuses."""
    return text.replace("\x00", "\\x00")

"""Reading messages: whatever is wrong with one becomes part of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

import pytest

from schemas.envelope import Envelope, Head
from schemas.registry import NewerVersion, UnknownType, UnreadableMessage
from schemas.wire import Body
from services.chassis.streams.message import Message, clean, printable, read

HEAD = Head(UUID(int=1), "case.noted", 1, "grid/dispatch", "k", 1)
MESSAGE = Message("t", 0, 0, b"k", {}, b"{}")


def envelope(subject: str = "k", source: str = "grid/dispatch") -> Envelope[Body]:
    return Envelope(HEAD.id, HEAD.type, 1, source, datetime(2026, 9, 1, tzinfo=UTC), subject, 1, Body())


def test_a_good_message() -> None:
    item = read(MESSAGE, lambda _headers, _payload: envelope())
    assert item.envelope is not None
    assert item.received().offset == 0


@pytest.mark.parametrize("kind", [UnknownType, NewerVersion])
def test_newer_code_will_read_it(kind: type[UnknownType]) -> None:
    def decode(_headers: Mapping[str, bytes], _payload: bytes) -> Envelope[Body]:
        raise kind("later", HEAD)

    item = read(MESSAGE, decode)
    assert (item.head, item.unknown, item.dead) == (HEAD, "later", None)


def test_nobody_can_read_it() -> None:
    def decode(_headers: Mapping[str, bytes], _payload: bytes) -> Envelope[Body]:
        raise UnreadableMessage("broken", None)

    item = read(MESSAGE, decode)
    assert (item.head, item.dead, item.lane) == (None, "broken", None)


def test_a_key_that_is_not_the_subject_is_dead() -> None:
    item = read(MESSAGE, lambda _headers, _payload: envelope(subject="other"))
    assert item.dead is not None


def test_attributes_the_database_cannot_keep_count_as_unreadable() -> None:
    item = read(MESSAGE, lambda _headers, _payload: envelope(source="grid\x00"))
    assert item.head is None
    assert item.dead is not None


def test_any_header_becomes_text_the_database_can_keep() -> None:
    assert printable({"a": b"\xff\x00", "b\x00": "城".encode()}) == {"a": "\\xff\\x00", "b\\x00": "城"}
    assert clean("a\x00b") == "a\\x00b"

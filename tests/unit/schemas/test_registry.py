"""The wire codec: what goes in comes out, and each kind of failure has its own name."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from schemas.envelope import Envelope
from schemas.events.sla import SlaFiredV1
from schemas.registry import (
    NewerVersion,
    UnknownType,
    UnreadableMessage,
    decode,
    encode,
    kinds,
    newest,
    read_head,
)
from schemas.topics import TOPICS, topic_of
from schemas.wire import Body
from services.governance.cycle import ClockKind

AT = datetime(2026, 3, 6, 1, 0, tzinfo=UTC)
ID = UUID("01950001-0000-7000-8000-000000000001")


def fired() -> Envelope[Body]:
    body = SlaFiredV1(
        case_id="c1", clock_id="c1:handling", kind=ClockKind.HANDLING, rev=2, rung=1, due_at=AT, fired_at=AT
    )
    return Envelope(ID, "sla.fired", 1, "grid/escalation", AT, "c1", 7, body, correlation_id="req-1")


def on_wire(env: Envelope[Body]) -> tuple[dict[str, bytes], bytes]:
    headers, payload = encode(env)
    return {name: value.encode() for name, value in headers.items()}, payload


def test_round_trip() -> None:
    assert decode(*on_wire(fired())) == fired()


def test_headers_are_those_of_the_cloudevents_binding() -> None:
    headers, payload = on_wire(fired())
    read = from_binary(KafkaMessage(headers=headers, key=b"c1", value=payload), JSONFormat(), CloudEvent)
    assert (read.get_id(), read.get_type(), read.get_subject()) == (str(ID), "sla.fired", "c1")
    assert read.get_extension("sequence") == "7"
    assert read.get_dataschema() == "urn:grid:sla.fired:v1"


def test_unknown_type_keeps_its_head_so_that_the_key_can_be_held() -> None:
    headers, payload = on_wire(fired())
    headers |= {"ce_type": b"sla.imagined", "ce_dataschema": b"urn:grid:sla.imagined:v1"}
    with pytest.raises(UnknownType) as caught:
        decode(headers, payload)
    assert caught.value.head is not None
    assert (caught.value.head.subject, caught.value.head.sequence) == ("c1", 7)


def test_newer_version_is_held() -> None:
    headers, payload = on_wire(fired())
    with pytest.raises(NewerVersion, match="knows v1"):
        decode(headers | {"ce_dataschema": b"urn:grid:sla.fired:v2"}, payload)


def test_a_word_that_is_not_known_yet_is_held_and_not_dead() -> None:
    headers, payload = on_wire(fired())
    with pytest.raises(NewerVersion, match="kind"):
        decode(headers, payload.replace(b'"handling"', b'"handling_2"'))


@pytest.mark.parametrize(
    "payload",
    [b"", b"\xff\xfe\x00", b"[]", b"null", b'{"case_id": 1}', b"{" * 100_000, b'{"case_id":"c1"}'],
)
def test_garbage_is_unreadable(payload: bytes) -> None:
    headers, _ = on_wire(fired())
    with pytest.raises(UnreadableMessage):
        decode(headers, payload)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ce_id", b"not-a-uuid"),
        ("ce_sequence", b"0"),
        ("ce_sequence", b"-1"),
        ("ce_sequence", "\u0667".encode()),
        ("ce_sequence", b"9" * 40),
        ("ce_dataschema", b"urn:grid:sla.fired"),
        ("ce_dataschema", b"urn:grid:other:v1"),
        ("ce_specversion", b"0.3"),
        ("ce_time", b"yesterday"),
        ("ce_time", b"2026-03-06T09:00:00"),
        ("ce_type", b"\xff"),
        ("ce_causationid", b"x"),
        ("ce_causationid", b"\xff"),
    ],
)
def test_broken_attributes_are_unreadable(name: str, value: bytes) -> None:
    headers, payload = on_wire(fired())
    with pytest.raises(UnreadableMessage):
        decode(headers | {name: value}, payload)


@pytest.mark.parametrize(
    "name", ["ce_id", "ce_type", "ce_source", "ce_subject", "ce_time", "ce_sequence", "ce_dataschema"]
)
def test_missing_attributes_are_unreadable(name: str) -> None:
    headers, payload = on_wire(fired())
    del headers[name]
    with pytest.raises(UnreadableMessage, match=name):
        decode(headers, payload)


def test_the_reason_does_not_repeat_the_value() -> None:
    headers, payload = on_wire(fired())
    with pytest.raises(UnreadableMessage) as caught:
        decode(headers, payload.replace(b'"rev":2', b'"rev":"13800138000 secret"'))
    assert "secret" not in str(caught.value)
    assert "rev" in str(caught.value)


def test_an_old_version_is_lifted_to_the_newest() -> None:
    class ThingV2(Body):
        count: int

    class ThingV1(Body):
        total: int

        def upcast(self) -> ThingV2:
            return ThingV2(count=self.total)

    headers, _ = on_wire(fired())
    headers |= {"ce_type": b"thing.seen", "ce_dataschema": b"urn:grid:thing.seen:v1"}
    got = decode(headers, b'{"total": 3}', {"thing.seen": (ThingV1, ThingV2)})
    assert (got.version, got.data) == (2, ThingV2(count=3))


def test_every_version_but_the_newest_can_be_lifted() -> None:
    for kind, versions in kinds().items():
        for cls in versions[:-1]:
            assert cls.upcast is not Body.upcast, f"{kind}: {cls.__name__} has no upcast"


def test_each_kind_travels_on_exactly_one_topic() -> None:
    carried = [kind for topic in TOPICS for kind in topic.kinds]
    assert sorted(carried) == sorted(kinds())
    assert topic_of("case.called").name == "grid.case.v1"
    assert newest("case.called")[0] == 1


def test_head_needs_no_payload() -> None:
    headers, _ = on_wire(fired())
    assert read_head(headers).type == "sla.fired"

"""The CloudEvents bindings, read by the public SDK: what we post over HTTP and what we put on our topics, in both
directions. The scenarios are those of the standard's conformance suite."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cloudevents.core.bindings.http import HTTPMessage
from cloudevents.core.bindings.http import from_http as read_http
from cloudevents.core.bindings.kafka import KafkaMessage, to_binary
from cloudevents.core.bindings.kafka import from_kafka as read_kafka
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from schemas.registry import UnreadableMessage, decode, encode, kinds
from schemas.webhook_bodies import hook_body, ping_body
from schemas.webhooks import CASE_HOOKS
from services.escalation.dialects.base import Message, Ping, Told
from services.escalation.dialects.native import Native
from services.escalation.usecases.preview import example

EXAMPLES = Path(__file__).parents[3] / "schemas" / "examples"
AT = datetime(2026, 3, 6, 1, 0, tzinfo=UTC)
KINDS_WITH_EXAMPLE = sorted(kind for kind in kinds() if (EXAMPLES / kind / "v1" / "plain.json").exists())


def message_of(kind: str) -> Message:
    if kind == "test.ping":
        return Native().ping(Ping("0195", "test:0195", AT, ping_body("0195", AT)))
    hook = next(hook for hook in CASE_HOOKS if kind == hook.KIND)
    fact = example(hook.FACTS[0])
    body = hook_body(fact, kind, sequence=3, category_name="暴露垃圾")
    return Native().write(Told(event=fact, kind=kind, number=3, hook=body))


@pytest.mark.parametrize("kind", [*(hook.KIND for hook in CASE_HOOKS), "test.ping"])
def test_http_binary_mode(kind: str) -> None:
    message = message_of(kind)
    read = read_http(HTTPMessage(dict(message.headers), message.body), JSONFormat(), CloudEvent)
    data = read.get_data()
    assert isinstance(data, dict)
    assert (read.get_specversion(), read.get_type(), read.get_source()) == ("1.0", kind, "grid/escalation")
    assert read.get_datacontenttype() == "application/json"
    assert read.get_time() is not None
    assert read.get_extension("sequence") in {"1", "3"}
    assert data == json.loads(message.body)
    assert data["type"] == kind
    if kind != "test.ping":
        assert (read.get_id(), read.get_extension("sequence")) == (
            data["data"]["event_id"],
            str(data["data"]["sequence"]),
        )


def test_attributes_are_plain_ascii_so_that_nothing_needs_to_be_encoded() -> None:
    for hook in CASE_HOOKS:
        for name, value in message_of(hook.KIND).headers.items():
            assert value.isascii(), name
            assert not set(value) & set(' "%') or name == "content-type", name


@pytest.mark.parametrize("kind", KINDS_WITH_EXAMPLE)
def test_kafka_binary_mode_of_every_kind_on_our_topics(kind: str) -> None:
    """Our messages read by the SDK, and the SDK's own writing of the same event read by us."""
    stored = json.loads((EXAMPLES / kind / "v1" / "plain.json").read_text("utf-8"))
    ours = decode(
        {name: value.encode() for name, value in stored["headers"].items()}, json.dumps(stored["data"]).encode()
    )
    headers, payload = encode(ours)
    on_wire = KafkaMessage({name: value.encode() for name, value in headers.items()}, ours.subject.encode(), payload)
    read = read_kafka(on_wire, JSONFormat(), CloudEvent)
    assert (read.get_id(), read.get_type(), read.get_subject()) == (str(ours.id), kind, ours.subject)
    assert (read.get_specversion(), read.get_source(), read.get_time()) == ("1.0", ours.source, ours.time)
    assert read.get_extension("sequence") == str(ours.sequence)
    assert read.get_data() == json.loads(payload)
    back = to_binary(read, JSONFormat())
    assert isinstance(back.value, bytes)
    assert decode({name: bytes(value) for name, value in back.headers.items()}, back.value) == ours


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8"])
def test_kafka_binary_mode_whatever_the_content_type_says_beside_json(content_type: str) -> None:
    stored = json.loads((EXAMPLES / "case.overdue" / "v1" / "plain.json").read_text("utf-8"))
    headers = {name: value.encode() for name, value in {**stored["headers"], "content-type": content_type}.items()}
    read = decode(headers, json.dumps(stored["data"]).encode())
    assert (str(read.id), read.type) == (stored["headers"]["ce_id"], "case.overdue")


def test_structured_mode_is_not_what_our_topics_carry_and_is_said_to_be_unreadable() -> None:
    stored = json.loads((EXAMPLES / "case.overdue" / "v1" / "plain.json").read_text("utf-8"))
    event = {name.removeprefix("ce_"): value for name, value in stored["headers"].items()} | {"data": stored["data"]}
    with pytest.raises(UnreadableMessage, match="ce_"):
        decode({"content-type": b"application/cloudevents+json"}, json.dumps(event).encode())

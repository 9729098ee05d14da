"""What the relay may mark as sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from schemas.topics import TOPICS
from services.chassis.outbox.parts import consumers_of
from services.chassis.outbox.publish import shard_of
from services.chassis.outbox.relay import sent_prefixes
from services.chassis.outbox.tables import SHARDS

NOW = datetime(2026, 9, 1, tzinfo=UTC)


@dataclass
class Line:
    id: int
    key: bytes
    created_at: datetime = NOW


@dataclass
class Place:
    partition: int
    offset: int


def test_nothing_behind_a_failure_of_the_same_key_counts() -> None:
    error = OSError("gone")
    rows: Any = [Line(1, b"a"), Line(2, b"b"), Line(3, b"a"), Line(4, b"a"), Line(5, b"b")]
    answers: Any = [Place(0, 1), Place(1, 1), error, Place(0, 2), Place(1, 2)]

    done, failures = sent_prefixes(rows, answers)

    assert [sent.id for sent in done] == [1, 2, 5]
    assert failures == {b"a": error}


def test_the_first_failure_of_a_key_is_the_one_told() -> None:
    first, second = OSError("1"), OSError("2")
    rows: Any = [Line(1, b"a"), Line(2, b"a")]
    assert sent_prefixes(rows, [first, second]) == ([], {b"a": first})


def test_a_key_keeps_its_shard() -> None:
    assert shard_of(b"case-1") == 6, "changing this under unpublished rows breaks their order"
    assert {shard_of(str(n).encode()) for n in range(500)} == set(range(SHARDS))


def test_every_topic_is_watched_by_its_producer() -> None:
    for topic in TOPICS:
        for producer in topic.producers:
            watched = {name for consumer in consumers_of(producer) for name in consumer.topics}
            assert topic.name in watched

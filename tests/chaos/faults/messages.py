"""Messages put straight onto the topics that no code of ours would send: unreadable ones, and copies of old ones."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.topics import CASE, COMMAND, REPORT, SLA, TOPICS, Topic
from services.chassis.ids import SystemIds
from tests.chaos.ledger import PoisonEntry
from tests.chaos.plan import Strike
from tests.chaos.world import World, rng_of

SOURCE: Final = "grid/stranger"
OVERSIZE: Final = 1_000_000
"""Nearly all that a broker takes: with its reasons it must still fit onto the topic for dead letters."""
COPIES: Final = 60
TRIES: Final = 2000
"""More than the longest outage takes."""
PAUSE_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class _Message:
    topic: Topic
    headers: dict[str, str]
    payload: bytes
    fate: str


async def poison(world: World, strike: Strike) -> str:
    """One of each: bytes, a broken body, an unknown type, a newer version, a very large one."""
    rng = rng_of(strike.seed)
    messages = [make(rng) for make in _KINDS]
    for message, key in messages:
        world.poison.add(PoisonEntry(key, False, message.topic.name, message.fate))
        await _until_sent(world, message.topic.name, [(message.payload, key.encode(), _raw(message.headers), None)])
        world.poison.add(PoisonEntry(key, True, message.topic.name, message.fate))
    return f"{len(messages)} messages"


async def duplicates(world: World, strike: Strike) -> str:
    """Records that lie on the topics already come once more."""
    rng = rng_of(strike.seed)
    sent = 0
    for topic in TOPICS:
        records = await _some_records(world, topic, rng)
        await _until_sent(world, topic.name, records)
        sent += len(records)
    return f"{sent} records"


Record = tuple[bytes, bytes, list[tuple[str, bytes]], int | None]
"""payload, key, headers, partition"""


async def _some_records(world: World, topic: Topic, rng: random.Random) -> list[Record]:
    """Records from a random place of a random partition."""
    for _ in range(TRIES):
        consumer = AIOKafkaConsumer(  # type: ignore[no-untyped-call]
            bootstrap_servers=world.kafka, enable_auto_commit=False, request_timeout_ms=10_000
        )
        try:
            await consumer.start()  # type: ignore[no-untyped-call]
            return await _read(consumer, topic, rng)
        except (KafkaError, OSError):
            await asyncio.sleep(PAUSE_S)
        finally:
            await consumer.stop()  # type: ignore[no-untyped-call]
    raise AssertionError("the broker cannot be read")


async def _read(consumer: Any, topic: Topic, rng: random.Random) -> list[Record]:
    places = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
    ends = await consumer.end_offsets(places)
    filled = [place for place in places if ends[place]]
    if not filled:
        return []
    place = rng.choice(filled)
    consumer.assign([place])
    consumer.seek(place, rng.randrange(ends[place]))
    found = await consumer.getmany(place, timeout_ms=3000, max_records=COPIES)
    return [
        (record.value or b"", record.key or b"", list(record.headers), place.partition)
        for record in found.get(place, ())
        if record.headers
    ]


async def _until_sent(world: World, topic: str, records: Sequence[Record]) -> None:
    """Send all, again from the start where the broker broke off: every copy is as good as one."""
    for _ in range(TRIES):
        producer = AIOKafkaProducer(  # type: ignore[no-untyped-call]
            bootstrap_servers=world.kafka, acks="all", max_request_size=2 * OVERSIZE, request_timeout_ms=10_000
        )
        try:
            await producer.start()  # type: ignore[no-untyped-call]
            for payload, key, headers, partition in records:
                await producer.send_and_wait(  # type: ignore[no-untyped-call]
                    topic, payload, key=key, headers=headers, partition=partition
                )
        except (KafkaError, OSError):
            await asyncio.sleep(PAUSE_S)
        else:
            return
        finally:
            await producer.stop()  # type: ignore[no-untyped-call]
    raise AssertionError("the broker takes nothing")


def _garbage(rng: random.Random) -> tuple[_Message, str]:
    return _Message(rng.choice(TOPICS), {}, b"\x00\xff" + rng.randbytes(200), "dead"), _key(rng, "garbage")


def _oversize(rng: random.Random) -> tuple[_Message, str]:
    return _Message(rng.choice(TOPICS), {}, rng.randbytes(OVERSIZE), "dead"), _key(rng, "oversize")


def _broken(rng: random.Random) -> tuple[_Message, str]:
    key = _key(rng)
    return _Message(SLA, _attributes("sla.fired", key), b'{"case_id": 5}', "dead"), key


def _unknown(rng: random.Random) -> tuple[_Message, str]:
    topic, kind = rng.choice(((CASE, "case.teleported"), (COMMAND, "command.dance"), (REPORT, "report.sung")))
    key = _key(rng)
    return _Message(topic, _attributes(kind, key), b"{}", "held"), key


def _newer(rng: random.Random) -> tuple[_Message, str]:
    topic, kind = rng.choice(((REPORT, "report.submitted"), (CASE, "case.reported"), (SLA, "sla.fired")))
    key = _key(rng)
    return _Message(topic, _attributes(kind, key, version=9), b'{"from": "the future"}', "held"), key


_KINDS: Final[tuple[Callable[[random.Random], tuple[_Message, str]], ...]] = (
    _garbage,
    _broken,
    _unknown,
    _newer,
    _oversize,
)


def _key(rng: random.Random, kind: str = "") -> str:
    own = str(uuid.UUID(int=rng.getrandbits(128), version=4))
    return f"{kind}-{own}" if kind else own


def _attributes(kind: str, key: str, version: int = 1) -> dict[str, str]:
    """What a proper event of a producer that nobody knows would carry."""
    return {
        "ce_specversion": "1.0",
        "ce_id": str(SystemIds().uuid7()),
        "ce_source": SOURCE,
        "ce_type": kind,
        "ce_time": datetime.now(UTC).isoformat(),
        "ce_subject": key,
        "ce_dataschema": f"urn:grid:{kind}:v{version}",
        "ce_sequence": "1",
        "content-type": "application/json",
    }


def _raw(headers: dict[str, str]) -> list[tuple[str, bytes]]:
    return [(name, value.encode()) for name, value in headers.items()]

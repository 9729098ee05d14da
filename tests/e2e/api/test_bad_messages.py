"""Messages that no code of ours would send: kept where they can be seen, their key waits, everybody else goes on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from schemas.topics import CASE, COMMAND, REPORT, SLA, TOPICS
from services.chassis.ids import SystemIds
from tests.e2e.town import Town, facts_are_dense, until

STRANGER = "grid/stranger"


@dataclass(frozen=True, slots=True)
class Sent:
    """A message and where it landed."""

    topic: str
    partition: int
    offset: int


def attributes(
    kind: str, key: str, version: int = 1, sequence: int = 1, event_id: UUID | None = None
) -> dict[str, str]:
    """What a proper event of a producer that nobody knows would carry."""
    return {
        "ce_specversion": "1.0",
        "ce_id": str(event_id or SystemIds().uuid7()),
        "ce_source": STRANGER,
        "ce_type": kind,
        "ce_time": datetime.now(UTC).isoformat(),
        "ce_subject": key,
        "ce_dataschema": f"urn:grid:{kind}:v{version}",
        "ce_sequence": str(sequence),
        "content-type": "application/json",
    }


def produce(town: Town, topic: str, key: str, headers: Mapping[str, str], payload: bytes) -> Sent:
    """Put it on the topic as any Kafka client can."""

    async def send() -> Sent:
        producer = AIOKafkaProducer(bootstrap_servers=f"127.0.0.1:{town.stand.environment['GRID_KAFKA_PORT']}")
        await producer.start()
        try:
            raw = [(name, value.encode()) for name, value in headers.items()]
            at = await producer.send_and_wait(topic, payload, key=key.encode(), headers=raw)
        finally:
            await producer.stop()
        return Sent(topic, at.partition, at.offset)

    return asyncio.run(send())


def rows(town: Town, statement: str, *values: object) -> list[tuple[object, ...]]:
    with psycopg.connect(town.stand.database_url) as connection:
        return connection.execute(statement.encode(), values).fetchall()


def letters(town: Town, service: str, sent: Sent) -> list[tuple[object, ...]]:
    """The dead letter of a message: its error and its bytes."""
    where = (sent.topic, sent.partition, sent.offset)
    return rows(
        town, f"SELECT error, raw FROM {service}.dead_letters WHERE topic = %s AND part = %s AND off = %s", *where
    )


def held(town: Town, service: str, key: str) -> list[tuple[object, ...]]:
    """What waits of a key: number, type and why."""
    where = (key.encode(), STRANGER)
    return rows(
        town, f"SELECT seq, type, reason FROM {service}.held_events WHERE key = %s AND source = %s ORDER BY seq", *where
    )


def on_dlq(town: Town, sent: Sent, payload: bytes) -> bool:
    """Whether the bytes lie on the topic for dead letters."""

    async def look() -> bool:
        address = f"127.0.0.1:{town.stand.environment['GRID_KAFKA_PORT']}"
        async with AIOKafkaConsumer(
            f"{sent.topic}.dlq", bootstrap_servers=address, auto_offset_reset="earliest"
        ) as consumer:
            found = await consumer.getmany(timeout_ms=5000)
            return any(record.value == payload for records in found.values() for record in records)

    return asyncio.run(look())


def the_street_goes_on(town: Town) -> None:
    """A report made now walks from intake to dispatch and back, and its facts come to escalation's timers."""
    no = town.report("wangge01", "0302")
    town.person("zhibu01").act(no, "self_resolve_start")
    town.person("zhibu01").act(no, "self_resolve_done", means="quan", note="已劝离")
    case = town.person("zhibu01").case(no)
    assert case["state"] == "closed"
    facts_are_dense(case)
    for service in ("intake", "escalation"):
        until(
            f"{service} sees every fact of it",
            lambda service=service: rows(
                town,
                f"SELECT 1 FROM {service}.stream_positions WHERE key = %s AND last_seq = %s",
                case["id"].encode(),
                case["sequence"],
            ),
        )


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_garbage_is_a_dead_letter_and_stops_nobody(town: Town, topic: object) -> None:
    name, consumers = topic.name, topic.consumers  # type: ignore[attr-defined]
    payload = b"\x00\xff garbage " + uuid4().bytes
    sent = produce(town, name, f"garbage-{uuid4()}", {}, payload)
    for service in consumers:
        ((error, raw),) = until(f"{service} keeps it", lambda service=service: letters(town, service, sent))
        assert bytes(raw) == payload  # type: ignore[arg-type]
        assert error
    until("it lies on the topic for dead letters", lambda: on_dlq(town, sent, payload))
    the_street_goes_on(town)


def test_a_body_that_breaks_its_schema_is_a_dead_letter_and_stops_its_key(town: Town) -> None:
    key = str(uuid4())
    first = produce(town, SLA.name, key, attributes("sla.fired", key), b'{"case_id": 5}')
    until("it is kept", lambda: letters(town, "dispatch", first))
    produce(town, SLA.name, key, attributes("sla.fired", key, sequence=2), b'{"case_id": 6}')
    until("the next one waits or is kept too", lambda: held(town, "dispatch", key) or _dead(town, key) > 1)
    the_street_goes_on(town)


def _dead(town: Town, key: str) -> int:
    return len(rows(town, "SELECT 1 FROM dispatch.dead_letters WHERE key = %s", key.encode()))


@pytest.mark.parametrize(
    ("topic", "kind", "version"),
    [(REPORT, "report.submitted", 9), (CASE, "case.reported", 2), (COMMAND, "command.dance", 1), (SLA, "sla.fired", 3)],
    ids=["report", "case", "command", "sla"],
)
def test_what_newer_code_may_know_is_held_with_its_key(town: Town, topic: object, kind: str, version: int) -> None:
    name, consumers = topic.name, topic.consumers  # type: ignore[attr-defined]
    key = str(uuid4())
    sent = produce(town, name, key, attributes(kind, key, version), b'{"from": "the future"}')
    produce(town, name, key, attributes(kind, key, version, sequence=2), b"{}")
    for service in consumers:
        waiting = until(
            f"{service} holds both",
            lambda service=service: (found := held(town, service, key)) and len(found) == 2 and found,
        )
        assert [(seq, named) for seq, named, _ in waiting] == [(1, kind), (2, kind)]
        assert waiting[0][2] == "unknown"
        assert not letters(town, service, sent), "no dead letter"
    the_street_goes_on(town)
    shown = town.stand.grid("replay", "show").stdout
    assert key in shown, "an operator sees what waits"


def test_a_case_whose_events_wait_is_the_only_one_that_waits(town: Town) -> None:
    """A message of the case's own key, from a stranger, does not stop what dispatch itself says of the case."""
    no = town.report("wangge01", "0302")
    branch = town.person("zhibu01")
    case = branch.case(no)
    produce(town, CASE.name, case["id"], attributes("case.teleported", case["id"]), b"{}")
    until("it is held", lambda: held(town, "escalation", case["id"]))
    branch.act(no, "call_up", reason="recurring")
    until(
        "dispatch's own facts of it arrive",
        lambda: rows(
            town,
            "SELECT 1 FROM escalation.stream_positions WHERE key = %s AND source = 'grid/dispatch' AND last_seq = 2",
            case["id"].encode(),
        ),
    )
    the_street_goes_on(town)


def test_a_timer_that_nobody_set_moves_nothing(town: Town) -> None:
    """A well-formed message for a case that does not exist, and one of an old revision: refused in silence."""
    no = town.report("wangge01", "0302")
    case = town.person("zhibu01").case(no)
    clock = case["clocks"][0]
    for case_id in (str(uuid4()), case["id"]):
        fired = {
            "case_id": case_id,
            "clock_id": clock["clock_id"],
            "kind": clock["kind"],
            "rev": 0,
            "rung": 0,
            "due_at": "2026-01-01T00:00:00Z",
            "fired_at": "2026-01-01T00:00:00Z",
        }
        key = case_id
        sent = produce(town, SLA.name, key, attributes("sla.fired", key), json.dumps(fired).encode())
        until(
            "it is taken or put aside",
            lambda sent=sent, key=key: (
                letters(town, "dispatch", sent)
                or rows(
                    town,
                    "SELECT 1 FROM dispatch.stream_positions WHERE key = %s AND source = %s AND last_seq >= 1",
                    key.encode(),
                    STRANGER,
                )
            ),
        )
    assert town.person("zhibu01").case(no)["sequence"] == case["sequence"]
    the_street_goes_on(town)

"""A steady beat of small events on every partition dispatch reads: when is which of them served?

Each is a firing of a timer that nobody set, for a case that does not exist: the worker takes it through its whole road
(Kafka, inbox, transaction, acknowledgement) and nothing comes of it. What Kafka has acknowledged must be in the inbox
once.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

import psycopg
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.envelope import Envelope
from schemas.events.sla import SlaFiredV1
from schemas.registry import encode
from schemas.topics import SLA
from services.chassis.ids import SystemIds
from services.governance.cycle import ClockKind

SOURCE = "grid/pulse"
BEAT_PER_S = 24.0
LOAD_PER_S = 200.0
SILENT_S = 5.0
"""A partition silent for longer belonged to the victim: the group waits eight seconds for a dead member."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """After a worker was killed: seconds until its partitions were served again, and the others' longest silence."""

    recovered_s: float
    others_s: float
    victims: int
    others: int


@dataclass(slots=True)
class Pulse:
    """Sends until stopped. `per_second` may be changed at any time."""

    kafka: str
    per_second: float = BEAT_PER_S
    acknowledged: list[UUID] = field(default_factory=list)
    sent: int = 0

    async def run(self, stop: asyncio.Event) -> None:
        ids, loop = SystemIds(), asyncio.get_running_loop()
        under_way: set[asyncio.Future[Any]] = set()
        while not stop.is_set():
            producer = AIOKafkaProducer(  # type: ignore[no-untyped-call]
                bootstrap_servers=self.kafka, linger_ms=5, acks="all", request_timeout_ms=10_000
            )
            try:
                await producer.start()  # type: ignore[no-untyped-call]
                while not stop.is_set():
                    began = loop.time()
                    await self._beat(producer, ids, under_way)
                    await asyncio.sleep(max(0.0, began + 1 / self.per_second - loop.time()))
            except (KafkaError, OSError):
                await asyncio.sleep(0.5)
            finally:
                await producer.stop()  # type: ignore[no-untyped-call]

    async def _beat(self, producer: AIOKafkaProducer, ids: SystemIds, under_way: set[asyncio.Future[Any]]) -> None:
        event_id, key = ids.uuid7(), str(ids.uuid7())
        now = datetime.now(UTC)
        body = SlaFiredV1(
            case_id=key, clock_id=f"{key}:pulse", kind=next(iter(ClockKind)), rev=0, rung=0, due_at=now, fired_at=now
        )
        headers, payload = encode(Envelope(event_id, "sla.fired", 1, SOURCE, now, key, 1, body))
        raw = [(name, value.encode()) for name, value in headers.items()]
        self.sent += 1
        answer = await producer.send(  # type: ignore[no-untyped-call]
            SLA.name, payload, key.encode(), partition=self.sent % SLA.partitions, headers=raw
        )
        under_way.add(answer)
        answer.add_done_callback(under_way.discard)
        answer.add_done_callback(lambda done: self._answered(event_id, done))

    def _answered(self, event_id: UUID, done: asyncio.Future[Any]) -> None:
        if not done.cancelled() and done.exception() is None:
            self.acknowledged.append(event_id)


def recovery(database_url: str, killed_at: float, within_s: float) -> Recovery | None:
    """What the inbox says of the seconds after a kill at wall-clock time `killed_at`; None if nothing fell silent."""
    query = (
        "SELECT part, array_agg(DISTINCT extract(epoch FROM at)::float8 ORDER BY extract(epoch FROM at)::float8)"
        " FROM dispatch.inbox WHERE topic = %s AND at BETWEEN to_timestamp(%s) AND to_timestamp(%s) GROUP BY part"
    )
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(query, (SLA.name, killed_at - 4, killed_at + within_s)).fetchall()
    return judge(dict(rows), killed_at)


def judge(moments: dict[int, list[float]], killed_at: float) -> Recovery | None:
    """The same, from the moments at which each partition was served."""
    silences: dict[int, tuple[float, float]] = defaultdict(lambda: (0.0, killed_at))
    for part, served in moments.items():
        gaps = [(after - max(before, killed_at - 1), after) for before, after in pairwise(served) if after > killed_at]
        if gaps:
            silences[part] = max(gaps)
    victims = [until - killed_at for silent, until in silences.values() if silent > SILENT_S]
    others = [silent for silent, _ in silences.values() if silent <= SILENT_S]
    if not victims:
        return None
    return Recovery(round(max(victims), 2), round(max(others, default=0.0), 2), len(victims), len(others))


def now() -> float:
    """Wall-clock seconds, as PostgreSQL on the same machine tells them."""
    return time.time()

"""Find what Kafka lost and send it again.

A row counts as lost only if nobody will ever bring it: the consumer has committed past its place, or Kafka has deleted
the place (retention, deleted records), or Kafka's log ends before it (a broker that lost what it had acknowledged),
and the consumer's inbox lacks it. Held events and dead letters are in the inbox. Age says nothing: a consumer that
merely lags would have its whole backlog sent twice.

What this makes of a group's offsets: set back, the consumer meets what it has seen and drops it, and nothing is sent;
set ahead, what was stepped over is sent again; gone, nothing counts as passed and nothing is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, Protocol

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from sqlalchemy import Row

from services.chassis.db import Database, is_transient, sql
from services.chassis.kafka import KafkaAddress, admin_client
from services.chassis.outbox.metrics import RelayMetrics
from services.chassis.outbox.tables import OutboxTables
from services.chassis.telemetry import logger

EVERY_S: Final = 30.0
BUSY_EVERY_S: Final = 5.0
"""Until the next look when the last one found more than it may repair."""
WINDOW: Final = 20_000
"""Rows looked at per statement."""
MOST_PAGES: Final = 50
OPEN: Final = timedelta(minutes=10)
"""Rows younger than this are looked at every time: one of a slow transaction may still appear among them."""
MOST_REPAIRS: Final = 500
"""Rows sent again per consumer and look: repairing must not drown the live traffic."""

_log = logger(__name__)
_PAGE: Final = """
  WITH page AS MATERIALIZED (
    SELECT o.created_at, o.id, o.topic, o."partition" AS part, o."offset" AS off, o.event_id, o.published_at
    FROM @schema.outbox o WHERE o.created_at >= :at AND (o.created_at, o.id) > (:at, :id)
    ORDER BY o.created_at, o.id LIMIT :window),
  judged AS (
    SELECT p.*, NOT p.topic = ANY (SELECT json_array_elements_text(CAST(:topics AS json))) AS of_others,
      coalesce(p.published_at IS NOT NULL AND p.off < o.next, false) AS passed,
      coalesce(p.published_at IS NOT NULL AND p.off >= o.until, false) AS beyond
    FROM page p LEFT JOIN json_to_recordset(CAST(:places AS json)) AS o(topic text, part int, next bigint, until bigint)
      ON o.topic = p.topic AND o.part = p.part)
  SELECT j.created_at, j.id, j.of_others, j.passed, j.topic, j.part, j.off, j.beyond,
    j.created_at < least(statement_timestamp(), directory.grid_now()) - CAST(:open AS interval) AS closed,
    (j.passed OR j.beyond) AND NOT EXISTS (
      SELECT FROM {seen}.inbox_seen s WHERE s.consumer = :consumer AND s.event_id = j.event_id)
    AND NOT EXISTS (
      SELECT FROM {seen}.inbox_seen s WHERE s.consumer = :consumer AND s.event_id IS NULL
        AND s.topic = j.topic AND s.part = j.part AND s.off = j.off) AS lost
  FROM judged j ORDER BY j.created_at, j.id"""
_AGAIN: Final = """
  UPDATE @schema.outbox o SET published_at = NULL, "partition" = NULL, "offset" = NULL
  FROM json_to_recordset(CAST(:rows AS json)) AS r(i bigint, c timestamptz)
  WHERE o.id = r.i AND o.created_at = r.c AND o.created_at BETWEEN :low AND :high AND o.published_at IS NOT NULL"""


@dataclass(frozen=True, slots=True)
class Consumer:
    """Who reads our topics: its Kafka group (also its name in the inbox) and the schema its inbox lies in."""

    group: str
    schema: str
    topics: tuple[str, ...]


Partition = tuple[str, int]
"""(topic, number)"""


class Edges(NamedTuple):
    """The first offset that Kafka still has of a partition, and the one it will give next."""

    start: int
    end: int


class Offsets(Protocol):
    """Whatever knows how far a group has committed, and what Kafka has."""

    async def committed(self, group: str) -> Mapping[Partition, int]:
        """Next offset to read per partition; partitions without one are absent."""
        ...

    async def edges(self, topics: Sequence[str]) -> Mapping[Partition, Edges]:
        """What Kafka has of these topics now."""
        ...


class KafkaOffsets:
    """Asks the broker."""

    def __init__(self, address: KafkaAddress) -> None:
        self._address = address

    async def committed(self, group: str) -> Mapping[tuple[str, int], int]:
        async with admin_client(self._address) as admin:
            found = await admin.list_consumer_group_offsets(group)
        return {(tp.topic, tp.partition): meta.offset for tp, meta in found.items() if meta.offset >= 0}

    async def edges(self, topics: Sequence[str]) -> Mapping[Partition, Edges]:
        async with admin_client(self._address) as admin:
            described = await admin.describe_topics(list(topics))
        asked = [TopicPartition(t["topic"], p["partition"]) for t in described for p in t["partitions"]]
        reader: Any = AIOKafkaConsumer(**self._address.client_options(), group_id=None)  # type: ignore[no-untyped-call]
        await reader.start()
        try:
            starts, ends = await reader.beginning_offsets(asked), await reader.end_offsets(asked)
        finally:
            await reader.stop()
        return {(tp.topic, tp.partition): Edges(starts[tp], ends[tp]) for tp in asked}


class _Row(NamedTuple):
    """A place in the outbox's order."""

    at: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    id: int = 0


@dataclass(slots=True)
class _Progress:
    """Up to where everything is known to have arrived, and how far the looks have come since; starts over with the
    process. One row that waits for ever must not hide those behind it, so a look goes on where the last one ended.
    """

    settled: _Row = field(default=_Row())
    seen: _Row = field(default=_Row())
    beyond: set[_Row] = field(default_factory=set)
    """Rows that lay behind Kafka's end, in this round of looks."""
    beyond_before: set[_Row] = field(default_factory=set)
    """And in the round before. A broker that has just become leader may not know its own end yet."""


class AntiEntropy:
    """The job of one producing service; run it in the relay's process."""

    def __init__(
        self,
        db: Database,
        tables: OutboxTables,
        consumers: Sequence[Consumer],
        offsets: Offsets,
        metrics: RelayMetrics,
    ) -> None:
        self._db = db
        self._schema = tables.schema
        self._offsets = offsets
        self._metrics = metrics
        self._progress = {consumer: _Progress() for consumer in consumers}
        for consumer in consumers:  # told from the start: the first repair counts as an increase
            metrics.lost_candidates(consumer.group, 0)

    async def run(self, stop: asyncio.Event) -> None:
        """Look twice a minute until `stop` is set. A passing fault skips one look; others end it."""
        pause = EVERY_S
        while not stop.is_set():
            try:
                async with asyncio.timeout(pause):
                    await stop.wait()
            except TimeoutError:
                try:
                    found = await self.look()
                except Exception as exc:
                    if not (is_transient(exc) or isinstance(exc, KafkaError)):
                        raise
                    _log.warning("antientropy.skipped", error=repr(exc)[:300])
                    self._metrics.look_skipped()
                else:
                    pause = BUSY_EVERY_S if found >= MOST_REPAIRS else EVERY_S

    async def look(self) -> int:
        """One look for all consumers; answers how many rows it will have sent again."""
        found = sum([await self._look_for(consumer, at) for consumer, at in self._progress.items()])
        self._metrics.looked()
        return found

    async def _look_for(self, consumer: Consumer, progress: _Progress) -> int:
        # offsets before rows: what is committed now was in the inbox before it was committed
        committed = await self._offsets.committed(consumer.group)
        edges = await self._offsets.edges(consumer.topics)
        rows = await self._read(consumer, progress, _places(committed, edges))
        lost = await self._confirmed(consumer, progress, rows)
        if lost:
            _log.error("antientropy.lost", consumer=consumer.group, rows=len(lost), schema=self._schema)
            await self._send_again(lost)
        self._metrics.lost_candidates(consumer.group, len(lost))
        return len(lost)

    async def _read(self, consumer: Consumer, progress: _Progress, places: str) -> list[Row[Any]]:
        """Rows that seem lost, of the next pages of the outbox."""
        statement = sql(_PAGE.replace("{seen}", consumer.schema), self._schema)
        parameters: dict[str, Any] = {
            "consumer": consumer.group,
            "topics": orjson.dumps(consumer.topics).decode(),
            "places": places,
            "window": WINDOW,
            "open": OPEN,
        }
        lost: list[Row[Any]] = []
        for _ in range(MOST_PAGES):
            async with self._db.reading() as tx:
                at, number = progress.seen
                rows = (await tx.execute(statement, parameters | {"at": at, "id": number})).all()
            connected = progress.settled == progress.seen
            for row in rows:
                progress.seen = _Row(row.created_at, row.id)
                connected = connected and row.closed and (row.of_others or (row.passed and not row.lost))
                if connected:
                    progress.settled = progress.seen
                if row.lost:
                    lost.append(row)
                    if len(lost) == MOST_REPAIRS:
                        return lost
            if len(rows) < WINDOW:
                progress.seen = progress.settled
                break
        return lost

    async def _confirmed(self, consumer: Consumer, progress: _Progress, rows: Sequence[Row[Any]]) -> list[_Row]:
        """Without rows that came to Kafka after its end was asked for, or whose loss only this round has seen."""
        edges = await self._offsets.edges(consumer.topics) if any(row.beyond for row in rows) else {}
        sure: list[_Row] = []
        for row in rows:
            place = _Row(row.created_at, row.id)
            if not row.beyond:
                sure.append(place)
            elif (at := edges.get((row.topic, row.part))) is not None and row.off >= at.end:
                progress.beyond.add(place)
                if place in progress.beyond_before:
                    sure.append(place)
        if progress.seen == progress.settled:  # a round is complete
            progress.beyond_before, progress.beyond = progress.beyond, set()
        return sure

    async def _send_again(self, lost: Sequence[_Row]) -> None:
        times = [at for at, _ in lost]
        rows = [{"i": number, "c": at} for at, number in lost]
        async with self._db.transaction() as tx:
            await tx.execute(
                sql(_AGAIN, self._schema),
                {"rows": orjson.dumps(rows).decode(), "low": min(times), "high": max(times)},
            )


def _places(committed: Mapping[Partition, int], edges: Mapping[Partition, Edges]) -> str:
    """Per partition the offset before which nothing will be read any more, and the one where Kafka ends, as JSON.

    A commit behind Kafka's end speaks of an older log (the topic was made anew, the broker lost its tail): the consumer
    will start at the beginning, so only what is deleted counts as passed.
    """
    rows = []
    for (topic, part), (start, end) in edges.items():
        reached = committed.get((topic, part), 0)
        rows.append({"topic": topic, "part": part, "next": max(start, reached if reached <= end else 0), "until": end})
    return orjson.dumps(rows).decode()

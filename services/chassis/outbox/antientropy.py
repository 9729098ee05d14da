"""Find what Kafka lost and send it again.

A row counts as lost only if a consumer has committed past its place and still lacks it. Age says nothing: a consumer
that merely lags would have its whole backlog sent twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import orjson
from aiokafka.errors import KafkaError

from services.chassis.db import Database, is_transient, sql
from services.chassis.kafka import KafkaAddress, admin_client
from services.chassis.outbox.metrics import RelayMetrics
from services.chassis.outbox.tables import OutboxTables
from services.chassis.telemetry import logger

EVERY_S: Final = 60.0
WINDOW: Final = 20_000
"""Rows looked at per statement."""
MOST_PAGES: Final = 50
OPEN: Final = timedelta(minutes=10)
"""Rows younger than this are looked at every time: one of a slow transaction may still appear among them."""
MOST_REPAIRS: Final = 500
"""Rows sent again per consumer and pass: repairing must not drown the live traffic."""

_log = logger(__name__)
_PAGE: Final = """
  WITH page AS MATERIALIZED (
    SELECT o.created_at, o.id, o.topic, o."partition" AS part, o."offset" AS off, o.event_id, o.published_at
    FROM @schema.outbox o WHERE o.created_at >= :at AND (o.created_at, o.id) > (:at, :id)
    ORDER BY o.created_at, o.id LIMIT :window),
  judged AS (
    SELECT p.*, NOT p.topic = ANY (SELECT json_array_elements_text(CAST(:topics AS json))) AS of_others,
      coalesce(p.published_at IS NOT NULL AND p.off < o.next, false) AS passed
    FROM page p LEFT JOIN json_to_recordset(CAST(:committed AS json)) AS o(topic text, part int, next bigint)
      ON o.topic = p.topic AND o.part = p.part)
  SELECT j.created_at, j.id, j.of_others, j.passed,
    j.created_at < least(statement_timestamp(), directory.grid_now()) - CAST(:open AS interval) AS closed,
    j.passed AND NOT EXISTS (
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


class Offsets(Protocol):
    """Whatever knows how far a group has committed."""

    async def committed(self, group: str) -> Mapping[tuple[str, int], int]:
        """Next offset to read per (topic, partition)."""
        ...


class KafkaOffsets:
    """Asks the broker."""

    def __init__(self, address: KafkaAddress) -> None:
        self._address = address

    async def committed(self, group: str) -> Mapping[tuple[str, int], int]:
        async with admin_client(self._address) as admin:
            found = await admin.list_consumer_group_offsets(group)
        return {(tp.topic, tp.partition): meta.offset for tp, meta in found.items() if meta.offset >= 0}


@dataclass(slots=True)
class _Progress:
    """Up to where everything is known to have arrived; starts over with the process."""

    at: datetime = field(default=datetime(1970, 1, 1, tzinfo=UTC))
    id: int = 0


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

    async def run(self, stop: asyncio.Event) -> None:
        """Look every minute until `stop` is set. A passing fault skips one look; others end it."""
        while not stop.is_set():
            try:
                async with asyncio.timeout(EVERY_S):
                    await stop.wait()
            except TimeoutError:
                try:
                    await self.look()
                except Exception as exc:
                    if not (is_transient(exc) or isinstance(exc, KafkaError)):
                        raise
                    _log.warning("antientropy.skipped", error=repr(exc)[:300])

    async def look(self) -> int:
        """One pass over all consumers; answers how many rows it will have sent again."""
        return sum([await self._look_for(consumer, at) for consumer, at in self._progress.items()])

    async def _look_for(self, consumer: Consumer, progress: _Progress) -> int:
        # offsets before rows: what is committed now was in the inbox before it was committed
        committed = await self._offsets.committed(consumer.group)
        lost = await self._lost(consumer, progress, committed)
        if lost:
            _log.error("antientropy.lost", consumer=consumer.group, rows=len(lost), schema=self._schema)
            await self._send_again(lost)
        self._metrics.lost_candidates(consumer.group, len(lost))
        return len(lost)

    async def _lost(
        self, consumer: Consumer, progress: _Progress, committed: Mapping[tuple[str, int], int]
    ) -> list[tuple[datetime, int]]:
        statement = sql(_PAGE.replace("{seen}", consumer.schema), self._schema)
        parameters = {
            "consumer": consumer.group,
            "topics": orjson.dumps(consumer.topics).decode(),
            "committed": orjson.dumps(
                [{"topic": t, "part": p, "next": n} for (t, p), n in committed.items() if t in consumer.topics]
            ).decode(),
            "window": WINDOW,
            "open": OPEN,
        }
        at, number, settled = progress.at, progress.id, True
        lost: list[tuple[datetime, int]] = []
        for _ in range(MOST_PAGES):
            async with self._db.reading() as tx:
                rows = (await tx.execute(statement, parameters | {"at": at, "id": number})).all()
            for row in rows:
                settled = settled and row.closed and (row.of_others or (row.passed and not row.lost))
                if settled:
                    progress.at, progress.id = row.created_at, row.id
                if row.lost:
                    lost.append((row.created_at, row.id))
            if len(rows) < WINDOW or len(lost) >= MOST_REPAIRS:
                break
            at, number = rows[-1].created_at, rows[-1].id
        return lost[:MOST_REPAIRS]

    async def _send_again(self, lost: Sequence[tuple[datetime, int]]) -> None:
        times = [at for at, _ in lost]
        rows = [{"i": number, "c": at} for at, number in lost]
        async with self._db.transaction() as tx:
            await tx.execute(
                sql(_AGAIN, self._schema),
                {"rows": orjson.dumps(rows).decode(), "low": min(times), "high": max(times)},
            )

"""Carry outbox rows to Kafka, in order per key, at least once.

One relay owns a shard: an advisory lock held by the very connection that reads, so that losing the lock and losing the
ability to read are one event. Rows are found by their missing `published_at`, never by a cursor: ids become visible out
of order, and a cursor would step over the late ones. Nothing is open in the database while Kafka is awaited.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, TopicAuthorizationFailedError
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from services.chassis.clock import monotonic
from services.chassis.db import Database, is_transient
from services.chassis.outbox.metrics import RelayMetrics
from services.chassis.outbox.producer import Producer
from services.chassis.outbox.sql import RelaySql
from services.chassis.outbox.tables import SHARDS, OutboxTables
from services.chassis.pace import PROMPT, Pace
from services.chassis.telemetry import logger
from services.chassis.watchdog.pulse import Pulse

BATCH: Final = 1000
SEND_PATIENCE_S: Final = 60.0
IDLE_MAX_S: Final = 0.05
BUSY_S: Final = 0.2
"""So long after a row the next one is expected soon, and looked for often."""
FLOOR_EVERY_S: Final = 10.0
FLOOR_MARGIN: Final = timedelta(hours=1)
KEY_PAUSE_S: Final = 30.0
"""How long a key waits after Kafka refused one of its messages, while the other keys go on."""

_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Sent:
    """A row Kafka has acknowledged, and where it lies there."""

    id: int
    created_at: datetime
    partition: int
    offset: int


Answer = Any | BaseException
"""Kafka's record metadata (partition, offset), or why there is none."""

REFUSALS: Final = (MessageSizeTooLargeError, TopicAuthorizationFailedError)
"""Kafka's answers that no repetition changes; whatever else goes wrong is the weather's or the producer's fault."""


class ProducerLost(Exception):
    """The producer can no longer be trusted; a new one sends the same rows again."""


class Relay:
    """The loop of one process. `producer` makes a fresh Kafka client each time it is called."""

    def __init__(
        self,
        db: Database,
        tables: OutboxTables,
        producer: Callable[[], Producer],
        metrics: RelayMetrics,
        shards: Sequence[int] = range(SHARDS),
        pace: Pace = PROMPT,
    ) -> None:
        self._db = db
        self._look_s = pace.look_s
        self._sql = RelaySql(tables.schema)
        self._make_producer = producer
        self._metrics = metrics
        self._candidates = tuple(shards)
        self._namespace = zlib.crc32(f"outbox of {tables.schema}".encode()) & 0x7FFF_FFFF
        self._owned: tuple[int, ...] = ()
        self._floor: datetime | None = None
        self._paused: dict[bytes, float] = {}
        self._unmarked: list[Sent] = []
        self.pulse = Pulse("relay")
        self.pulse.serving = False

    async def run(self, stop: asyncio.Event) -> None:
        """Carry rows until `stop` is set. Survives the loss of database and broker; other errors end it."""
        while not stop.is_set():
            try:
                async with self._db.session() as connection:
                    await self._run_connected(connection, stop)
            except Exception as exc:
                if not is_transient(exc):
                    raise
                _log.warning("relay.database_lost", error=repr(exc))
                self._metrics.database_lost()
                self.pulse.turn()
                await _sleep(1.0, stop)

    async def _run_connected(self, connection: AsyncConnection, stop: asyncio.Event) -> None:
        self._floor, self._owned = None, ()
        await connection.execute(self._sql.unhurried)
        while not stop.is_set():
            producer = self._make_producer()
            self.pulse.turn()
            self.pulse.waits("the broker")
            try:
                await _start(producer)
                await self._run_producing(connection, producer, stop)
            except ProducerLost as exc:
                _log.warning("relay.producer_lost", error=repr(exc))
                self._metrics.producer_lost()
                await _sleep(0.5, stop)
            finally:
                await producer.stop()

    async def _run_producing(self, connection: AsyncConnection, producer: Producer, stop: asyncio.Event) -> None:
        idle, busy_until = self._look_s, 0.0
        next_floor = next_acquire = 0.0
        self.pulse.waits(None)
        while not stop.is_set():
            self.pulse.turn()
            now = monotonic()
            if now >= next_acquire:
                await self._acquire(connection)
                self.pulse.serving = True
                next_acquire = now + 2.0
            if self._owned and now >= next_floor:
                await self._refresh_floor(connection)
                next_floor = now + FLOOR_EVERY_S
            if not self._owned:
                await _sleep(0.5, stop)
                continue
            count = await self.carry(connection, producer)
            if count == BATCH:
                continue
            busy_until = now + BUSY_S if count else busy_until
            idle = self._look_s if now < busy_until else min(IDLE_MAX_S, idle * 2)
            await _sleep(idle, stop)

    async def carry(self, connection: AsyncConnection, producer: Producer) -> int:
        """One pass: read, send, mark. Answers how many rows it read; raises ProducerLost after marking what it can."""
        await self._mark(connection)
        rows = await self._read(connection)
        self.pulse.has(len(rows))
        if not rows:
            return 0
        answers = await self._send(producer, rows)
        self._unmarked, failures = sent_prefixes(rows, answers)
        await self._mark(connection)
        for key, error in failures.items():
            if not isinstance(error, REFUSALS):
                raise ProducerLost(repr(error)) from error
            self._pause(key, error)
        return len(rows)

    async def _mark(self, connection: AsyncConnection) -> None:
        """Note what Kafka has taken. While the database cannot (a full disk still reads), it is not sent again."""
        if self._unmarked:
            await connection.execute(self._sql.mark, _mark_parameters(self._unmarked))
            self._metrics.published(len(self._unmarked))
            self.pulse.did(len(self._unmarked))
            self._unmarked = []

    async def _send(self, producer: Producer, rows: Sequence[Row[Any]]) -> list[Answer]:
        """Hand over all rows in their order, then wait for all; what has no answer in time counts as failed."""
        futures: list[asyncio.Future[Any] | BaseException] = []
        deadline = monotonic() + SEND_PATIENCE_S
        try:
            async with asyncio.timeout(SEND_PATIENCE_S):
                for row in rows:  # one by one: the order of calls is the order on the wire
                    futures.append(await self._hand_over(producer, row))  # noqa: PERF401 - kept when time runs out
        except TimeoutError as exc:
            futures += [exc] * (len(rows) - len(futures))
        waiting = [future for future in futures if isinstance(future, asyncio.Future)]
        if waiting:
            await asyncio.wait(waiting, timeout=max(0.0, deadline - monotonic()))
        return [_answer(future) for future in futures]

    async def _hand_over(self, producer: Producer, row: Row[Any]) -> asyncio.Future[Any] | BaseException:
        headers = [(name, value.encode()) for name, value in row.headers.items()]
        try:
            return await producer.send(row.topic, row.payload, row.key, headers)
        except KafkaError as exc:
            return exc

    def _pause(self, key: bytes, error: BaseException) -> None:
        _log.error("relay.key_refused", key=key.decode(errors="replace"), error=repr(error))
        self._metrics.key_refused()
        self._paused[key] = monotonic() + KEY_PAUSE_S

    async def _read(self, connection: AsyncConnection) -> Sequence[Row[Any]]:
        now = monotonic()
        self._paused = {key: until for key, until in self._paused.items() if until > now}
        parameters: dict[str, Any] = {"floor": self._floor, "limit": BATCH}
        if self._paused:
            parameters["paused"] = orjson.dumps([key.hex() for key in self._paused]).decode()
        if len(self._owned) == SHARDS:
            statement = self._sql.read_unpaused if self._paused else self._sql.read
        else:
            parameters["shards"] = orjson.dumps(self._owned).decode()
            statement = self._sql.read_shards_unpaused if self._paused else self._sql.read_shards
        return (await connection.execute(statement, parameters)).all()

    async def _acquire(self, connection: AsyncConnection) -> None:
        missing = [shard for shard in self._candidates if shard not in self._owned]
        for shard in missing:
            taken = await connection.execute(self._sql.lock, {"space": self._namespace, "shard": shard})
            if taken.scalar_one():
                self._owned = (*self._owned, shard)
        gained = len(missing) + len(self._owned) - len(self._candidates)
        if gained:
            _log.info("relay.owns_shards", shards=len(self._owned), of=len(self._candidates))
        self._metrics.owned(len(self._owned))

    async def _refresh_floor(self, connection: AsyncConnection) -> None:
        """Find how far back unpublished rows reach, so that a pass need not look into old partitions.

        The floor moves only here, by what this statement saw, and stays an hour behind: rows whose transaction is
        still open now carry times from after their statement began, and no statement runs for an hour.
        """
        row = (await connection.execute(self._sql.backlog)).one()
        self._floor = min(row.oldest or row.real_now, row.real_now) - FLOOR_MARGIN
        age = (row.now - row.oldest).total_seconds() if row.oldest else 0.0
        self._metrics.backlog(max(0.0, age), row.waiting)


def sent_prefixes(rows: Sequence[Row[Any]], answers: Sequence[Answer]) -> tuple[list[Sent], dict[bytes, BaseException]]:
    """What counts as sent: of each key everything before its first failure, and those first failures.

    A row that Kafka took behind a failed one of its key is left unmarked: it is sent again after the failed one, and
    the consumer drops the second copy.
    """
    done: list[Sent] = []
    failures: dict[bytes, BaseException] = {}
    for row, answer in zip(rows, answers, strict=True):
        if row.key in failures:
            continue
        if isinstance(answer, BaseException):
            failures[row.key] = answer
        else:
            done.append(Sent(row.id, row.created_at, answer.partition, answer.offset))
    return done, failures


def _answer(future: asyncio.Future[Any] | BaseException) -> Answer:
    if isinstance(future, BaseException):
        return future
    if not future.done():
        return TimeoutError(f"no answer within {SEND_PATIENCE_S:.0f} s")
    if future.cancelled():
        return ProducerLost("the producer gave up")
    return future.exception() or future.result()


def _mark_parameters(done: Sequence[Sent]) -> dict[str, Any]:
    times = [sent.created_at for sent in done]
    rows = [{"i": sent.id, "c": sent.created_at, "p": sent.partition, "f": sent.offset} for sent in done]
    return {"sent": orjson.dumps(rows).decode(), "low": min(times), "high": max(times)}


async def _start(producer: Producer) -> None:
    try:
        await producer.start()
    except (KafkaError, OSError) as exc:
        raise ProducerLost(repr(exc)) from exc


async def _sleep(seconds: float, stop: asyncio.Event) -> None:
    """Wait, or less if the process is asked to end."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return

"""The Faust application of one consuming service, and the process's way out when it can no longer be trusted.

Faust acknowledges an event whose handler raised, so nothing may ever leave the agent's body: events are taken without
acknowledgement, acknowledged in order after COMMIT, and whatever cannot be handled ends the process by `os._exit`. The
orderly ways out are worse: they commit offsets of events nobody has processed. tests/contract/faust pins this down.
"""

from __future__ import annotations

import asyncio
import datetime
import os
from collections.abc import Coroutine, Sequence
from typing import Any, Final

import faust
import faust.streams
from aiokafka.errors import KafkaError

from schemas.registry import decode as decode_published
from services.chassis.clock import monotonic
from services.chassis.db import Database
from services.chassis.ids import IdSource
from services.chassis.inbox import InboxTables
from services.chassis.kafka import METADATA_MS, KafkaAddress, quiet_client_logs
from services.chassis.outbox.tables import OutboxTables
from services.chassis.pace import PROMPT, Pace
from services.chassis.streams.batch import BatchRunner, Surroundings
from services.chassis.streams.handler import BatchHandler
from services.chassis.streams.lags import Lags, Place
from services.chassis.streams.message import Decode, Item, Message
from services.chassis.streams.metrics import StreamMetrics
from services.chassis.streams.rewind import RewindingTransport
from services.chassis.streams.standstill import LOOK_EVERY_S, Standstill
from services.chassis.telemetry import Metrics, logger
from services.chassis.watchdog.pulse import Pulse
from services.chassis.watchdog.weather import Weather

BATCH: Final = 256
READ_SLICE: Final = 32
SESSION_S: Final = 8.0
HEARTBEAT_S: Final = 2.0
"""A member learns of a rebalance with its next heartbeat."""
REBALANCE_S: Final = 60.0
EXIT_FATAL: Final = 70
RELEASE_EVERY_S: Final = 30.0
WATCH_EVERY_S: Final = 2.0

_log = logger(__name__)


class PurePythonFaust(RuntimeError):
    """Faust runs without its compiled stream iterator, whose pure Python twin loses events at a rebalance."""


def require_compiled_iterator() -> None:
    """Refuse to start on an installation that loses events."""
    if vars(faust.streams)["_CStreamIterator"] is None:
        raise PurePythonFaust("install the binary wheel of faust-streaming; never set NO_CYTHON")


class CarefulFaust(faust.App):
    """Faust without its folders for tables (the working directory may be read-only) and with a consumer that loses
    nothing of partitions that are new."""

    def _create_directories(self) -> None:
        return

    def _new_transport(self) -> RewindingTransport:
        return RewindingTransport(self.conf.broker_consumer, self)


def make_app(app_id: str, address: KafkaAddress) -> faust.App:
    """Faust with the settings the delivery proof rests on. `app_id` is the consumer group: never change it."""
    require_compiled_iterator()
    return CarefulFaust(
        app_id,
        version=1,  # any other number renames the group and replays everything
        broker=address.faust_broker(),
        broker_credentials=_credentials(address),
        autodiscover=False,
        processing_guarantee="at_least_once",
        key_serializer="raw",
        value_serializer="raw",
        store="memory://",
        table_standby_replicas=0,
        topic_disable_leader=True,
        topic_allow_declare=False,
        consumer_auto_offset_reset="earliest",
        broker_commit_interval=1.0,
        broker_commit_every=2000,
        broker_session_timeout=SESSION_S,
        broker_heartbeat_interval=HEARTBEAT_S,
        broker_request_timeout=40.0,
        consumer_metadata_max_age_ms=METADATA_MS,
        broker_rebalance_timeout=REBALANCE_S,
        broker_max_poll_interval=86_400.0,  # a long database outage must not cost membership
        broker_max_poll_records=1000,
        stream_buffer_maxsize=2048,
        stream_wait_empty=True,
        stream_recovery_delay=0.0,
        stream_processing_timeout=60.0,
        broker_commit_livelock_soft_timeout=60.0,
        producer_acks=-1,
        producer_request_timeout=30.0,
        producer_threaded=False,
        web_enabled=False,
        worker_redirect_stdouts=False,
        timezone=datetime.UTC,
        cython_optimizations=False,
    )


def _credentials(address: KafkaAddress) -> Any:
    if address.username:
        return faust.SASLCredentials(
            username=address.username,
            password=address.password,
            mechanism=address.mechanism,
            ssl_context=address.ssl_context(),
        )
    return faust.SSLCredentials(address.ssl_context()) if address.tls else None


class StreamWorker:
    """One process of a consumer group. Run as many as there are partitions at most.

    `tables` are the consuming service's inbox and the outbox that takes its dead letters.
    """

    def __init__(
        self,
        app_id: str,
        topics: Sequence[str],
        handler: BatchHandler,
        db: Database,
        tables: tuple[InboxTables, OutboxTables],
        address: KafkaAddress,
        ids: IdSource,
        metrics: Metrics,
        decode: Decode = decode_published,
        pace: Pace = PROMPT,
    ) -> None:
        self._gather_s = pace.gather_s
        self._app = make_app(app_id, address)
        self._metrics = StreamMetrics(metrics)
        self.pulse = Pulse(app_id, Weather(db, address).excuse)
        self.pulse.serving = False
        around = Surroundings(urgent=self._urgent, decode=decode, committed=self.pulse.did)
        self._runner = BatchRunner(app_id, db, tables, handler, ids, self._metrics, around)
        self._topics = tuple(topics)
        self._done: dict[tuple[str, int], int] = {}
        self._lags = Lags()
        self._standstill = Standstill()
        self._reached: dict[Place, tuple[int, int]] = {}
        topic = self._app.topic(*topics, key_serializer="raw", value_serializer="raw", internal=False)
        self._app.agent(topic, name=f"{app_id}.stream", concurrency=1)(self._consume)

    @property
    def trouble(self) -> str | None:
        """Why this worker does not move; None while it does. For the ready check."""
        return self._runner.trouble if self._app.started else "not started"

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop` is set. Leaves the process, instead of raising, on anything it cannot handle."""
        quiet_client_logs()
        self._app.loop = asyncio.get_running_loop()
        try:
            await _unless(stop, self._begin())
            await self._stand_by(stop)
            await self._app.stop()
        except asyncio.CancelledError:
            raise
        except BaseException as exc:  # noqa: BLE001 - whatever it is, an orderly way out would lose events
            self._end(exc)

    async def _begin(self) -> None:
        await self._runner.release()
        await self._app.start()

    async def _stand_by(self, stop: asyncio.Event) -> None:
        """Watch over the application, release held events now and then, until asked to end."""
        next_release = monotonic() + RELEASE_EVERY_S
        next_look = monotonic() + LOOK_EVERY_S
        while not stop.is_set():
            await _unless(stop, asyncio.sleep(WATCH_EVERY_S))
            if stop.is_set():
                return
            if self._app.crashed or self._app.should_stop:
                raise RuntimeError(f"Faust gave up: {self._app.crash_reason!r}")
            self._watch()
            if monotonic() >= next_release:
                await _unless(stop, self._runner.release())
                next_release = monotonic() + RELEASE_EVERY_S
            if monotonic() >= next_look:
                await _unless(stop, self._look_for_standstill())
                next_look = monotonic() + LOOK_EVERY_S

    async def _look_for_standstill(self) -> None:
        """Ask the broker how far our partitions have come. Raises StoodStill; the process, started again, goes back."""
        consumer: Any = self._app.consumer
        try:
            self._reached = await consumer.reached()
        except (KafkaError, TimeoutError) as error:
            _log.warning("stream.unasked", topics=self._topics, error=repr(error)[:300])
            self._reached = {}
        if self._app.rebalancing or self._runner.trouble or not self._reached:
            self._standstill.forgive()
        else:
            self._standstill.look(self._reached)

    def _watch(self) -> None:
        lags = self._lags.look(self._ends())
        self._metrics.lag(lags)
        lag = sum(each.messages for each in lags.values())
        self.pulse.turn()
        self.pulse.has(lag + self._app.rebalancing)
        self.pulse.waits(self._runner.trouble)
        self.pulse.serving = bool(self._app.consumer.assignment()) and not self._app.rebalancing

    def _ends(self) -> dict[Place, tuple[int, int]]:
        """Per partition of ours what comes next and where it ends, as the client knows it or the broker has told."""
        consumer: Any = self._app.consumer
        ends: dict[Place, tuple[int, int]] = {}
        for tp in consumer.assignment():
            if (told := self._reached.get(Place(tp.topic, tp.partition))) is not None:
                ends[Place(tp.topic, tp.partition)] = told
            end, read = consumer.highwater(tp), consumer._read_offset.get(tp)  # noqa: SLF001 - no public name for it
            committed = consumer._committed_offset.get(tp) or 0  # noqa: SLF001 - nor for this
            if end is not None and read is not None:
                done = max(self._done.get((tp.topic, tp.partition), 0), committed) or read
                ends[Place(tp.topic, tp.partition)] = (done, end)
        return ends

    def _urgent(self) -> bool:
        """Whether the group or a signal waits for the batch under way."""
        return bool(self._app.rebalancing or self._app.should_stop)

    async def _consume(self, stream: Any) -> None:
        """Take batches; each is applied beside the taking of the next, and never before the one before it is acked.

        So Faust gathers while PostgreSQL works, at most one batch ahead. What is in hand when the agent is cancelled
        is neither committed nor acknowledged, or it is both.
        """
        applying: asyncio.Task[None] | None = None
        try:
            async for events in stream.noack_take(BATCH, within=self._gather_s):
                items = await self._read(events)
                if applying is not None:
                    await applying
                applying = asyncio.create_task(self._take(events, items))
            if applying is not None:
                await applying
        except BaseException as exc:
            if applying is not None:
                applying.cancel()
                await asyncio.gather(applying, return_exceptions=True)
            if not (isinstance(exc, asyncio.CancelledError) and self._app.should_stop):
                self._end(exc)
            raise

    async def _read(self, events: Sequence[Any]) -> list[Item]:
        """Decode a batch in slices, so that the database's answers to the batch before do not wait for all of it."""
        items: list[Item] = []
        for start in range(0, len(events), READ_SLICE):
            items += self._runner.read([Message.of(event.message) for event in events[start : start + READ_SLICE]])
            await asyncio.sleep(0)
        return items

    async def _take(self, events: Sequence[Any], items: Sequence[Item]) -> None:
        """Apply one batch and acknowledge it, in order, after COMMIT."""
        try:
            await self._runner.run(items)
            for event in events:
                event.ack()
                self._done[(event.message.topic, event.message.partition)] = event.message.offset + 1
        except asyncio.CancelledError:
            raise  # asked to stop in the middle of a batch: `_consume` judges whether that was in order
        except BaseException as exc:  # noqa: BLE001 - nothing may be lost between a fault and the end of the process
            self._end(exc)

    def _end(self, exc: BaseException) -> None:
        _log.critical("stream.fatal", topics=self._topics, exc_info=exc)
        os._exit(EXIT_FATAL)


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, Any]) -> None:
    """Do `work`, but let go of it once `stop` is set."""
    doing, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            doing.result()
    finally:
        for task in (doing, stopping):
            task.cancel()
        await asyncio.gather(doing, stopping, return_exceptions=True)

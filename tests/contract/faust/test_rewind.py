"""What Faust does not do by itself when partitions are given out anew: go back to the beginning of a partition of which
nothing was ever committed, and keep still until it has gone back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Final

import faust
import pytest
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.types import TP
from mode.utils.queues import FlowControlQueue

from services.chassis.kafka import KafkaAddress
from services.chassis.streams.lags import Place
from services.chassis.streams.rewind import RewindingConsumer
from services.chassis.streams.worker import make_app

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
OLD, NEW, AT_ZERO = TP("t", 0), TP("t", 12), TP("t", 13)
LENGTH: Final = 60
PATIENCE_S: Final = 30.0


class Thread:
    """The thread that owns the Kafka client."""

    def __init__(self) -> None:
        self.rewound: list[TP] = []

    async def seek_to_committed(self) -> dict[TP, int | None]:
        return {OLD: 7, NEW: None, AT_ZERO: 0}

    async def seek_to_beginning(self, *partitions: TP) -> None:
        self.rewound += partitions


@pytest.fixture
async def app() -> faust.App:
    app = make_app("grid-dispatch", KafkaAddress(("a:1",)))
    app.loop = asyncio.get_running_loop()
    app.finalize()
    return app


def over(thread: Any) -> RewindingConsumer:
    """A consumer that has nothing but its thread."""
    consumer: Any = RewindingConsumer.__new__(RewindingConsumer)
    consumer._thread = thread
    consumer._committed_offset = {OLD: 7, NEW: 3}
    return consumer  # type: ignore[no-any-return]


async def test_the_worker_reads_through_the_consumer_that_goes_back(app: faust.App) -> None:
    assert app.transport.Consumer is RewindingConsumer


async def test_a_partition_without_a_commit_goes_back_to_its_beginning() -> None:
    thread = Thread()
    consumer = over(thread)
    committed = await consumer.seek_to_committed()
    assert committed == {OLD: 7, NEW: None, AT_ZERO: 0}
    assert thread.rewound == [NEW, AT_ZERO], "Kafka's client goes back by itself only to a commit above zero"
    assert consumer._committed_offset == {OLD: 7}, "what the broker does not know of was not committed"


async def test_a_group_with_commits_everywhere_asks_for_nothing_more() -> None:
    class Settled(Thread):
        async def seek_to_committed(self) -> dict[TP, int | None]:
            return {OLD: 7}

    thread = Settled()
    await over(thread).seek_to_committed()
    assert thread.rewound == []


@dataclass
class Reader:
    """The client's thread with one partition behind it, from which it reads two messages at a time.

    Going back takes it some time after this partition's turn: there are others.
    """

    committed: int
    position: int
    beacon: None = None
    seeks: int = 0
    going_back: asyncio.Event = field(default_factory=asyncio.Event)
    gone_back: asyncio.Event = field(default_factory=asyncio.Event)
    read_out: asyncio.Event = field(default_factory=asyncio.Event)

    def assignment(self) -> set[TP]:
        return {OLD}

    def highwater(self, _tp: TP) -> int:
        return LENGTH

    async def getmany(self, active: set[TP], timeout: float) -> dict[TP, list[Any]]:
        await asyncio.sleep(0)
        if OLD not in active or self.position >= LENGTH:
            return {}
        self.position += 2
        return {OLD: [_record(number) for number in range(self.position - 2, self.position)]}

    async def seek_to_committed(self) -> dict[TP, int]:
        self.seeks += 1
        self.position = self.committed
        self.going_back.set()
        await self.gone_back.wait()
        return {OLD: self.committed}


def _record(offset: int) -> Any:
    rest: dict[str, Any] = dict.fromkeys(("timestamp", "timestamp_type", "key", "value", "checksum"))
    sizes = {"serialized_key_size": 0, "serialized_value_size": 0}
    return SimpleNamespace(topic=OLD.topic, partition=OLD.partition, offset=offset, headers=(), **rest, **sizes)


@asynccontextmanager
async def reading(app: faust.App, reader: Reader, kind: type[RewindingConsumer]) -> AsyncIterator[list[int]]:
    """Faust's own fetcher at work in front of a buffer such as streams have; yields what is in that buffer."""
    buffer: FlowControlQueue[int] = FlowControlQueue(flow_control=app.flow_control, clear_on_resume=True)

    async def hand_on(message: Any) -> None:
        await app.flow_control.acquire()
        await buffer.put(message.offset)
        if message.offset == LENGTH - 1:
            reader.read_out.set()

    async def ignore(*_: Any) -> None:
        return

    consumer: Any = type("Reading", (kind,), {"_new_consumer_thread": lambda _: reader})(
        app.transport, hand_on, ignore, ignore
    )
    app.consumer = consumer
    app._fetcher.maybe_start = ignore
    consumer._set_active_tps({OLD})
    app.flow_control.resume()
    consumer.resume_flow()
    drainer = asyncio.ensure_future(consumer._drain_messages(SimpleNamespace(_stopped=asyncio.Event())))
    try:
        yield buffer._queue  # type: ignore[attr-defined] # as it lies there
    finally:
        drainer.cancel()
        await asyncio.gather(drainer, return_exceptions=True)


async def _resumed_while_flowing(app: faust.App, kind: type[RewindingConsumer]) -> Sequence[int]:
    """Faust's way back with the messages flowing, as a way back under way leaves it when partitions change again."""
    reader = Reader(committed=10, position=20)
    async with reading(app, reader, kind) as buffered, asyncio.timeout(PATIENCE_S):
        way_back = asyncio.ensure_future(app.tables.recovery._resume_streams(app.consumer_generation_id))
        await reader.going_back.wait()
        for _ in range(200):  # turns of the loop in which messages could be handed on
            await asyncio.sleep(0)
        reader.gone_back.set()
        await way_back
        await reader.read_out.wait()
        return [*buffered]


async def test_what_is_read_during_the_way_back_is_not_thrown_away_at_its_end(app: faust.App) -> None:
    handed_on = await _resumed_while_flowing(app, RewindingConsumer)
    assert sorted(set(handed_on)) == list(range(10, LENGTH))


async def test_faust_by_itself_throws_it_away(app: faust.App) -> None:
    class AsItIs(RewindingConsumer):
        perform_seek = RewindingConsumer.__mro__[1].perform_seek  # type: ignore[attr-defined]

    handed_on = await _resumed_while_flowing(app, AsItIs)
    assert not {*range(10, 20)} & {*handed_on}, "Faust has learnt to keep still: `RewindingConsumer` may forget it"


class Client:
    """Kafka's client, as far as it is asked where things stand."""

    def assignment(self) -> set[TopicPartition]:
        return {TopicPartition(*tp) for tp in (OLD, NEW, AT_ZERO)}

    @property
    def _coordinator(self) -> Client:
        return self

    async def fetch_committed_offsets(self, asked: Sequence[TopicPartition]) -> dict[TopicPartition, OffsetAndMetadata]:
        return {tp: OffsetAndMetadata(7, "") for tp in asked if tp.partition != NEW.partition}

    async def beginning_offsets(self, asked: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return {tp: 9 if tp.partition == AT_ZERO.partition else 0 for tp in asked}

    async def end_offsets(self, asked: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(asked, 9)


async def test_where_partitions_stand_is_the_brokers_word() -> None:
    class Threaded(Thread):
        def _ensure_consumer(self) -> Client:
            return Client()

        async def call_thread(self, ask: Any, *values: Any) -> Any:
            return await ask(*values)

    assert await over(Threaded()).reached() == {
        Place(*OLD): (7, 9),
        Place(*NEW): (0, 9),
        Place(*AT_ZERO): (9, 9),  # what Kafka has deleted does not wait any more
    }

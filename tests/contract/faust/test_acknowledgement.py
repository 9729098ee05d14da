"""What Faust 0.15.3 does with events when things go wrong: the facts our stream worker is built on.

If one of these fails after an upgrade, Faust has changed; read `services/chassis/streams/worker.py` before touching it.
The first ones show faults of Faust that we avoid, the last ones the way we go.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import faust
import faust.streams
import pytest

from tests.contract.faust.bench import PARTITION, running

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


class Fault(Exception):
    """Raised by a handler under test."""


async def test_the_pinned_version_is_installed() -> None:
    assert faust.__version__ == "0.15.3"


async def test_a_raising_handler_loses_its_event() -> None:
    seen: list[bytes] = []

    async def body(stream: Any) -> None:
        async for value in stream:
            seen.append(value)
            if value == b"2" and seen.count(b"2") == 1:
                raise Fault

    async with running(body) as bench:
        await bench.feed(0, 1, 2, 3, 4)
        assert await bench.until(lambda: b"4" in seen)
        gc.collect()
        await asyncio.sleep(0.05)

        assert seen.count(b"2") == 1, "it never comes again"
        assert 2 in bench.consumer.acked()
        assert bench.consumer.committable() == 5


async def test_a_plain_stream_acknowledges_the_event_under_way_when_stopped() -> None:
    under_way = asyncio.Event()

    async def body(stream: Any) -> None:
        async for value in stream:
            if value == b"2":
                under_way.set()
                await asyncio.sleep(60)

    async with running(body) as bench:
        await bench.feed(0, 1, 2)
        await asyncio.wait_for(under_way.wait(), 30)
        await bench.stop()

        assert bench.consumer.acked() == [0, 1, 2]
        assert bench.consumer.committable() == 3


async def test_noack_leaves_the_event_under_way_when_stopped() -> None:
    under_way = asyncio.Event()

    async def body(stream: Any) -> None:
        async for event in stream.noack().events():
            if event.message.offset == 2:
                under_way.set()
                await asyncio.sleep(60)
            await stream.ack(event)

    async with running(body) as bench:
        await bench.feed(0, 1, 2)
        await asyncio.wait_for(under_way.wait(), 30)
        await bench.stop()

        assert bench.consumer.acked() == [0, 1]
        assert bench.consumer.committable() == 2


@pytest.mark.parametrize(
    ("committed", "acked", "next_commit"),
    [
        (5, [6, 7], 8),  # off by one: 5 was never acknowledged and is stepped over
        (5, [7, 8], None),
        (0, [3, 4], 5),  # nothing committed counts as no gap
        (None, [3, 4], 5),
        (5, [5, 6], 7),
    ],
)
async def test_the_gap_check_before_a_commit_is_off_by_one(
    committed: int | None, acked: list[int], next_commit: int | None
) -> None:
    async with running(_idle) as bench:
        bench.consumer._committed_offset[PARTITION] = committed
        bench.consumer._acked[PARTITION] = list(acked)
        bench.consumer._acked_index[PARTITION] = set(acked)

        assert bench.consumer.committable() == next_commit


@pytest.mark.parametrize("method", ["take_events", "noack_take"])
async def test_a_buffered_stream_stalls_after_an_exception_that_keeps_its_generator(method: str) -> None:
    """A kept traceback is enough: the restarted agent adds a second buffer, and each waits for the other."""
    batches: list[int] = []
    kept: list[Any] = []

    async def body(stream: Any) -> None:
        generator = getattr(stream, method)(4, within=0.05)
        kept.append(generator)
        async for events in generator:
            batches.append(len(events))
            if len(batches) == 2:
                raise Fault

    async with running(body) as bench:
        await bench.feed(*range(22))
        drained = await bench.until(lambda: bench.queued == 0, within=1.5)

        assert not drained
        assert sum(batches) == 8
        assert len(bench.stream._processors) == 2


async def test_a_batch_whose_handler_raised_never_comes_again() -> None:
    batches: list[list[int]] = []

    async def body(stream: Any) -> None:
        async for events in stream.noack_take(4, within=0.05):
            batches.append([event.message.offset for event in events])
            if len(batches) == 2:
                raise Fault
            for event in events:
                await stream.ack(event)

    async with running(body) as bench:
        await bench.feed(*range(22))
        assert await bench.until(lambda: sum(map(len, batches)) == 22)

        assert [offset for batch in batches for offset in batch].count(5) == 1
        assert bench.consumer.commits == [{PARTITION: 4}]
        assert bench.consumer.committable() is None, "and nothing behind it can be committed any more"


@pytest.mark.parametrize(("compiled", "acked"), [(True, [0, 1, 3, 4]), (False, [0, 1, 2, 3, 4])])
async def test_only_the_compiled_iterator_spares_messages_of_an_old_generation(
    compiled: bool, acked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []
    if not compiled:
        monkeypatch.setattr(faust.streams, "_CStreamIterator", None)
        monkeypatch.setattr("services.chassis.streams.worker.require_compiled_iterator", lambda: None)

    async def body(stream: Any) -> None:
        async for value in stream:
            seen.append(value)  # noqa: PERF401 - one at a time is the point

    async with running(body) as bench:
        await bench.feed(*range(5), generation={2: -7})
        assert await bench.until(lambda: b"4" in seen)
        await bench.stop()

        assert b"2" not in seen
        assert bench.consumer.acked() == acked


async def test_our_way_acknowledges_whole_batches_in_order() -> None:
    batches: list[list[int]] = []

    async def body(stream: Any) -> None:
        async for events in stream.noack_take(4, within=0.02):
            batches.append([event.message.offset for event in events])
            for event in events:
                await stream.ack(event)

    async with running(body) as bench:
        await bench.feed(*range(10))
        assert await bench.until(lambda: sum(map(len, batches)) == 10)

        assert [offset for batch in batches for offset in batch] == list(range(10))
        assert max(map(len, batches)) <= 4
        assert bench.consumer.committable() == 10


async def test_our_way_leaves_an_unfinished_batch_for_the_next_process() -> None:
    under_way = asyncio.Event()
    batches: list[list[int]] = []

    async def body(stream: Any) -> None:
        async for events in stream.noack_take(4, within=0.02):
            batches.append([event.message.offset for event in events])
            if len(batches) == 2:
                under_way.set()
                await asyncio.sleep(60)
            for event in events:
                await stream.ack(event)

    async with running(body) as bench:
        await bench.feed(*range(8))
        await asyncio.wait_for(under_way.wait(), 30)
        await bench.stop()

        assert bench.consumer.committable() == len(batches[0])
        assert bench.consumer.committable() is None, "nothing of the second batch"


async def _idle(stream: AsyncIterator[Any]) -> None:
    async for _ in stream:
        pass

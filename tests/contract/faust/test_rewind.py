"""What Faust does not do by itself: go back to the beginning of a partition of which nothing was ever committed."""

from __future__ import annotations

from typing import Any

import faust
import pytest
from faust.types import TP

from services.chassis.kafka import KafkaAddress
from services.chassis.streams.rewind import RewindingConsumer
from services.chassis.streams.worker import make_app

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
OLD, NEW, AT_ZERO = TP("t", 0), TP("t", 12), TP("t", 13)


class Thread:
    """The thread that owns the Kafka client."""

    def __init__(self) -> None:
        self.rewound: list[TP] = []

    async def seek_to_committed(self) -> dict[TP, int | None]:
        return {OLD: 7, NEW: None, AT_ZERO: 0}

    async def seek_to_beginning(self, *partitions: TP) -> None:
        self.rewound += partitions


@pytest.fixture
def app() -> faust.App:
    return make_app("grid-dispatch", KafkaAddress(("a:1",)))


def over(thread: Thread) -> RewindingConsumer:
    """A consumer that has nothing but its thread."""
    consumer: Any = RewindingConsumer.__new__(RewindingConsumer)
    consumer._thread = thread
    return consumer  # type: ignore[no-any-return]


async def test_the_worker_reads_through_the_consumer_that_goes_back(app: faust.App) -> None:
    assert app.transport.Consumer is RewindingConsumer


async def test_a_partition_without_a_commit_goes_back_to_its_beginning(app: faust.App) -> None:
    thread = Thread()
    committed = await over(thread).seek_to_committed()
    assert committed == {OLD: 7, NEW: None, AT_ZERO: 0}
    assert thread.rewound == [NEW, AT_ZERO], "Kafka's client goes back by itself only to a commit above zero"


async def test_a_group_with_commits_everywhere_asks_for_nothing_more() -> None:
    class Settled(Thread):
        async def seek_to_committed(self) -> dict[TP, int | None]:
            return {OLD: 7}

    thread = Settled()
    await over(thread).seek_to_committed()
    assert thread.rewound == []

"""A stream worker in a process of its own: `python -m tests.support.stream_process <topic>`.

GRID_TEST_FAULT: `raise` lets the handler fail on every event that says "fault".
GRID_TEST_HANG: batches are taken and nothing ever comes of them.
GRID_TEST_UNREAD: the number of a partition of which nothing is ever read; the broker is asked for it often.
GRID_TEST_DROP: the share of messages that are acknowledged and never handled; GRID_TEST_DROPPED names the file that
gets a line for each.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData

from services.chassis.db import Database
from services.chassis.ids import SystemIds
from services.chassis.inbox import inbox_tables
from services.chassis.kafka import KafkaAddress
from services.chassis.outbox import outbox_tables
from services.chassis.serve import Part, Running, run
from services.chassis.settings import DatabaseSettings, KafkaSettings
from services.chassis.streams import worker as worker_module
from services.chassis.streams.handler import Received
from services.chassis.streams.message import Item
from services.chassis.streams.worker import StreamWorker
from services.chassis.telemetry import Metrics, configure_logging
from tests.support.events import decode_noted
from tests.support.handler import Recorder


def _before(batch: Sequence[Received]) -> None:
    if os.environ.get("GRID_TEST_FAULT") == "raise":
        for received in batch:
            if received.envelope.data.text == "fault":  # type: ignore[attr-defined] # the test's own body
                raise LookupError("a fault of ours")


def _drop(worker: StreamWorker, share: float, told: Path) -> None:
    """Lose messages on their way from Faust into the batch; the worker acknowledges them with the others."""
    whole, rng = worker._runner.run, random.Random(20260930)

    async def leaky(items: Sequence[Item]) -> None:
        kept: list[Item] = []
        with told.open("a") as file:
            for item in items:
                if rng.random() >= share:
                    kept.append(item)
                else:
                    file.write(f"{item.message.partition} {item.message.offset}\n")
        await whole(kept)

    worker._runner.run = leaky  # type: ignore[method-assign]


def _hang(worker: StreamWorker) -> None:
    """What a bug that waits for ever does: no fault, no progress."""

    async def wait_for_ever(_items: Sequence[Item]) -> None:
        await asyncio.Event().wait()

    worker._runner.run = wait_for_ever  # type: ignore[method-assign]


def _leave_unread(worker: StreamWorker, partition: int) -> None:
    """What a client does that has lost a partition from its books."""
    for often in ("LOOK_EVERY_S", "WATCH_EVERY_S"):
        setattr(worker_module, often, 0.3)
    consumer: Any = worker._app.consumer
    whole = consumer._getmany

    async def getmany(active_partitions: set[Any], timeout: float) -> Any:
        return await whole({tp for tp in active_partitions if tp.partition != partition}, timeout)

    consumer._getmany = getmany


async def build() -> Running:
    """The worker as services build theirs."""
    configure_logging("test")
    db, metrics, metadata = Database(DatabaseSettings(), "test-worker"), Metrics("test"), MetaData(schema="dispatch")
    tables = (inbox_tables(metadata, "dispatch"), outbox_tables(metadata, "dispatch"))
    address = KafkaAddress.parse(KafkaSettings().url)
    worker = StreamWorker(
        f"grid-{sys.argv[1]}", [sys.argv[1]], Recorder(_before), db, tables, address, SystemIds(), metrics, decode_noted
    )
    if share := float(os.environ.get("GRID_TEST_DROP", "0")):
        _drop(worker, share, Path(os.environ["GRID_TEST_DROPPED"]))
    if os.environ.get("GRID_TEST_HANG"):
        _hang(worker)
    if unread := os.environ.get("GRID_TEST_UNREAD"):
        _leave_unread(worker, int(unread))
    return Running(parts=(Part("stream", worker.run, worker.pulse),), metrics=metrics, close=db.close)


if __name__ == "__main__":
    sys.exit(run(build))

"""The three workers that are compared, each a process: `python -m tests.bench.stream_parts noop|ledger TOPIC`.

`noop` is a Faust agent that takes batches and does nothing; `ledger` is our stream worker with the least that keeps
its promises: inbox, a locked row per case, a transition and an outbox event per event. The third is dispatch itself.
`noop` writes how fast it was to its standard output.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.envelope import Envelope
from schemas.wire import Body
from services.chassis.db import Database
from services.chassis.ids import SystemIds
from services.chassis.inbox import inbox_tables
from services.chassis.kafka import KafkaAddress
from services.chassis.outbox import Outgoing, outbox_tables, publish
from services.chassis.pace import PROMPT
from services.chassis.serve import Part, Running, run
from services.chassis.settings import DatabaseSettings, KafkaSettings
from services.chassis.streams.handler import Received
from services.chassis.streams.worker import BATCH, StreamWorker, make_app
from services.chassis.telemetry import Metrics, configure_logging

CREATE = (
    "CREATE TABLE bench_cases (id text PRIMARY KEY, version int NOT NULL);"
    " CREATE TABLE bench_transitions (id text, version int, at timestamptz DEFAULT now(), PRIMARY KEY (id, version))"
)
IDLE_S = 2.0
_ADD = text(
    "INSERT INTO bench_cases SELECT value, 0 FROM json_array_elements_text(CAST(:ids AS json)) ON CONFLICT DO NOTHING"
)
_LOCK = text(
    "SELECT id, version FROM bench_cases WHERE id IN (SELECT json_array_elements_text(CAST(:ids AS json)))"
    " ORDER BY id FOR UPDATE"
)
_RAISE = text(
    "UPDATE bench_cases SET version = version + 1 WHERE id IN (SELECT json_array_elements_text(CAST(:ids AS json)))"
)
_STEP = text("INSERT INTO bench_transitions SELECT value, 1 FROM json_array_elements_text(CAST(:ids AS json))")


class LedgerHandler:
    """Case lock, transition and outbox event per event; every event is a case of its own here."""

    def __init__(self, outbox: Any) -> None:
        self._outbox = outbox

    async def apply(self, tx: AsyncConnection, batch: Sequence[Received]) -> None:
        ids = {"ids": json.dumps(sorted(received.envelope.subject for received in batch))}
        for statement in (_ADD, _LOCK, _RAISE, _STEP):
            await tx.execute(statement, ids)
        told = [_retold(received.envelope) for received in batch]
        await publish(tx, self._outbox, [Outgoing("bench.told", envelope) for envelope in told])


def _retold(heard: Envelope[Body]) -> Envelope[Body]:
    return Envelope(heard.id, heard.type, heard.version, "grid/bench", heard.time, heard.subject, 1, heard.data)


async def ledger(topic: str) -> Running:
    """Our worker."""
    db, metrics, metadata = Database(DatabaseSettings(), "bench"), Metrics("bench"), MetaData(schema="escalation")
    tables = (inbox_tables(metadata, "escalation"), outbox_tables(metadata, "escalation"))
    address = KafkaAddress.parse(KafkaSettings().url)
    worker = StreamWorker(
        f"ledger-{topic}", [topic], LedgerHandler(tables[1]), db, tables, address, SystemIds(), metrics
    )
    return Running(parts=(Part("stream", worker.run),), metrics=metrics, close=db.close)


async def noop(topic: str) -> Running:
    """Faust alone, with our settings."""
    app = make_app(f"noop-{topic}", KafkaAddress.parse(KafkaSettings().url))
    batches: list[tuple[float, int]] = []

    async def take(stream: Any) -> None:
        async for events in stream.noack_take(BATCH, within=PROMPT.gather_s):
            for event in events:
                await stream.ack(event)
            batches.append((time.monotonic(), len(events)))

    app.agent(app.topic(topic, key_serializer="raw", value_serializer="raw", internal=False), concurrency=1)(take)

    async def go(stop: asyncio.Event) -> None:
        app.loop = asyncio.get_running_loop()
        await app.start()
        while not batches or time.monotonic() - batches[-1][0] < IDLE_S:  # noqa: ASYNC110 - the agent tells nobody
            await asyncio.sleep(0.1)
        (began, first), (ended, _) = batches[0], batches[-1]
        done = sum(count for _, count in batches)
        print(json.dumps({"events": done, "per_s": (done - first) / (ended - began)}), flush=True)
        await stop.wait()
        await app.stop()

    return Running(parts=(Part("noop", go),))


if __name__ == "__main__":
    configure_logging("bench", "WARNING")
    wanted, topic_name = sys.argv[1:]
    sys.exit(run(lambda: {"noop": noop, "ledger": ledger}[wanted](topic_name)))

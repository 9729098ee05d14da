"""A consumer without Faust: batches straight into the runner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

import pytest
from sqlalchemy import MetaData, text

from services.chassis.db import Database
from services.chassis.ids import SystemIds
from services.chassis.inbox import inbox_tables
from services.chassis.outbox import outbox_tables
from services.chassis.streams.batch import BatchRunner, Surroundings
from services.chassis.streams.message import Decode, Message
from services.chassis.streams.metrics import StreamMetrics
from services.chassis.telemetry import Metrics
from tests.support.events import decode_noted
from tests.support.handler import CREATE, Recorder

CONSUMER = "grid-test"
_METADATA = MetaData(schema="dispatch")
TABLES = (inbox_tables(_METADATA, "dispatch"), outbox_tables(_METADATA, "dispatch"))


class Left(BaseException):
    """The process would have ended here."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def leave(code: int) -> NoReturn:
    raise Left(code)


@dataclass
class Stand:
    """A runner, its handler, and questions to the database."""

    db: Database
    handler: Recorder = field(default_factory=Recorder)
    decode: Decode = decode_noted
    urgent: Callable[[], bool] = lambda: False
    dead_in_a_row: int = 50

    def __post_init__(self) -> None:
        self.runner = self.another()

    def another(self, decode: Decode | None = None) -> BatchRunner:
        """The process started again, perhaps with newer code."""
        around = Surroundings(self.urgent, leave, decode or self.decode, self.dead_in_a_row)
        metrics = StreamMetrics(Metrics("test"))
        self.runner = BatchRunner(CONSUMER, self.db, TABLES, self.handler, SystemIds(), metrics, around)
        return self.runner

    async def run(self, *messages: Message) -> None:
        await self.runner.run(self.runner.read(messages))

    async def seen(self, key: str = "a") -> list[int]:
        """What has been applied for a key, in the order applied."""
        rows = await self.ask(f"SELECT seq FROM dispatch.seen WHERE key = '{key}' ORDER BY nr")
        return [row[0] for row in rows]

    async def count(self, table: str) -> int:
        return int((await self.ask(f"SELECT count(*) FROM dispatch.{table}"))[0][0])

    async def ask(self, statement: str) -> list[tuple[object, ...]]:
        async with self.db.reading() as tx:
            return [tuple(row) for row in await tx.execute(text(statement))]


@pytest.fixture
async def stand(plumbing: Database) -> Stand:
    async with plumbing.transaction() as tx:
        await tx.execute(text(CREATE))
    return Stand(plumbing)

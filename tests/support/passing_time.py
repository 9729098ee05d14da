"""A town whose clocks move by days: every loop of the three services in one process, each under its own role."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from services.chassis.clock import monotonic
from services.chassis.db import Database, move_clock
from services.chassis.directory import DirectoryCache
from services.chassis.housekeeping import Housekeeper, RetentionSettings
from services.chassis.housekeeping.parts import housekeeper
from services.chassis.ids import SystemIds
from services.chassis.outbox.metrics import RelayMetrics
from services.chassis.outbox.parts import group_of
from services.chassis.outbox.relay import Relay
from services.chassis.pictures.folder import FolderStore
from services.chassis.streams.batch import BatchRunner
from services.chassis.streams.handler import BatchHandler
from services.chassis.streams.message import Message
from services.chassis.streams.metrics import StreamMetrics
from services.chassis.telemetry import Metrics
from services.dispatch import agents as dispatch_agents
from services.dispatch import tables as dispatch_tables
from services.dispatch.store import retention as dispatch_retention
from services.dispatch.usecases.take import Tools
from services.escalation import agents as escalation_agents
from services.escalation import tables as escalation_tables
from services.escalation.settings import TimerSettings
from services.escalation.store import retention as escalation_retention
from services.escalation.timers import TimerLoop
from services.intake import agents as intake_agents
from services.intake import tables as intake_tables
from services.intake.store.retention import photo_chores
from tests.support.producer import Place

SERVICES = ("intake", "dispatch", "escalation")
PATIENCE_S = 240.0


@dataclass
class Wire:
    """Kafka as a list, and the relays' way into it."""

    lines: list[Message] = field(default_factory=list)

    async def start(self) -> None:
        """There is nothing to open."""

    async def stop(self) -> None:
        """There is nothing to close."""

    async def send(self, topic: str, value: bytes, key: bytes, headers: list[tuple[str, bytes]]) -> asyncio.Future[Any]:
        self.lines.append(Message(topic, 0, len(self.lines), key, dict(headers), value))
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        done.set_result(Place(0, len(self.lines) - 1))
        return done


@dataclass
class Hosts:
    """The clock of the machines."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def milliseconds(self) -> int:
        return time.time_ns() // 1_000_000 + int(self.ahead.total_seconds() * 1000)


class Town:
    """Everything that runs, and questions to it."""

    def __init__(
        self, owner: Database, databases: dict[str, Database], home: Path, hosts: Hosts, kept: RetentionSettings
    ) -> None:
        self.owner = owner
        self.kept = kept
        self.databases = databases
        self.home = home
        self.hosts = hosts
        self.wire = Wire()
        self.metrics = {name: Metrics(name) for name in SERVICES}
        self.caches = {name: DirectoryCache(databases[name]) for name in SERVICES}
        self.runners: dict[str, BatchRunner] = {}
        self.tables = {
            "intake": (intake_tables.inbox, intake_tables.outbox),
            "dispatch": (dispatch_tables.inbox, dispatch_tables.outbox),
            "escalation": (escalation_tables.inbox, escalation_tables.outbox),
        }

    async def open(self) -> None:
        """What a process does before it takes the first message."""
        ids = SystemIds()
        for cache in self.caches.values():
            for stored in (await cache.refresh()).rulebooks:
                await cache.rulebook(stored.version)
        handlers: dict[str, BatchHandler] = {
            "intake": intake_agents.Progress(),
            "dispatch": dispatch_agents.handler(Tools(self.caches["dispatch"], ids)),
            "escalation": escalation_agents.follower(self.caches["escalation"], ids, late_s=600),
        }
        for name in SERVICES:
            told = StreamMetrics(self.metrics[name])
            db = self.databases[name]
            self.runners[name] = BatchRunner(group_of(name), db, self.tables[name], handlers[name], ids, told)

    @asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """All loops until the end of the block."""
        stop = asyncio.Event()
        topics = {
            "intake": intake_agents.TOPICS,
            "dispatch": dispatch_agents.TOPICS,
            "escalation": escalation_agents.TOPICS,
        }
        loops = [self._relay(name).run(stop) for name in SERVICES]
        loops += [self._keeper(name).run(stop) for name in SERVICES]
        loops += [self._consume(name, topics[name], stop) for name in SERVICES]
        loops.append(self._timers().run(stop))
        tasks = [asyncio.ensure_future(loop) for loop in loops]
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait_for(asyncio.gather(*tasks), 60)

    def _relay(self, name: str) -> Relay:
        told = RelayMetrics(self.metrics[name])
        return Relay(self.databases[name], self.tables[name][1], lambda: self.wire, told)

    def _timers(self) -> TimerLoop:
        settings, db = TimerSettings(jump_pause_s=0), self.databases["escalation"]
        return TimerLoop(db, self.tables["escalation"][1], SystemIds(), settings, self.metrics["escalation"], monotonic)

    def _keeper(self, name: str) -> Housekeeper:
        media, kept = self.home / "media", self.kept
        sweeps = {
            "intake": (),
            "dispatch": dispatch_retention.sweeps(kept),
            "escalation": escalation_retention.sweeps(kept),
        }
        others = {
            "intake": photo_chores(media, FolderStore(media), kept),
            "dispatch": dispatch_retention.evidence_chores(FolderStore(media / "evidence"), media / "bench", kept),
            "escalation": (),
        }
        return housekeeper(
            name,
            self.databases[name],
            self.metrics[name],
            kept,
            sweeps=sweeps[name],
            others=others[name],
            clock=self.hosts,
            look_s=0.1,
        )

    async def _consume(self, name: str, topics: tuple[str, ...], stop: asyncio.Event) -> None:
        at, runner = 0, self.runners[name]
        while not stop.is_set():
            batch = [line for line in self.wire.lines[at : at + 256] if line.topic in topics]
            step = len(self.wire.lines[at : at + 256])
            if batch:
                await runner.run(runner.read(batch))
            at += step
            if not step:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), 0.02)

    async def ask(self, statement: str, **values: object) -> Any:
        async with self.owner.reading() as tx:
            return (await tx.execute(text(statement), values)).scalar()

    async def write(self, *statements: str) -> None:
        async with self.owner.transaction() as tx:
            for statement in statements:
                await tx.execute(text(statement))

    async def until(self, statement: str, wanted: object = True, **values: object) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE_S
        while (found := await self.ask(statement, **values)) != wanted:
            assert loop.time() < end, (statement, found, wanted)
            await asyncio.sleep(0.1)

    async def jump(self, days: int) -> None:
        """Both clocks, and then wait until every chore of every service has been done anew."""
        before = datetime.now(UTC)
        self.hosts.ahead = timedelta(days=days)
        async with self.owner.transaction() as tx:
            await move_clock(tx, self.hosts.ahead)
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE_S
        while any(self._done(name) < (before + self.hosts.ahead).timestamp() for name in SERVICES):
            assert loop.time() < end, "housekeeping has not followed the clock"
            await asyncio.sleep(0.1)

    def _done(self, name: str) -> float:
        """When the last chore of a service came to its end."""
        metric = "grid_housekeeping_last_success_timestamp_seconds"
        chores = {"intake": "given_up_uploads", "dispatch": "evidence_files", "escalation": "retention"}
        of = {"schema": name, "chore": chores[name]}
        return self.metrics[name].registry.get_sample_value(metric, of) or 0.0

    def told(self, name: str, metric: str, **labels: str) -> float | None:
        found: float | None = self.metrics[name].registry.get_sample_value(metric, {"schema": name, **labels})
        return found

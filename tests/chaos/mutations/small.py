"""A stand of just the parts a report passes through. The stream workers are real processes that are started again when
they end; intake's HTTP, the relays and the timers run here, unless one of them is the process under test."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from sqlalchemy import text

from schemas.topics import TOPICS
from services.chassis.clock import SystemClock, monotonic
from services.chassis.db import Database, move_clock
from services.chassis.directory import DirectoryCache
from services.chassis.directory.load import load_street
from services.chassis.ids import SystemIds
from services.chassis.kafka import KafkaAddress
from services.chassis.outbox import OutboxTables
from services.chassis.outbox.antientropy import KafkaOffsets
from services.chassis.outbox.metrics import RelayMetrics
from services.chassis.outbox.parts import group_of
from services.chassis.outbox.producer import KafkaProducer
from services.chassis.outbox.relay import Relay
from services.chassis.settings import DatabaseSettings
from services.chassis.telemetry import Metrics
from services.dispatch import tables as dispatch_tables
from services.dispatch.usecases.act import Wish, act
from services.escalation import tables as escalation_tables
from services.escalation.settings import TimerSettings
from services.escalation.timers import TimerLoop
from services.governance.acts import Actor, Inputs
from services.governance.cycle import Action
from services.intake import tables as intake_tables
from services.intake.app import http_app
from services.intake.store.moment import DatabaseClock
from tests.chaos.checker import Checker, Judgement
from tests.chaos.ledger import Entry, Ledger
from tests.chaos.mutations.kept import PATIENCE_S, HeldDatabase, Kept, until
from tests.chaos.receiver import Seen
from tests.support.stand import CHECKOUT, PASSWORD

SAMPLE: Final = CHECKOUT / "deploy" / "sample" / "fengcheng"
GRID: Final = "44180200100101"
ORIGIN: Final = "http://localhost"
OLD_ENOUGH: Final = timedelta(seconds=40)
"""The checker does not ask for what is very young; the clock of the test database is moved on so that nothing is."""
WORKERS: Final = ("intake worker", "dispatch worker", "escalation worker")
OUTBOXES: Final[dict[str, OutboxTables]] = {
    "intake": intake_tables.outbox,
    "dispatch": dispatch_tables.outbox,
    "escalation": escalation_tables.outbox,
}


@dataclass
class SmallStand:
    """Use `async with opened(...)`. `mutation` names what is taken out, `mutated` the process it is taken out of."""

    url: str
    kafka_url: str
    home: Path
    mutation: str = "-"
    mutated: str = ""
    ahead: timedelta = timedelta()
    processes: dict[str, Kept] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.address = KafkaAddress.parse(self.kafka_url)
        self.db = HeldDatabase(DatabaseSettings(url=self.url, pool_size=8), "stand")
        self.slow_db = HeldDatabase(DatabaseSettings(url=self.url), "slow-intake")
        self.cache = DirectoryCache(self.db)
        self.ids = SystemIds()
        self.fault = self.home / "fault"
        self.ledger = Ledger(self.home / "ledger.jsonl")

    # --- people -------------------------------------------------------------------------------------------------
    async def report(self, *, slow: bool = False) -> str:
        """A report from a phone, acknowledged and written down; answers its id."""
        key = str(uuid4())
        street = self.cache.current()
        cells = {cell.code for cell in street.cells.values() if cell.grid == GRID}
        place = next(each for each in street.places.values() if each.lng is not None and each.cell in cells)
        position = {"lng": place.lng, "lat": place.lat, "crs": "wgs84", "accuracy_m": 8}
        body = {"category": None, "text": "垃圾堆在路口", "position": position, "place_words": place.name}
        phone = self._slow_phone if slow else self._phone
        answer = await phone.post("/api/v1/reports", json=body, headers={"idempotency-key": key})
        assert answer.status_code == 201, answer.text
        report_id = str(answer.json()["id"])
        self.ledger.add(Entry(key, True, report_id, body["text"]))
        return report_id

    async def case_of(self, report_id: str) -> str:
        """The number of the case that a report became, once it is one."""
        query = (
            "SELECT c.case_no FROM dispatch.cases c JOIN dispatch.case_reports r ON r.case_id = c.id"
            f" WHERE r.report_id = '{report_id}'"
        )
        await until("the report is a case", lambda: self.ask(query))
        return str((await self.ask(query))[0][0])

    async def act(self, case_no: str, actor: Actor, action: Action, inputs: Inputs) -> None:
        async with self.db.transaction() as tx:
            found = await tx.execute(text("SELECT version FROM dispatch.cases WHERE case_no = :no"), {"no": case_no})
            wish = Wish(case_no, action, inputs, found.scalar_one(), str(self.ids.uuid7()))
            await act(tx, wish, actor, self.cache, self.ids)

    # --- faults -------------------------------------------------------------------------------------------------
    @asynccontextmanager
    async def locked(self, table: str) -> AsyncIterator[None]:
        """Nobody writes to a table meanwhile: whoever does is stuck before his COMMIT."""
        async with await psycopg.AsyncConnection.connect(self.url) as connection:
            await connection.execute(f"LOCK TABLE {table} IN SHARE MODE".encode())
            yield
            await connection.rollback()

    async def stuck(self, application: str) -> None:
        """Wait until a process waits for a lock."""
        query = (
            f"SELECT 1 FROM pg_stat_activity WHERE application_name = '{application}' AND wait_event_type = 'Lock'"
            " AND datname = current_database()"
        )
        await until(f"{application} is stuck", lambda: self.ask(query))

    async def again(self, case_no: str, sequence: int) -> None:
        """Kafka brings an event of a case a second time."""
        query = (
            "SELECT o.topic, o.key, o.headers, o.payload FROM dispatch.outbox o JOIN dispatch.cases c"
            " ON o.key = convert_to(c.id::text, 'UTF8')"
            f" WHERE c.case_no = '{case_no}' AND o.topic = 'grid.case.v1' AND o.seq = {sequence}"
        )
        topic, key, headers, payload = (await self.ask(query))[0]
        producer = KafkaProducer(self.address, "stand")
        await producer.start()
        words = [(name, value.encode()) for name, value in headers.items()]
        await (await producer.send(topic, bytes(payload), bytes(key), words))
        await producer.stop()

    async def move_on(self, by: timedelta) -> None:
        """The clock of the database goes ahead."""
        self.ahead += by
        async with self.db.transaction() as tx:
            await move_clock(tx, self.ahead)

    # --- questions ----------------------------------------------------------------------------------------------
    async def ask(self, query: str) -> list[Any]:
        async with self.db.reading() as tx:
            return list(await tx.execute(text(query)))

    async def committed(self, service: str) -> bool:
        """Whether the service's group has committed everything its topics hold."""
        topics = [topic.name for topic in TOPICS if service in topic.consumers]
        with suppress(KafkaError):
            offsets = KafkaOffsets(self.address)
            reached = await offsets.committed(group_of(service))
            return all(reached.get(place, 0) >= edge.end for place, edge in (await offsets.edges(topics)).items())
        return False

    async def sent(self) -> bool:
        """Whether every outbox is empty."""
        left = [await self.ask(f"SELECT 1 FROM {name}.outbox WHERE published_at IS NULL LIMIT 1") for name in OUTBOXES]
        return not any(left)

    async def drained(self, patience_s: float = PATIENCE_S) -> None:
        """Wait until everything is sent and every group has committed all of it, twice in a row."""

        async def quiet() -> bool:
            return await self.sent() and all([await self.committed(service) for service in OUTBOXES])

        await until("everything is delivered", quiet, patience_s)
        await until("everything is delivered", quiet, patience_s)

    async def judge(self, patience_s: float) -> Judgement:
        """What the checker says."""
        await self.move_on(OLD_ENOUGH)
        checker = Checker(self.url, self.home / "ledger.jsonl", Seen())
        return await asyncio.to_thread(checker.judge, patience_s)

    # --- the life of the stand ----------------------------------------------------------------------------------
    async def open(self, stack: AsyncExitStack) -> None:
        stack.push_async_callback(self.db.close)
        stack.push_async_callback(self.slow_db.close)
        stack.callback(self.ledger.close)
        async with self.db.transaction() as tx:
            await load_street(tx, SAMPLE, self.ids)
        await self.cache.refresh()
        await self._forget_old_messages()
        for name in {*WORKERS, *([self.mutated] if self.mutated else [])}:
            await self._process(stack, name)
        await self._parts(stack)
        self._phone = await self._signed_in(stack, self.db)
        self._slow_phone = await self._signed_in(stack, self.slow_db)
        await self.report()
        await self.drained()

    async def _process(self, stack: AsyncExitStack, name: str) -> None:
        service, verb = name.split()
        mutation = self.mutation if name == self.mutated else "-"
        words = [sys.executable, "-m", "tests.chaos.mutations.process", mutation, str(self.fault)]
        environment = {**os.environ, "DATABASE_URL": self.url, "KAFKA_URL": self.kafka_url, "GRID_HOME": str(self.home)}
        environment |= {"PYTHONPATH": str(CHECKOUT), "GRID_TIMER_JUMP_S": "1e9"}  # the clock is moved on purpose
        log = self.home / f"{service}-{verb}.log"
        kept = self.processes[name] = Kept([*words, f"services.{service}", verb], environment, log)
        stack.callback(kept.end)
        keeping = asyncio.ensure_future(kept.keep())
        stack.callback(keeping.cancel)

    async def _parts(self, stack: AsyncExitStack) -> None:
        """Relays and timers, as their processes run them."""
        stop = asyncio.Event()
        for service, tables in OUTBOXES.items():
            if self.mutated != f"{service} relay":
                relay = Relay(self.db, tables, lambda: KafkaProducer(self.address, "relay"), RelayMetrics(Metrics("t")))
                self._task(stack, relay.run(stop))
        settings = TimerSettings(jump_s=1e9)
        if self.mutated != "escalation timers":
            timers = TimerLoop(self.db, OUTBOXES["escalation"], self.ids, settings, Metrics("timers"), monotonic)
            self._task(stack, timers.run(stop))
        stack.callback(stop.set)

    async def _signed_in(self, stack: AsyncExitStack, db: Database) -> httpx.AsyncClient:
        clock = DatabaseClock(db, SystemClock())
        await clock.refresh()
        app = http_app(db, self.cache, clock, self.home)
        await stack.enter_async_context(app.router.lifespan_context(app))
        transport = httpx.ASGITransport(app)
        client = httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"origin": ORIGIN}, timeout=60)
        await stack.enter_async_context(client)

        async def signed_in() -> bool:
            answer = await client.post("/api/v1/session", json={"login": "wangge01", "password": PASSWORD})
            assert answer.status_code in (200, 503), answer.text  # a very busy machine may have to be asked again
            return answer.status_code == 200

        await until("signed in", signed_in)
        return client

    async def _forget_old_messages(self) -> None:
        """The groups begin behind what earlier stands have left in Kafka."""
        edges = await KafkaOffsets(self.address).edges([topic.name for topic in TOPICS])
        for service in OUTBOXES:
            await until("the group is empty", partial(self._move, group_of(service), edges))

    async def _move(self, group: str, edges: Any) -> bool:
        options = self.address.client_options()
        reader: Any = AIOKafkaConsumer(**options, group_id=group, enable_auto_commit=False)
        await reader.start()
        try:
            places = {TopicPartition(topic, number): edge.end for (topic, number), edge in edges.items()}
            reader.assign(list(places))
            await reader.commit(places)
        except KafkaError:  # the group still remembers members that were killed
            return False
        finally:
            await reader.stop()
        return True

    def _task(self, stack: AsyncExitStack, work: Any) -> None:
        """Something that ends by itself once it is told to."""
        task = asyncio.ensure_future(work)
        stack.push_async_callback(asyncio.wait_for, task, 60)


@asynccontextmanager
async def opened(stand: SmallStand) -> AsyncIterator[SmallStand]:
    """The stand, ready: a first report has gone all the way."""
    async with AsyncExitStack() as stack:
        await stand.open(stack)
        yield stand

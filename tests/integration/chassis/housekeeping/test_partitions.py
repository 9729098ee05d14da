"""Weeks in a real database, under the role of a service that owns nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.chassis.clock import Clock, SystemClock
from services.chassis.db import Database, is_transient, move_clock
from services.chassis.housekeeping import Housekeeper, RetentionSettings, Turn
from services.chassis.housekeeping.metrics import HouseMetrics
from services.chassis.housekeeping.parts import housekeeper
from services.chassis.ids import uuid7_from
from services.chassis.settings import DatabaseSettings
from services.chassis.telemetry import Metrics
from tests.support.postgres import TestServer, name_of

pytestmark = pytest.mark.anyio
KEPT = RetentionSettings()


@pytest.fixture
async def service(database_url: str, postgres: TestServer) -> AsyncIterator[Database]:
    """The database as dispatch reaches it."""
    opened = Database(DatabaseSettings(url=postgres.url(name_of(database_url), "grid_dispatch")), "housekeeping-test")
    yield opened
    await opened.close()


@asynccontextmanager
async def running(*keepers: Housekeeper) -> AsyncIterator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.ensure_future(keeper.run(stop)) for keeper in keepers]
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 30)


@dataclass
class HostClock:
    """The clock of the machines, which a moved database clock does not move."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def keeper_for(db: Database, metrics: Metrics | None = None, clock: Clock | None = None) -> Housekeeper:
    return housekeeper("dispatch", db, metrics or Metrics("test"), KEPT, clock=clock, look_s=0.05)


async def ask(db: Database, statement: str) -> object:
    async with db.reading() as tx:
        return (await tx.execute(text(statement))).scalar()


async def until(db: Database, statement: str, wanted: object, patience_s: float = 60) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + patience_s
    while (found := await ask(db, statement)) != wanted:
        assert loop.time() < end, (statement, found, wanted)
        await asyncio.sleep(0.05)


def event_id(moment: datetime, tail: int = 1) -> UUID:
    return uuid7_from(int(moment.timestamp() * 1000), 0, tail)


async def put(
    db: Database, at: datetime, *, published: bool = True, topic: str = "grid.case.v1.dlq", event: UUID | None = None
) -> UUID:
    """An outbox row of a moment; by default on a topic that nobody consumes."""
    number = event or event_id(at)
    async with db.transaction() as tx:
        await tx.execute(
            text(
                "INSERT INTO dispatch.outbox (shard, topic, key, seq, event_id, headers, payload, created_at,"
                " published_at) VALUES (0, :topic, 'k', 1, :event, '{}', '', :at, CASE WHEN :sent THEN now() END)"
            ),
            {"topic": topic, "event": number, "at": at, "sent": published},
        )
    return number


async def take(db: Database, consumer: str, schema: str, event: UUID) -> None:
    async with db.transaction() as tx:
        await tx.execute(
            text(f"INSERT INTO {schema}.inbox (consumer, event_id, topic, part, off) VALUES (:c, :e, 't', 0, 0)"),
            {"c": consumer, "e": event},
        )


def weeks(schema: str, table: str, before: str) -> str:
    return (
        "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        f" WHERE n.nspname = '{schema}' AND c.relispartition AND c.relname ~ '^{table}_p[0-9]+$'"
        f" AND right(c.relname, 8) < '{before}'"
    )


async def test_rows_of_the_default_partition_move_into_their_weeks(service: Database) -> None:
    now = datetime.now(UTC)
    for days in (20, 40, -22, -60):  # two weeks ahead are there from the start, and end up to six days later
        await put(service, now - timedelta(days=days), published=days > 0)
    await take(service, "grid-dispatch", "dispatch", event_id(now + timedelta(days=30)))
    assert await ask(service, "SELECT count(*) FROM ONLY dispatch.outbox_default") == 4
    metrics = Metrics("test")

    async with running(keeper_for(service, metrics)):
        await until(service, "SELECT count(*) FROM ONLY dispatch.outbox_default", 0)
        await until(service, "SELECT count(*) FROM ONLY dispatch.inbox_default", 0)
        assert await ask(service, "SELECT count(*) FROM dispatch.outbox") == 3, "published 40 days ago: past keeping"
        assert await ask(service, "SELECT count(*) FROM dispatch.inbox") == 1
        await done(metrics, "retention")
        counted = metrics.registry.get_sample_value("grid_partition_default_rows", labels("outbox"))
        assert counted == 1, "what is past keeping is left where it is until it is removed"
        assert (metrics.registry.get_sample_value("grid_partition_days_ahead", labels("outbox")) or 0) >= 14
        assert metrics.registry.get_sample_value("grid_partition_moved_rows_total", labels("outbox")) == 3
        gone = metrics.registry.get_sample_value(
            "grid_housekeeping_removed_total", {"schema": "dispatch", "what": "outbox_strays"}
        )
        assert gone == 1


def labels(table: str) -> dict[str, str]:
    return {"schema": "dispatch", "table": table}


async def done(metrics: Metrics, chore: str, after: float = 0.0) -> None:
    """Wait until a chore has come to its end."""
    loop = asyncio.get_running_loop()
    end = loop.time() + 60
    name, of = "grid_housekeeping_last_success_timestamp_seconds", {"schema": "dispatch", "chore": chore}
    while (metrics.registry.get_sample_value(name, of) or 0.0) <= after:
        assert loop.time() < end, chore
        await asyncio.sleep(0.05)


async def test_a_week_stays_while_anything_in_it_is_needed(service: Database, database: Database) -> None:
    """Unpublished, not yet seen by a consumer, held behind a gap: each keeps its week, and says so."""
    start = datetime.now(UTC)
    waits = await put(service, start, published=False)
    unseen = await put(service, start + timedelta(days=7), topic="grid.case.v1", event=event_id(start, 2))
    await take(service, "grid-dispatch", "dispatch", held := event_id(start))
    async with service.transaction() as tx:
        await tx.execute(
            text(
                "INSERT INTO dispatch.held_events (consumer, source, topic, key, seq, event_id, type, part, off,"
                " headers, raw, reason) VALUES ('c', 's', 't', 'k', 2, :event, 'x', 0, 0, '{}', '', 'gap')"
            ),
            {"event": held},
        )
    metrics = Metrics("test")
    first, second = (monday(start + timedelta(days=7 * n)) for n in (0, 1))
    outbox = (
        "SELECT array_agg(right(relname, 8) ORDER BY relname) FROM pg_class WHERE relname IN ({names})".format(
            names=f"'outbox_p{first}', 'outbox_p{second}'"
        )
        + " AND relnamespace = 'dispatch'::regnamespace"
    )

    others = [housekeeper(name, database, Metrics("test"), KEPT, look_s=0.05) for name in ("intake", "escalation")]
    hosts = HostClock()
    async with running(keeper_for(service, metrics, hosts), *others):
        await done(metrics, "retention")
        for days in (13, 26, 39, 52, 65):  # a fortnight at a time: no week is ever missing
            await set_clock(database, days)
            await until(
                service, f"SELECT count(*) > 0 FROM pg_class WHERE relname = 'outbox_p{ahead(start, days)}'", True
            )
        await until_metric(metrics, "grid_partition_overdue_weeks", labels("outbox") | {"why": "unpublished"}, 1)
        await until_metric(metrics, "grid_partition_overdue_weeks", labels("outbox") | {"why": "unseen"}, 1)
        assert await ask(service, outbox) == [first, second]

        await mark(service, waits)
        await set_clock(database, 66)
        await until(service, outbox, [second])
        for consumer, schema in (("grid-intake", "intake"), ("grid-escalation", "escalation")):
            await take(database, consumer, schema, unseen)
        await set_clock(database, 67)
        await until(service, outbox, None)

        # the inbox ages by the newest event it has seen, so it needs one to grow old by
        hosts.ahead = timedelta(days=80)
        await take(service, "grid-dispatch", "dispatch", event_id(start + timedelta(days=80)))
        await set_clock(database, 80)
        await until_metric(metrics, "grid_partition_overdue_weeks", labels("inbox") | {"why": "held"}, 1)
        async with service.transaction() as tx:
            await tx.execute(text("DELETE FROM dispatch.held_events"))
        await set_clock(database, 81)
        await until(service, weeks("dispatch", "inbox", second), 0)


async def set_clock(db: Database, days: float) -> None:
    async with db.transaction() as tx:
        await move_clock(tx, timedelta(days=days))


async def mark(db: Database, event: UUID) -> None:
    async with db.transaction() as tx:
        await tx.execute(
            text("UPDATE dispatch.outbox SET published_at = now() WHERE event_id = :event"), {"event": event}
        )


async def until_metric(metrics: Metrics, name: str, of: dict[str, str], wanted: float) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + 60
    while (found := metrics.registry.get_sample_value(name, of)) != wanted:
        assert loop.time() < end, (name, of, found)
        await asyncio.sleep(0.05)


def monday(moment: datetime) -> str:
    day = moment.date() - timedelta(days=moment.weekday())
    return f"{day:%Y%m%d}"


def ahead(start: datetime, days: float) -> str:
    return monday(start + timedelta(days=days + 14))


async def test_a_clock_that_runs_ahead_does_not_make_the_inbox_forget(service: Database, database: Database) -> None:
    """The clock of a test jumps by a year; events keep coming with the ids of their hosts, and stay known."""
    await take(service, "grid-dispatch", "dispatch", event_id(datetime.now(UTC)))
    metrics = Metrics("test")
    async with running(keeper_for(service, metrics)):
        await done(metrics, "retention")
        before = await ask(service, weeks("dispatch", "inbox", "99999999"))
        await set_clock(database, 365)
        await until(service, f"SELECT count(*) FROM pg_class WHERE relname = 'outbox_p{monday(datetime.now(UTC))}'"
                    " AND relnamespace = 'dispatch'::regnamespace", 0)  # fmt: skip
        await until(service, weeks("dispatch", "inbox", "99999999"), before + 3)  # type: ignore[operator]
        assert await ask(service, "SELECT count(*) FROM dispatch.inbox") == 1


async def told_by(log: list[str], lines: int) -> None:
    for _ in range(1200):
        if len(log) >= lines:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(log)


class Noted:
    """A chore that only says who did it."""

    name, every = "noted", timedelta(days=1)

    def __init__(self, who: str, log: list[str]) -> None:
        self._who = who
        self._log = log

    async def do(self, turn: Turn) -> None:
        self._log.append(self._who)


class Failing(Noted):
    """One that cannot."""

    name = "failing"

    async def do(self, turn: Turn) -> None:
        await super().do(turn)
        await turn.connection.execute(text("SELECT no_such_column"))


async def test_one_of_many_keeps_house_and_another_takes_over(
    service: Database, postgres: TestServer, database_url: str
) -> None:
    log: list[str] = []
    told = [HouseMetrics(Metrics("test"), "dispatch") for _ in range(2)]
    one, two = (
        Housekeeper(service, "dispatch", (Noted(who, log),), metrics, SystemClock(), batch=10, look_s=0.05)
        for who, metrics in zip(("one", "two"), told, strict=True)
    )
    async with running(one, two):
        await told_by(log, 1)
        await asyncio.sleep(0.5)
        assert len(log) == 1, "the other one waits for its turn"
        postgres.hang_up_on(name_of(database_url))  # whoever had the lock has lost it
        await told_by(log, 2)


async def test_a_chore_that_fails_is_an_alarm_and_holds_up_no_other(service: Database) -> None:
    log: list[str] = []
    metrics = Metrics("test")
    chores = (Failing("bad", log), Noted("good", log))
    keeper = Housekeeper(
        service, "dispatch", chores, HouseMetrics(metrics, "dispatch"), SystemClock(), batch=10, look_s=0.05
    )
    async with running(keeper):
        await told_by(log, 2)
    failed = metrics.registry.get_sample_value(
        "grid_housekeeping_failures_total", {"schema": "dispatch", "chore": "failing"}
    )
    assert failed == 1
    assert log == ["bad", "good"]


async def test_weeks_are_made_while_live_work_goes_on(service: Database) -> None:
    """Writers and readers all the time, some holding their transaction open: none fails, and the weeks come."""
    stop, failures, written = asyncio.Event(), 0, 0

    async def live(pause: float) -> None:
        nonlocal failures, written
        while not stop.is_set():
            try:
                async with service.transaction() as tx:
                    await tx.execute(text("SELECT count(*) FROM dispatch.outbox WHERE published_at IS NULL"))
                    await tx.execute(
                        text(
                            "INSERT INTO dispatch.outbox (shard, topic, key, seq, event_id, headers, payload)"
                            " VALUES (0, 't', 'k', 1, gen_random_uuid(), '{}', '')"
                        )
                    )
                    await asyncio.sleep(pause)
                written += 1
            except Exception:  # noqa: BLE001 - whatever it is, it is what must not happen
                failures += 1

    for days in (20, 21, 22):
        await put(service, datetime.now(UTC) + timedelta(days=days), published=False)
    async with asyncio.TaskGroup() as group:
        for pause in (0.0, 0.3, 0.6):
            group.create_task(live(pause))
        async with running(keeper_for(service)):
            await until(service, "SELECT count(*) FROM ONLY dispatch.outbox_default", 0)
        stop.set()
    assert (failures, written > 0) == (0, True)


async def test_a_row_on_its_way_to_the_default_while_its_week_is_made_is_tried_again(service: Database) -> None:
    """PostgreSQL has chosen the partition already and then refuses the row; asked again, it finds the week."""
    at = datetime.now(UTC) + timedelta(days=60)
    monday = (at - timedelta(days=at.weekday())).date()
    row = text(
        "INSERT INTO dispatch.outbox (shard, topic, key, seq, event_id, headers, payload, created_at)"
        " VALUES (0, 't', 'k', 1, gen_random_uuid(), '{}', '', :at)"
    )

    async def write() -> None:
        async with service.transaction() as tx:
            await tx.execute(row, {"at": at})

    async with service.transaction() as making:
        await making.execute(text("SELECT dispatch.make_week('outbox', :monday)"), {"monday": monday})
        writing = asyncio.ensure_future(write())
        await asyncio.sleep(0.5)
        assert not writing.done(), "it waits for the lock on the default partition"
    error = (await asyncio.gather(writing, return_exceptions=True))[0]
    assert error is None or is_transient(error), repr(error)
    await write()
    async with service.reading() as tx:
        assert (await tx.execute(text("SELECT count(*) FROM ONLY dispatch.outbox_default"))).scalar_one() == 0


async def test_a_check_of_ours_is_no_weather(service: Database) -> None:
    with pytest.raises(IntegrityError) as refused:
        async with service.transaction() as tx:
            await tx.execute(text("INSERT INTO identity.audit_log (action, outcome) VALUES ('x', 'maybe')"))
    assert not is_transient(refused.value)

"""Sixty days pass through the real loops: intake's application, relays, stream handlers, timers, and housekeeping.

Every database role is the service's own. The clock of the database moves by `move_clock`, that of the hosts (which
event ids are made by) with it; Kafka is a list.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from services.chassis import ids as ids_module
from services.chassis.clock import SystemClock
from services.chassis.db import Database
from services.chassis.directory.load import load_street
from services.chassis.housekeeping import RetentionSettings
from services.chassis.ids import SystemIds
from services.chassis.settings import DatabaseSettings
from services.dispatch import agents as dispatch_agents
from services.intake.app import http_app
from services.intake.store.moment import DatabaseClock
from tests.integration.intake.conftest import ORIGIN, PASSWORD, key, picture
from tests.integration.intake.test_photos import JPEG, named
from tests.support.passing_time import SERVICES, Hosts, Town
from tests.support.postgres import TestServer, name_of
from tests.support.sample import SAMPLE

pytestmark = pytest.mark.anyio
KEPT = RetentionSettings(deliveries=45, attempts=20, receipts=45, dead_letters=45, uploads=10)
STEP, LAST = 5, 60


@pytest.fixture
async def town(
    database: Database, database_url: str, postgres: TestServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Town]:
    hosts = Hosts()
    monkeypatch.setattr(ids_module, "_epoch_milliseconds", hosts.milliseconds)
    async with database.transaction() as tx:
        await load_street(tx, SAMPLE, SystemIds())
    name = name_of(database_url)
    databases = {
        service: Database(DatabaseSettings(url=postgres.url(name, f"grid_{service}")), service) for service in SERVICES
    }
    made = Town(database, databases, tmp_path, hosts, KEPT)
    await made.open()
    yield made
    for opened in databases.values():
        await opened.close()


@asynccontextmanager
async def phone(town: Town) -> AsyncIterator[httpx.AsyncClient]:
    """A grid worker who signs in anew: nobody's session lasts that long."""
    clock = DatabaseClock(town.databases["intake"], SystemClock())
    await clock.refresh()
    app = http_app(town.databases["intake"], town.caches["intake"], clock, town.home)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"origin": ORIGIN}, timeout=60) as client,
    ):
        answer = await client.post("/api/v1/session", json={"login": "wangge01", "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        yield client


async def report(town: Town, day: int) -> str:
    """Report, and wait until it has gone all the way round: a case, the reporter's view, its timers."""
    place = next(p for p in town.caches["intake"].current().places.values() if p.lng is not None)
    data = picture()
    body = {
        "category": {"scheme": "GB/T 30428.2", "version": "2013", "code": "0110"},
        "text": f"第{day}天，门口垃圾",
        "position": {"lng": place.lng, "lat": place.lat, "crs": "wgs84", "accuracy_m": 8},
        "place_words": place.name,
        "photos": [named(data)],
    }
    async with phone(town) as worker:
        made = await worker.post("/api/v1/reports", json=body, headers=key(f"day-{day}"))
        assert made.status_code == 201, made.text
        number: str = made.json()["id"]
        stored = await worker.put(f"/api/v1/reports/{number}/photos/p1", content=data, headers=JPEG)
        assert stored.status_code == 201, stored.text
        of = "SELECT case_id FROM dispatch.case_reports WHERE report_id = CAST(:report AS uuid)"
        await town.until(f"SELECT EXISTS ({of})", report=number)
        await town.until(
            f"SELECT EXISTS (SELECT FROM intake.case_views WHERE case_id = CAST(({of}) AS text))", report=number
        )
        shown = await worker.get(f"/api/v1/reports/{number}")
        assert shown.json()["case_no"], shown.text
    await town.until(
        f"SELECT EXISTS (SELECT FROM escalation.sla_timers WHERE case_id = CAST(({of}) AS text))", report=number
    )
    return number


_WAITING = " + ".join(f"(SELECT count(*) FROM {name}.outbox WHERE published_at IS NULL)" for name in SERVICES)
_STRAYS = " + ".join(
    f"(SELECT count(*) FROM ONLY {name}.{table}_default)" for name in SERVICES for table in ("outbox", "inbox")
)

_DENSE = (
    "SELECT bool_and(n = top) FROM"
    " (SELECT count(*) AS n, max(sequence) AS top FROM dispatch.case_facts GROUP BY case_id) AS f"
)
_LATE = (
    "SELECT count(*) FROM escalation.sla_timers"
    " WHERE state = 'armed' AND due_at < directory.grid_now() - interval '1 hour'"
)
OLD_ROWS = (
    "INSERT INTO identity.one_time_links SELECT '\\x01', account_id, now(), now() + interval '1 hour', NULL"
    " FROM identity.accounts LIMIT 1",
    "INSERT INTO identity.throttle (key, tries, since) VALUES ('address:198.51.100.7', 3, now())",
    "INSERT INTO dispatch.idempotency_keys (caller, key, fingerprint) VALUES ('a', 'k', '')",
    "INSERT INTO escalation.idempotency_keys (caller, key, fingerprint) VALUES ('a', 'k', '')",
    "INSERT INTO escalation.platform_receipts (webhook_id, type, body, state) VALUES ('w', 't', '{}', 'unknown')",
    "INSERT INTO escalation.webhook_endpoints (id, name, url, events, secret, secret_hint, created_at,"
    " created_by) VALUES ('00000000-0000-7000-8000-000000000001', 'n', 'https://example.org/', '{}', '', '',"
    " now(), 'a')",
    "INSERT INTO escalation.webhook_deliveries (id, endpoint_id, event_id, type, case_id, seq, headers, body, state,"
    " next_at, delivered_at) SELECT 'd' || n, '00000000-0000-7000-8000-000000000001', gen_random_uuid(), 't', 'c', n,"
    " '{}', '', CASE n WHEN 1 THEN 'waiting' ELSE 'delivered' END, now(), CASE WHEN n > 1 THEN now() END"
    " FROM generate_series(1, 1200) n",
    "INSERT INTO escalation.webhook_attempts (delivery_id, n, at, latency_ms) SELECT id, 1, now(), 5"
    " FROM escalation.webhook_deliveries",
    "INSERT INTO intake.dead_letters (consumer, topic, part, off, key, headers, raw, error, resolved_at)"
    " SELECT 'c', 't', 0, n, '', '{}', '', 'e', CASE n WHEN 1 THEN NULL ELSE now() END FROM generate_series(1, 3) n",
)
LEFT = {
    "identity.one_time_links": 0,
    "identity.throttle WHERE key LIKE 'address:198%'": 0,
    "dispatch.idempotency_keys": 0,
    "escalation.idempotency_keys": 0,
    "escalation.platform_receipts": 1,  # it waits for a person
    "escalation.webhook_deliveries": 1,
    "escalation.webhook_attempts": 1,
    "intake.dead_letters": 1,
}


async def test_sixty_days(town: Town) -> None:
    media = town.home / "media"
    async with town.living():
        reports = [await report(town, 0)]
        await town.write(*OLD_ROWS)
        await _leave_files(media, reports[0])
        case = await town.ask("SELECT case_id FROM dispatch.case_reports")
        await town.write(
            "INSERT INTO dispatch.evidence (case_id, id, sha256, mime, bytes, path, account, at)"
            f" VALUES ('{case}', 'unused', '', '', 1, 'xx/unused.jpg', 'a', now())"
        )
        first_weeks = await _weeks(town)
        for day in range(STEP, LAST + 1, STEP):
            await town.jump(day)
            for name in SERVICES:
                for table in ("outbox", "inbox"):
                    assert (town.told(name, "grid_partition_days_ahead", table=table) or 0) >= 14, (day, name, table)
                    assert town.told(name, "grid_partition_default_rows", table=table) == 0
            reports.append(await report(town, day))
            assert await town.ask(f"SELECT {_STRAYS}") == 0, day
        await town.until(f"SELECT {_WAITING}", 0)

        # old weeks are gone, nothing that is needed is
        weeks = await _weeks(town)
        gone = first_weeks - weeks
        assert len([week for week in gone if "outbox" in week]) >= 3, weeks
        assert len([week for week in gone if "inbox" in week]) >= 3, weeks
        for name in SERVICES:
            old = "created_at < directory.grid_now() - interval '37 days'"
            assert await town.ask(f"SELECT count(*) FROM {name}.outbox WHERE {old}") == 0
            for chore in ("partitions", "retention"):
                failed = town.told(name, "grid_housekeeping_failures_total", chore=chore)
                assert not failed, (name, chore, failed)
        assert await town.ask("SELECT count(*) FROM intake.ledger") == len(reports)
        assert await town.ask("SELECT count(*) FROM dispatch.case_reports") == len(reports)
        assert await town.ask(_DENSE)
        await town.until(_LATE, 0)
        assert await town.ask("SELECT count(*) FROM escalation.held_events") == 0
        assert await town.ask("SELECT count(*) FROM dispatch.dead_letters") == 0

        # retention
        for what, left in LEFT.items():
            assert await town.ask(f"SELECT count(*) FROM {what}") == left, what
        assert (
            await town.ask("SELECT count(*) FROM identity.sessions WHERE expires_at < now() + interval '50 days'") == 0
        )
        assert await town.ask("SELECT count(*) FROM dispatch.evidence") == 0
        kept = {path.relative_to(media).as_posix() for path in media.rglob("*") if path.is_file()}
        assert {path.split("/")[2] for path in kept} == set(reports), kept
        assert len(kept) == 2 * len(reports), "each photo and its small copy, and nothing else"

        # what Kafka gives again from its beginning works no second time, though the inbox has long forgotten it
        facts = await town.ask("SELECT count(*) FROM dispatch.case_facts")
        first = [line for line in town.wire.lines[:50] if line.topic in dispatch_agents.TOPICS]
        await town.runners["dispatch"].run(town.runners["dispatch"].read(first))
        assert await town.ask("SELECT count(*) FROM dispatch.case_facts") == facts
    assert len(reports) == LAST // STEP + 1


async def _weeks(town: Town) -> set[str]:
    found = await town.ask(
        "SELECT array_agg(n.nspname || '.' || c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relispartition AND c.relkind = 'r' AND c.relname ~ '_p[0-9]{8}$'"
    )
    return set(found)


async def _leave_files(media: Path, report_id: str) -> None:
    """What crashes and people who gave up leave behind."""
    for name in (
        "photos/ab/00000000-0000-7000-8000-00000000000a/lost.jpg",
        f"photos/{report_id[-2:]}/{report_id}/.x.jpg.new",
        f"partial/{report_id}-{'0' * 24}",
        "evidence/ab/00000000-0000-7000-8000-00000000000a/lost.jpg",
        "evidence/stray.in",
    ):
        path = media / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        os.utime(path, (1, 1))

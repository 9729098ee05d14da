"""What earlier versions wrote still loads, migrates and replays."""

from __future__ import annotations

import base64
import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from schemas.cases import load_case, load_fact
from schemas.envelope import Envelope
from schemas.events.case import CaseFactV1
from schemas.registry import decode
from services.chassis.db import Database
from services.chassis.ids import SystemIds
from services.chassis.migrate import migrate, pending
from services.chassis.streams import Received
from services.dispatch.store.audience import audience_of
from services.escalation.usecases.follow import CaseFollower
from services.governance.acts import Fact
from services.governance.case import Case, evolve
from services.intake.agents import Progress
from tests.migration.test_chains import METADATA, differences
from tests.support.postgres import TestServer

FROZEN = sorted(path for path in (Path(__file__).parent / "frozen").iterdir() if path.is_dir())


@pytest.fixture(params=FROZEN, ids=lambda path: path.name)
def version(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.param
    return folder


@pytest.fixture
def restored(version: Path, postgres: TestServer) -> Iterator[str]:
    """The version's database, brought to what the code expects now."""
    name = "grid_test_frozen"
    postgres.execute(f"CREATE DATABASE {name} OWNER grid_owner")
    try:
        with psycopg.connect(postgres.url(name, "grid_owner"), autocommit=True) as connection:
            connection.execute(gzip.decompress((version / "database.sql.gz").read_bytes()))
        migrate(postgres.url(name))
        yield postgres.url(name)
    finally:
        postgres.drop(name)


def _events(version: Path) -> list[tuple[str, Envelope[Any]]]:
    lines = gzip.decompress((version / "events.jsonl.gz").read_bytes()).decode().splitlines()
    rows = [json.loads(line) for line in lines]
    return [
        (row["topic"], decode({k: v.encode() for k, v in row["headers"].items()}, base64.b64decode(row["payload"])))
        for row in rows
    ]


def test_there_is_at_least_one_version() -> None:
    assert FROZEN


def test_the_database_migrates_to_what_the_code_declares(restored: str) -> None:
    assert pending(restored) == ()
    for schema, declared in METADATA.items():
        assert differences(restored, schema, declared) == [], schema


def test_every_case_is_what_its_facts_make(restored: str) -> None:
    facts: dict[str, list[Fact]] = defaultdict(list)
    with psycopg.connect(restored) as connection:
        for case_id, body in connection.execute(
            "SELECT case_id, body::text FROM dispatch.case_facts ORDER BY case_id, sequence"
        ):
            facts[str(case_id)].append(load_fact(body.encode()))
        stored = {
            str(case_id): load_case(body.encode())
            for case_id, body in connection.execute("SELECT id, body::text FROM dispatch.cases")
        }
    assert len(stored) > 20
    assert set(stored) == set(facts)
    for case_id, case in stored.items():
        replayed: Case | None = None
        for fact in facts[case_id]:
            replayed = evolve(replayed, fact)
        assert replayed == case


def test_every_case_is_seen_by_whom_the_rules_say_now(restored: str) -> None:
    """Who sees a case is stored with it: a rule that changes has to reach the rows that were there before."""
    with psycopg.connect(restored) as connection:
        rows = connection.execute("SELECT body::text, audience FROM dispatch.cases").fetchall()
    differing = {
        case.case_no: audience_of(case) ^ set(audience)
        for case, audience in ((load_case(body.encode()), audience) for body, audience in rows)
        if audience_of(case) != set(audience)
    }
    assert differing == {}


def test_every_event_still_reads(version: Path) -> None:
    events = _events(version)
    assert len({envelope.type for _, envelope in events}) > 10
    by_key: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for topic, envelope in events:
        by_key[(envelope.source, topic, envelope.subject)].append(envelope.sequence)
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in by_key.values())


@pytest.mark.anyio
async def test_the_events_replay_into_empty_services(version: Path, database: Database) -> None:
    batch = [Received(topic, 0, n, envelope) for n, (topic, envelope) in enumerate(_events(version))]
    case_facts = [one for one in batch if one.topic == "grid.case.v1"]

    async def category_name(_: CaseFactV1) -> str:
        return "类别"

    async with database.transaction() as tx:
        await CaseFollower(SystemIds(), category_name).apply(tx, case_facts)
        await Progress().apply(tx, case_facts)
    newest = {
        one.envelope.subject: one.envelope.data for one in case_facts if isinstance(one.envelope.data, CaseFactV1)
    }
    running = {
        clock.clock_id
        for fact in newest.values()
        for clock in fact.standing.clocks
        if clock.state == "running" and any(rung.rung not in clock.fired for rung in clock.rungs)
    }
    async with database.reading() as tx:
        armed = await tx.exec_driver_sql("SELECT clock_id FROM escalation.sla_timers WHERE state = 'armed'")
        views = await tx.exec_driver_sql("SELECT count(*) FROM intake.case_views")
    assert {row[0] for row in armed} == running
    assert views.scalar_one() == len(newest)

"""The year's notice is loaded: revision, record, job; due times move, and a job that is killed goes on."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from schemas.cases import load_case, load_fact
from schemas.rulebook_faults import RulebookFileError
from services.chassis.clock import SystemClock
from services.chassis.db import move_clock
from services.chassis.housekeeping import Turn
from services.chassis.housekeeping.metrics import HouseMetrics
from services.chassis.telemetry import Metrics
from services.dispatch.calendars import run_calendar
from services.dispatch.store import recomputes
from services.dispatch.store.recomputes import Job
from services.dispatch.usecases.calendars import AlreadyConfirmed, Loaded, load_year
from services.dispatch.usecases.ground import Ground
from services.dispatch.usecases.recompute import Abandoned, Pace, Recomputing
from services.governance.acts import ClockChanged
from services.governance.case import Case, live_clock
from services.governance.cycle import ClockKind
from tests.integration.dispatch.conftest import Street
from tests.support.sample import SAMPLE

pytestmark = pytest.mark.anyio

CHECKOUT = Path(__file__).resolve().parents[3]
PROVISIONAL = (SAMPLE.parents[1] / "rulebooks" / "calendars" / "cn-2027.toml").read_text("utf-8")
NOTICE = (
    PROVISIONAL.replace(
        "confirmed = false", 'confirmed = true\nnotice = "国办发明电〔2026〕1号"\npublished = 2026-11-10'
    )
    + '\n[[days]]\non = 2027-01-04\nkind = "holiday"\nname = "元旦"\nenglish = "New Year"\n'
)
NEW_YEARS_EVE = datetime(2026, 12, 31, 8, 0, tzinfo=UTC)  # 16:00 in the street


@pytest.fixture
async def eve(street: Street) -> AsyncIterator[Street]:
    """The afternoon before a provisional year."""
    async with street.db.transaction() as tx:
        await move_clock(tx, NEW_YEARS_EVE - datetime.now(UTC))
    await street.cache.refresh()
    yield street
    async with street.db.transaction() as tx:
        await move_clock(tx, timedelta(0))


def ground_of(street: Street) -> Ground:
    return Ground(street.db, street.cache, street.ids, Metrics("dispatch"))


async def load(street: Street, text: str = NOTICE) -> Loaded:
    async with street.db.transaction() as tx:
        return await load_year(tx, text, "notice.toml", "cli:test")


async def count_anew(street: Street, told: list[tuple[int, str]] | None = None) -> bool:
    def note(job: Job, now: str) -> None:
        if told is not None:
            told.append((job.looked, now))

    return await Recomputing(ground_of(street), Pace(batch=3, per_second=1e6), note, settle_s=0).run(asyncio.Event())


async def published(street: Street) -> None:
    """As if a relay had taken everything that waits."""
    async with street.db.transaction() as tx:
        await tx.execute(sa.text("UPDATE dispatch.outbox SET published_at = directory.grid_now()"))


async def cases_of(street: Street) -> list[Case]:
    rows = await street.rows("SELECT body::text FROM dispatch.cases WHERE NOT history ORDER BY id")
    return [load_case(str(row[0]).encode()) for row in rows]


async def open_some(street: Street, count: int) -> None:
    for _ in range(count):
        await street.take(("report.submitted", await street.report(category=await street.category())))
    await published(street)


def whole_due(case: Case) -> datetime:
    clock = live_clock(case, ClockKind.WHOLE)
    assert clock is not None
    return clock.due_at


async def test_the_notice_moves_what_crosses_it_and_says_so(eve: Street) -> None:
    await open_some(eve, 7)
    before = await cases_of(eve)
    assert all(any(clock.provisional for clock in case.clocks) for case in before)
    loaded = await load(eve)
    assert (loaded.name, loaded.new, loaded.job is not None) == ("cn-2027.toml", True, True)
    assert await count_anew(eve)
    after = await cases_of(eve)
    assert [whole_due(b) - whole_due(a) for a, b in zip(before, after, strict=True)] == [timedelta(days=1)] * 7
    assert not any(clock.provisional for case in after for clock in case.clocks)
    bodies = await eve.rows("SELECT body::text FROM dispatch.case_facts WHERE kind = 'case.due_recomputed'")
    assert len(bodies) == 7
    fact = load_fact(str(bodies[0][0]).encode())
    moved = [c for c in fact.changes if isinstance(c, ClockChanged) and c.was is not None]
    assert fact.reason == "calendar_confirmed"
    assert {c.was.calendar_rev != c.clock.calendar_rev for c in moved if c.was} == {True}
    assert await eve.scalar("SELECT count(*) FROM dispatch.recomputes WHERE ended_at IS NULL") == 0
    assert await eve.scalar("SELECT count(*) FROM identity.audit_log WHERE action = 'calendar.loaded'") == 1


async def test_the_event_tells_both_due_times(eve: Street) -> None:
    await open_some(eve, 1)
    await load(eve)
    await count_anew(eve)
    payload = await eve.scalar(
        "SELECT convert_from(payload, 'UTF8')::json -> 'moved' -> 0 FROM dispatch.outbox"
        " WHERE headers->>'ce_type' = 'case.due_recomputed'"
    )
    assert isinstance(payload, dict)
    assert payload["from_due"] < payload["to_due"]
    assert payload["from_calendar"] != payload["to_calendar"]


async def test_only_what_may_move_is_read(eve: Street) -> None:
    await open_some(eve, 3)
    async with eve.db.transaction() as tx:  # a case whose last limit ends before the first changed day
        await tx.execute(
            sa.text(
                "UPDATE dispatch.cases SET last_work_due = '2026-12-31 09:00+00'"
                " WHERE id = (SELECT min(id::text)::uuid FROM dispatch.cases)"
            )
        )
    await load(eve)
    assert await eve.scalar("SELECT total FROM dispatch.recomputes") == 2
    await count_anew(eve)
    assert await eve.scalar("SELECT looked FROM dispatch.recomputes") == 2


async def test_rows_from_before_the_column_are_looked_at(eve: Street) -> None:
    await open_some(eve, 2)
    async with eve.db.transaction() as tx:
        await tx.execute(sa.text("UPDATE dispatch.cases SET last_work_due = NULL"))
    await load(eve)
    await count_anew(eve)
    assert await eve.scalar("SELECT count(*) FROM dispatch.case_facts WHERE kind = 'case.due_recomputed'") == 2


async def test_the_same_file_again_changes_nothing(eve: Street) -> None:
    await load(eve)
    again = await load(eve)
    assert (again.new, again.job) == (False, None)


async def test_a_file_without_its_notice_and_one_that_takes_a_year_back_are_refused(eve: Street) -> None:
    with pytest.raises(RulebookFileError) as refused:
        await load(eve, PROVISIONAL.replace("confirmed = false", "confirmed = true"))
    assert "notice.toml:4 confirmed" in refused.value.told("en-US")[0]
    await load(eve)
    with pytest.raises(AlreadyConfirmed):
        await load(eve, PROVISIONAL)
    assert await eve.scalar("SELECT max(rev) FROM directory.calendars WHERE name = 'cn-2027.toml'") == 2


async def test_a_second_notice_is_worked_off_after_the_first(eve: Street) -> None:
    await open_some(eve, 2)
    before = await cases_of(eve)
    await load(eve)
    corrected = NOTICE + '\n[[days]]\non = 2027-01-05\nkind = "holiday"\nname = "元旦"\nenglish = "New Year"\n'
    await load(eve, corrected)
    await count_anew(eve)
    after = await cases_of(eve)
    assert [whole_due(b) - whole_due(a) for a, b in zip(before, after, strict=True)] == [timedelta(days=2)] * 2
    assert await eve.scalar("SELECT count(*) FROM dispatch.recomputes WHERE ended_at IS NULL") == 0


async def test_live_events_go_first(eve: Street) -> None:
    await open_some(eve, 2)
    await load(eve)
    await eve.opened()  # its event waits for a relay
    async with eve.db.transaction() as tx:
        await tx.execute(
            sa.text(
                "UPDATE dispatch.outbox SET created_at = created_at - interval '1 second' WHERE published_at IS NULL"
            )
        )
    told: list[tuple[int, str]] = []
    work = asyncio.create_task(count_anew(eve, told))
    async with asyncio.timeout(30):
        while (0, "live") not in told:  # noqa: ASYNC110 - a list tells nobody
            await asyncio.sleep(0.02)
    assert await eve.scalar("SELECT looked FROM dispatch.recomputes") == 0
    await published(eve)
    async with asyncio.timeout(30):
        while not work.done():
            await published(eve)
            await asyncio.sleep(0.02)
    assert await work


async def test_one_at_a_time(eve: Street) -> None:
    await open_some(eve, 1)
    await load(eve)
    async with eve.db.session() as other:
        assert await recomputes.take_turn(other)
        assert not await count_anew(eve)
    assert await count_anew(eve)


async def test_housekeeping_takes_up_what_somebody_left(eve: Street) -> None:
    await open_some(eve, 2)
    await load(eve)
    async with eve.db.session() as connection:
        told = HouseMetrics(Metrics("dispatch"), "dispatch")
        turn = Turn(connection, "dispatch", 100, told, SystemClock(), asyncio.Event())
        await Abandoned(ground_of(eve), 1e6).do(turn)
    assert await eve.scalar("SELECT count(*) FROM dispatch.case_facts WHERE kind = 'case.due_recomputed'") == 2


async def test_killed_it_goes_on_where_it_was(eve: Street, database_url: str, tmp_path: Path) -> None:
    """kill -9 in the middle; nothing is done twice and nothing is left out."""
    await open_some(eve, 60)
    await load(eve)
    first = start(database_url, tmp_path, per_second="10")
    try:
        async with asyncio.timeout(90):
            while not await looked_at(eve):
                await published(eve)
                await asyncio.sleep(0.05)
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert 0 < await looked_at(eve) < 60
    second = start(database_url, tmp_path, per_second="1000")
    async with asyncio.timeout(90):
        while second.poll() is None:
            await published(eve)
            await asyncio.sleep(0.05)
    assert second.returncode == 0, (tmp_path / "recompute.log").read_text()
    per_case = await eve.rows(
        "SELECT count(*) AS facts FROM dispatch.case_facts WHERE kind = 'case.due_recomputed' GROUP BY case_id"
    )
    assert [row.facts for row in per_case] == [1] * 60
    job = (await eve.rows("SELECT total, looked, changed, ended_at FROM dispatch.recomputes"))[0]
    assert (job.total, job.looked, job.changed) == (60, 60, 60)
    assert job.ended_at is not None


async def looked_at(street: Street) -> int:
    found = await street.scalar("SELECT looked FROM dispatch.recomputes")
    assert isinstance(found, int)
    return found


def start(url: str, folder: Path, per_second: str) -> subprocess.Popen[bytes]:
    """`grid calendar recompute` as a process of its own."""
    env = {**os.environ, "DATABASE_URL": url, "GRID_RECOMPUTE_PER_S": per_second, "PYTHONPATH": str(CHECKOUT)}
    words = [sys.executable, "-m", "services.dispatch", "calendar", "recompute"]
    with (folder / "recompute.log").open("ab") as log:
        return subprocess.Popen(words, env=env, cwd=CHECKOUT, stdout=log, stderr=log)


async def test_from_the_terminal(eve: Street, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cn-2027.toml"
    file.write_text(NOTICE, "utf-8")
    await open_some(eve, 2)
    base = ground_of(eve)
    assert await run_calendar(base, argparse.Namespace(verb="show")) == 0
    assert "confirmed year ends in 0 days" in capsys.readouterr().out
    assert await run_calendar(base, argparse.Namespace(verb="check", file=file)) == 0
    told = capsys.readouterr().out
    assert "would be kept as a new revision" in told
    assert "2 open cases" in told
    assert await eve.scalar("SELECT count(*) FROM dispatch.recomputes") == 0
    assert await run_calendar(base, argparse.Namespace(verb="load", file=file, later=True)) == 0
    assert await run_calendar(base, argparse.Namespace(verb="show")) == 0
    told = capsys.readouterr().out
    assert "hours differ on 2027-01-04" in told
    assert "0 of 2 looked at" in told
    assert "confirmed year ends" not in told
    file.write_text(NOTICE.replace('"holiday"', '"holidays"'), "utf-8")
    assert await run_calendar(base, argparse.Namespace(verb="load", file=file, later=True)) == 1
    assert "cn-2027.toml:" in capsys.readouterr().err

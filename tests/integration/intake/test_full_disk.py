"""A disk that is really full: under the database's tables, under its log, under the photos.

Whoever asks is refused in his language and told to come again, nothing acknowledged is lost, workers stay at their
batch, and everything goes on by itself once there is room.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from sqlalchemy import MetaData, text

from services.chassis.db import Database
from services.chassis.engines import EngineFailed
from services.chassis.engines.postgres import ADMIN, EmbeddedPostgres
from services.chassis.ids import SystemIds
from services.chassis.inbox import inbox_tables
from services.chassis.migrate import migrate
from services.chassis.outbox import outbox_tables
from services.chassis.settings import DatabaseSettings
from services.chassis.streams.batch import BatchRunner, Surroundings
from services.chassis.streams.metrics import StreamMetrics
from services.chassis.telemetry import Metrics
from tests.integration.intake.conftest import ORIGIN, SignIn, Street, key, picture
from tests.support.events import decode_noted, message, noted
from tests.support.handler import CREATE, Recorder
from tests.support.small_disk import SmallDisk, small_disk

pytestmark = pytest.mark.anyio
NAME = "grid_test_disk"
SAFE_AND_SMALL = {"shared_buffers": "32MB", "max_wal_size": "64MB", "min_wal_size": "32MB", "autovacuum": "off"}
"""What was acknowledged survives the crash that a full log ends in: fsync and synchronous commit stay on."""
PATIENCE_S = 180.0


@dataclass
class Crowded:
    """A server with one of its folders on a small disk."""

    engine: EmbeddedPostgres
    disk: SmallDisk
    full: str

    @property
    def url(self) -> str:
        return self.engine.url_for(ADMIN, NAME)

    def press(self) -> None:
        """Use up a segment of the log, where it is the log that has no room; the server may well die of it."""
        if self.full == "log":
            with contextlib.suppress(psycopg.Error), psycopg.connect(self.url, autocommit=True) as connection:
                connection.execute("SELECT pg_switch_wal()")

    def revive(self) -> None:
        """What the supervisor does: start it again if it has ended, as often as it takes."""
        with contextlib.suppress(EngineFailed):
            self.engine.start(patience=60)


@pytest.fixture(params=["tables", "log"])
def crowded(request: pytest.FixtureRequest) -> Iterator[Crowded]:
    home = Path(tempfile.mkdtemp(prefix="grid-test-full-", dir="/tmp"))
    home.chmod(0o711)
    with small_disk(192) as disk:
        crowded = Crowded(EmbeddedPostgres(home, settings=SAFE_AND_SMALL), disk, request.param)
        try:
            _spread(crowded, home)
            yield crowded
        finally:
            crowded.engine.stop()
            shutil.rmtree(home, ignore_errors=True)


def _spread(crowded: Crowded, home: Path) -> None:
    """Tables on the small disk and the log beside it, or the other way round."""
    small, wide = crowded.disk.folder, home / "beside"
    wide.mkdir()
    place, beside = (small / "postgres", wide) if crowded.full == "tables" else (home / "postgres", small)
    (home / "postgres.place").write_text(f"{place}\n")
    crowded.engine.start()
    crowded.engine.stop()
    log = beside / "log"
    shutil.copytree(place / "data" / "pg_wal", log, copy_function=_copy_owned)
    _own_like(place / "data" / "pg_wal", log)
    shutil.rmtree(place / "data" / "pg_wal")
    (place / "data" / "pg_wal").symlink_to(log)
    crowded.engine.start()
    with psycopg.connect(crowded.engine.url_for(ADMIN, "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {NAME} OWNER grid_owner".encode())
    migrate(crowded.url)


def _copy_owned(source: str, target: str) -> None:
    shutil.copy2(source, target)
    _own_like(Path(source), Path(target))


def _own_like(model: Path, target: Path) -> None:
    status = model.stat()
    shutil.chown(target, status.st_uid, status.st_gid)
    target.chmod(status.st_mode & 0o777)
    for folder in (each for each in target.iterdir() if each.is_dir()) if target.is_dir() else ():
        shutil.chown(folder, status.st_uid, status.st_gid)


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """Takes the place of the usual database where a test asks for the crowded one."""
    if "crowded" in request.fixturenames:
        crowded: Crowded = request.getfixturevalue("crowded")
        return crowded.url
    return str(request.getfixturevalue("usual_database_url"))


@pytest.fixture
async def phone(app: FastAPI, sign_in: SignIn) -> AsyncIterator[httpx.AsyncClient]:
    worker = await sign_in("wangge01")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url=ORIGIN,
        headers={"origin": ORIGIN},
        cookies=worker.cookies,
        timeout=60,
    ) as client:
        yield client


async def until_ready(phone: httpx.AsyncClient, wanted: int, crowded: Crowded | None = None) -> dict[str, Any]:
    """Ask until `/readyz` answers so; in between do what a supervisor would."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE_S
    while (answer := await phone.get("/readyz")).status_code != wanted:
        assert loop.time() < end, answer.text
        if crowded is not None:
            await asyncio.to_thread(crowded.revive)
        await asyncio.sleep(0.3)
    told: dict[str, Any] = answer.json()
    return told


async def test_a_full_database_refuses_and_loses_nothing(
    crowded: Crowded, phone: httpx.AsyncClient, street: Street, report: dict[str, object]
) -> None:
    acknowledged: dict[str, str] = {}
    refused: list[tuple[str, httpx.Response]] = []
    chance = random.Random(4)

    async def post(name: str, lang: str = "zh-CN") -> httpx.Response:
        words = "".join(chr(chance.randint(0x4E00, 0x9FA5)) for _ in range(400))
        body = report | {"text": bodies.setdefault(name, words)}
        answer = await phone.post("/api/v1/reports", json=body, headers=key(name) | {"accept-language": lang})
        if answer.status_code == 201:
            acknowledged[name] = answer.json()["id"]
        return answer

    bodies: dict[str, str] = {}
    await post("before")
    async with worker_beside(crowded, street) as worker:
        crowded.disk.fill()
        worker.begin.set()
        n = 0
        while len(refused) < 20:
            assert n < 3000, "the disk is full and nobody notices"
            crowded.press()
            answer = await post(f"r{n}", "en-US" if n % 2 else "zh-CN")
            if answer.status_code != 201:
                refused.append((f"r{n}", answer))
            n += 1
        for name, answer in refused:
            assert answer.status_code == 503, (name, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
            assert int(answer.headers["retry-after"]) > 0
            assert answer.json()["code"] in ("storage_full", "unavailable")
        if crowded.full == "tables":
            told = {answer.json()["title"] for _, answer in refused if answer.json()["code"] == "storage_full"}
            assert told == {"存储空间已满，本次内容未保存", "No storage space left; nothing was saved"}
        else:
            assert "No space left on device" in crowded.engine.log.read_text()
        missing = await until_ready(phone, 503)
        assert any(check["name"] == "database" and not check["ok"] for check in missing["checks"])
        assert not worker.applied.is_set(), "the worker stays at its batch"

        crowded.disk.clear()
        await until_ready(phone, 200, crowded)
        await asyncio.wait_for(worker.applied.wait(), PATIENCE_S)
        for name, _ in refused:
            again = await post(name)
            assert again.status_code == 201, again.text

    assert len(acknowledged) == n + 1
    ledger = "SELECT json_object_agg(key, report_id) FROM intake.ledger"
    assert await street.scalar(ledger) == acknowledged
    sent = "SELECT count(DISTINCT key) FROM intake.outbox WHERE headers ->> 'ce_type' = 'report.submitted'"
    assert await street.scalar(sent) == len(acknowledged)
    assert await street.scalar("SELECT array_agg(seq ORDER BY nr) FROM dispatch.seen") == list(range(1, EVENTS + 1))


EVENTS = 400


@dataclass
class Worker:
    """When it is to begin, and when all is applied."""

    begin: asyncio.Event
    applied: asyncio.Event


@contextlib.asynccontextmanager
async def worker_beside(crowded: Crowded, street: Street) -> AsyncIterator[Worker]:
    """A stream worker of dispatch with more in hand than a full disk takes."""
    async with street.db.transaction() as tx:
        await tx.execute(text(CREATE))
    metadata = MetaData(schema="dispatch")
    tables = (inbox_tables(metadata, "dispatch"), outbox_tables(metadata, "dispatch"))
    db = Database(DatabaseSettings(url=crowded.url), "worker")
    around = Surroundings(decode=decode_noted)
    told = StreamMetrics(Metrics("test"))
    runner = BatchRunner("grid-test", db, tables, Recorder(), SystemIds(), told, around)
    batch = [message(noted("a", number, "x" * 20_000 + _noise(number)), number) for number in range(1, EVENTS + 1)]
    worker = Worker(asyncio.Event(), asyncio.Event())

    async def work() -> None:
        await worker.begin.wait()
        await runner.run(runner.read(batch))
        worker.applied.set()

    task = asyncio.create_task(work())
    try:
        yield worker
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await db.close()


def _noise(seed: int) -> str:
    """Text that no compression makes small."""
    return random.Random(seed).randbytes(4000).hex()


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[SmallDisk]:
    """A small disk under the photos."""
    with small_disk(4) as disk:
        (tmp_path / "media").symlink_to(disk.folder)
        yield disk


async def test_a_full_photo_shelf_refuses_and_breaks_no_photo(
    shelf: SmallDisk, phone: httpx.AsyncClient, street: Street, report: dict[str, object]
) -> None:
    data = picture()
    photo = {"id": "p1", "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), "mime": "image/jpeg"}
    made = await phone.post("/api/v1/reports", json=report | {"photos": [photo]}, headers=key())
    url = f"/api/v1/reports/{made.json()['id']}/photos/p1"
    for leave in (0, len(data) + 8192):  # no room for the bytes; room for them, but none for the clean picture
        shelf.fill(leave)
        full = await phone.put(url, content=data, headers={"content-type": "image/jpeg"})
        assert (full.status_code, full.json()["code"]) == (503, "storage_full"), full.text
        assert full.headers["retry-after"] == "30"
        assert full.json()["title"] == "存储空间已满，本次内容未保存"
        assert await street.scalar("SELECT state FROM intake.photos") == "named", "the photo is not at fault"
        missing = await until_ready(phone, 503)
        assert [check["name"] for check in missing["checks"] if not check["ok"]] == ["photos"]
        other = await phone.post("/api/v1/reports", json=report, headers=key())
        assert other.status_code == 201, "reports go on while there is no room for photos"
        shelf.clear()
        await until_ready(phone, 200)
    stored = await phone.put(url, content=data, headers={"content-type": "image/jpeg"})
    assert stored.status_code == 201, stored.text
    assert await street.scalar("SELECT state FROM intake.photos") == "stored"
    shown = await phone.get(stored.json()["url"].replace("/reports/", "/media/").replace("/photos/", "/"))
    assert shown.headers["content-type"] == "image/jpeg"

"""Intake's application on a real database with the sample street, and clients that sign in as anybody."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from PIL import Image

from services.chassis.clock import SystemClock
from services.chassis.db import Database
from services.chassis.directory import DirectoryCache
from services.intake.app import http_app
from services.intake.store.moment import DatabaseClock
from tests.support.sample import load_sample

PASSWORD = "fengcheng-2026"
ORIGIN = "http://localhost"
SERVICE_TOKEN = "a-service-token-for-tests"


@dataclass
class Street:
    """The loaded street and questions to its database."""

    db: Database
    cache: DirectoryCache

    async def scalar(self, statement: str, **values: object) -> object:
        async with self.db.reading() as tx:
            return (await tx.execute(sa.text(statement), values)).scalar()

    async def count(self, table: str) -> int:
        found = await self.scalar(f"SELECT count(*) FROM intake.{table}")
        assert isinstance(found, int)
        return found


@pytest.fixture
async def street(sample_street: None, database: Database) -> Street:
    await load_sample(database)
    cache = DirectoryCache(database)
    await cache.refresh()
    return Street(database, cache)


@pytest.fixture
async def app(street: Street, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FastAPI]:
    monkeypatch.setenv("GRID_SERVICE_TOKEN", SERVICE_TOKEN)
    clock = DatabaseClock(street.db, SystemClock())
    await clock.refresh()
    made = http_app(street.db, street.cache, clock, tmp_path)
    async with made.router.lifespan_context(made):
        yield made


SignIn = Callable[[str], Awaitable[httpx.AsyncClient]]


@pytest.fixture
async def sign_in(app: FastAPI) -> AsyncIterator[SignIn]:
    """`await sign_in('wangge01')`: a client with that person's session."""
    opened: list[httpx.AsyncClient] = []

    async def signed_in(login: str) -> httpx.AsyncClient:
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url=ORIGIN, headers={"origin": ORIGIN}, timeout=30
        )
        opened.append(client)
        answer = await client.post("/api/v1/session", json={"login": login, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return client

    yield signed_in
    for client in opened:
        await client.aclose()


@pytest.fixture
async def worker(sign_in: SignIn) -> httpx.AsyncClient:
    """A grid worker's phone."""
    return await sign_in("wangge01")


@pytest.fixture
def report(street: Street) -> dict[str, object]:
    """A complete, ordinary report at a named place."""
    place = next(p for p in street.cache.current().places.values() if p.lng is not None)
    return {
        "category": {"scheme": "GB/T 30428.2", "version": "2013", "code": "0110"},
        "text": "门口垃圾，联系电话13812345678",
        "position": {"lng": place.lng, "lat": place.lat, "crs": "wgs84", "accuracy_m": 8},
        "place_words": place.name,
    }


def key(value: str | None = None) -> dict[str, str]:
    """Headers with an Idempotency-Key."""
    return {"Idempotency-Key": value or str(uuid4())}


def picture(colour: str = "red") -> bytes:
    """A JPEG that carries EXIF."""
    image, out = Image.new("RGB", (640, 480), colour), io.BytesIO()
    exif = image.getexif()
    exif[0x010E] = "taken at home"
    image.save(out, "JPEG", exif=exif)
    return out.getvalue()

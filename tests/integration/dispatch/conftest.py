"""The sample street in a real database, with a worker's hands and an HTTP client that signs in as anybody."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from pydantic import SecretStr

from schemas.envelope import Envelope
from schemas.events.parts import CategoryV1, SpotV1
from schemas.events.report import ReportSubmittedV1
from schemas.topics import topic_of
from schemas.wire import Body
from services.chassis.auth import Authenticator
from services.chassis.clock import monotonic
from services.chassis.db import Database, grid_now
from services.chassis.directory import DirectoryCache
from services.chassis.http_client import ServiceClient
from services.chassis.ids import SystemIds
from services.chassis.pictures.folder import FolderStore
from services.chassis.pictures.workshop import Workshop
from services.chassis.settings import DispatchHttpSettings
from services.chassis.streams import Received
from services.chassis.telemetry import Metrics
from services.dispatch.api import Wiring
from services.dispatch.app import PostsOf, make_app
from services.dispatch.forward import Forwarder
from services.dispatch.live import Feed
from services.dispatch.media import EvidenceFiles
from services.dispatch.settings import DispatchSettings
from services.dispatch.usecases.ground import Ground
from services.dispatch.usecases.indexing import index_some
from services.dispatch.usecases.take import Taking, Tools
from services.governance.cycle import Nature, Role, Urgency
from tests.support.sample import load_sample

PASSWORD = "fengcheng-2026"
ORIGIN = "http://localhost"


@dataclass
class Street:
    """The loaded street and what writes into it."""

    db: Database
    cache: DirectoryCache
    ids: SystemIds
    offsets: Iterator[int] = field(default_factory=lambda: iter(range(10**9)))

    async def now(self) -> datetime:
        async with self.db.reading() as tx:
            return await grid_now(tx)

    async def take(self, *bodies: tuple[str, Body], ids: tuple[UUID, ...] = ()) -> list[UUID]:
        """One batch of messages through the worker's handler, in one transaction; the ids of their envelopes."""
        now, batch = await self.now(), []
        for n, (kind, body) in enumerate(bodies):
            event_id = ids[n] if ids else self.ids.uuid7()
            subject = getattr(body, "report_id", None) or getattr(body, "case_id", None) or "x"
            envelope = Envelope(event_id, kind, 1, "test", now, subject, 1, body)
            batch.append(Received(topic_of(kind).name, 0, next(self.offsets), envelope))
        async with self.db.transaction() as tx:
            await Taking(Tools(self.cache, self.ids)).apply(tx, batch)
        return [received.envelope.id for received in batch]

    async def report(self, **changes: object) -> ReportSubmittedV1:
        """A report of the first grid's worker, not yet taken."""
        cell = next(c for c in self.cache.current().cells.values() if c.grid == "44180200100101")
        version = self.cache.current().rulebook_version("441802001", await self.now())
        worker = await self.account("wangge01")
        spot = SpotV1(street="441802001", community=cell.community, grid=cell.grid, cell=cell.code)
        values: dict[str, object] = {
            "report_id": str(self.ids.uuid7()),
            "receipt_no": self.ids.token(6),
            "reporter_ref": self.ids.token(8),
            "reporter_account": worker,
            "reporter_role": Role.GRID_WORKER,
            "staff": True,
            "source": "grid_worker",
            "nature": Nature.COMPLAINT,
            "spot": spot,
            "masked_text": "垃圾堆在路口",
            "masked_place": "云溪路口东侧",
            "occurred_at": await self.now(),
            "submitted_at": await self.now(),
            "rulebook": version,
        }
        return ReportSubmittedV1.model_validate({**values, **changes})

    async def opened(self, **changes: object) -> str:
        """The case number of a fresh report."""
        report = await self.report(**changes)
        await self.take(("report.submitted", report))
        return str(
            await self.scalar(
                "SELECT case_no FROM dispatch.cases c JOIN dispatch.case_reports r ON r.case_id = c.id"
                " WHERE r.report_id = :id",
                id=report.report_id,
            )
        )

    async def category(self, *, restricted: bool = False) -> CategoryV1:
        """An everyday class of the rulebook, or a restricted one."""
        version = self.cache.current().rulebook_version("441802001", await self.now())
        assert version is not None
        book = await self.cache.rulebook(version)
        found = next(
            c
            for c in book.categories.values()
            if c.restricted is restricted and book.conditions[c.conditions[0]].urgency is Urgency.ORDINARY
        )
        return CategoryV1(scheme=found.scheme, version=found.version, code=found.code)

    async def indexed(self) -> None:
        """Make the search rows of whatever has changed, as the part beside the relay does all the time."""
        async with self.db.transaction() as tx:
            await index_some(tx, self.cache)

    async def account(self, login: str) -> str:
        return next(a.account_id for a in self.cache.current().accounts.values() if a.login == login)

    async def scalar(self, statement: str, **values: object) -> object:
        async with self.db.reading() as tx:
            return (await tx.execute(sa.text(statement), values)).scalar()

    async def rows(self, statement: str, **values: object) -> list[sa.Row[tuple[object, ...]]]:
        async with self.db.reading() as tx:
            return list(await tx.execute(sa.text(statement), values))


@pytest.fixture
async def street(sample_street: None, database: Database) -> Street:
    await load_sample(database)
    cache = DirectoryCache(database)
    await cache.refresh()
    return Street(database, cache, SystemIds())


@pytest.fixture
async def app(street: Street, tmp_path: Path) -> AsyncIterator[FastAPI]:
    application = make_app(DispatchHttpSettings(), Ground(street.db, street.cache, street.ids, Metrics("dispatch")))
    auth = Authenticator(street.db, PostsOf(street.cache), street.ids)
    forwarder = Forwarder(*(ServiceClient(name, "http://127.0.0.1:9", SecretStr("x")) for name in ("a", "b")))
    feed = Feed(street.db, street.cache, DispatchSettings(feed_tick_s=0.02))
    files = EvidenceFiles(FolderStore(tmp_path), tmp_path / "bench", Workshop(), street.ids)
    application.state.auth = auth
    application.state.clock = monotonic
    application.state.wiring = Wiring(street.db, street.cache, street.ids, feed, files, forwarder)
    yield application
    auth.close()
    await forwarder.close()


SignIn = Callable[[str], Awaitable[httpx.AsyncClient]]


@pytest.fixture
async def sign_in(app: FastAPI) -> AsyncIterator[SignIn]:
    """`await sign_in('wangge01')`: a client with that person's session."""
    opened: list[httpx.AsyncClient] = []

    async def signed_in(login: str) -> httpx.AsyncClient:
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url=ORIGIN, headers={"origin": ORIGIN}, timeout=20
        )
        opened.append(client)
        answer = await client.post("/api/v1/session", json={"login": login, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return client

    yield signed_in
    for client in opened:
        await client.aclose()

"""Escalation on a real database: facts to hear, timers to fire, a platform that answers as it is told."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from schemas.api.escalation import WebhookIn
from schemas.envelope import Envelope
from schemas.events.case import CaseFactV1, ClockV1, RungV1
from schemas.registry import decode
from schemas.topics import CASE
from services.chassis.db import Database, Tx, grid_now, move_clock
from services.chassis.directory import DirectoryCache
from services.chassis.ids import SystemIds
from services.chassis.secretbox import SecretBox
from services.chassis.signing import encode_secret
from services.chassis.streams import Received
from services.chassis.telemetry import Metrics
from services.escalation.app import http_app
from services.escalation.settings import WebhookSettings
from services.escalation.tables import outbox
from services.escalation.usecases.deliver import Deliverer
from services.escalation.usecases.fire import Fired, fire_due
from services.escalation.usecases.follow import CaseFollower
from services.escalation.usecases.links import Links
from services.escalation.usecases.manage import EndpointDesk, NewSecret
from services.escalation.webhooks.client import Outcome
from services.governance.acts import ClockState
from services.governance.cycle import ClockKind
from services.governance.rulebook import Rulebook
from tests.support.governance import rulebook

EXAMPLES = Path(__file__).resolve().parents[3] / "schemas" / "examples"
OK = Outcome(200, None, 3, "")
DOWN = Outcome(503, None, 3, "busy")
HOOK_URL = "https://platform.example.com/hook"
ORIGIN = "http://localhost"
PASSWORD = "fengcheng-2026"
PLATFORM_SECRET = encode_secret(b"shared-with-the-platform-32bytes")
SignIn = Callable[[str], Awaitable[httpx.AsyncClient]]
_sequence = count(1)


@dataclass
class Platform:
    """Takes what is posted and answers by `answer`, which may look at the headers."""

    answer: Callable[[dict[str, str]], Outcome] = lambda _: OK
    posted: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> Outcome:
        self.posted.append((headers, body))
        return self.answer(headers)

    @property
    def numbers(self) -> list[tuple[str, int]]:
        """(case, number) of everything posted, in order."""
        return [(headers["ce-subject"], int(headers["ce-sequence"])) for headers, _ in self.posted]

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.posted]


@dataclass
class House:
    """The use cases of escalation around one database."""

    db: Database
    ids: SystemIds
    box: SecretBox
    platform: Platform
    book: Rulebook

    async def now(self) -> datetime:
        async with self.db.reading() as tx:
            return await grid_now(tx)

    async def later(self, seconds: float) -> None:
        """Move the database's clock on."""
        async with self.db.transaction() as tx:
            ahead = (await tx.execute(sa.text("SELECT ahead FROM directory.clock_offset"))).scalar_one()
            await move_clock(tx, ahead + timedelta(seconds=seconds))

    async def hear(self, *facts: Envelope[CaseFactV1]) -> None:
        """One batch of case facts, in one transaction."""
        async with self.db.transaction() as tx:
            await self.apply(tx, *facts)

    async def apply(self, tx: Tx, *facts: Envelope[CaseFactV1]) -> None:
        batch = [Received(CASE.name, 0, next(_sequence), fact) for fact in facts]
        await CaseFollower(self.ids, self._book).apply(tx, batch)

    async def _book(self, _version: str) -> Rulebook:
        return self.book

    async def fire(self, limit: int = 500) -> Fired:
        async with self.db.transaction() as tx:
            return await fire_due(tx, outbox, self.ids, limit)

    async def endpoint(self, *kinds: str, url: str = HOOK_URL) -> NewSecret:
        wanted = WebhookIn(url=url, events=kinds or ("case.overdue",), name="平台")
        async with self.db.transaction() as tx:
            return await self.desk.add(tx, wanted, "admin")

    @property
    def desk(self) -> EndpointDesk:
        return EndpointDesk(self.ids, self.box, frozenset())

    def deliverer(self, **settings: Any) -> Deliverer:
        return Deliverer(
            self.db,
            self.platform,
            self.box,
            WebhookSettings(GRID_WEBHOOK_SCHEDULE_S=(5, 60), **settings),
            random.Random(1),
            Metrics("test"),
            links=Links(self.box, "http://localhost", timedelta(hours=1)),
        )

    async def partner(self, name: str) -> None:
        """Intake knows somebody of this name who hands matters over."""
        async with self.db.transaction() as tx:
            await tx.execute(
                sa.text(
                    "INSERT INTO intake.partners (name, source, scheme, edition, secret)"
                    " VALUES (:name, 'hotline_12345', 'CJ/T 214', '2007', '')"
                ),
                {"name": name},
            )

    async def rows(self, statement: str, **values: object) -> list[tuple[Any, ...]]:
        async with self.db.reading() as tx:
            return [tuple(row) for row in await tx.execute(sa.text(statement), values)]

    async def timers(self) -> set[tuple[str, int, int, str]]:
        """(clock, rev, rung, state) of every timer."""
        return set(await self.rows("SELECT clock_id, rev, rung, state FROM escalation.sla_timers"))

    async def armed(self) -> set[tuple[str, int, int]]:
        return {row[:3] for row in await self.timers() if row[3] == "armed"}


@pytest.fixture
def house(database: Database) -> House:
    return House(database, SystemIds(), SecretBox(bytes(32)), Platform(), rulebook())


@pytest.fixture
async def app(sample_street: None, house: House, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FastAPI]:
    monkeypatch.setenv("GRID_PLATFORM_SECRET", PLATFORM_SECRET)
    cache = DirectoryCache(house.db)
    await cache.refresh()
    made = http_app(house.db, cache, house.box)
    async with made.router.lifespan_context(made):
        yield made


@pytest.fixture
async def sign_in(app: FastAPI) -> AsyncIterator[SignIn]:
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
async def admin(sign_in: SignIn) -> httpx.AsyncClient:
    return await sign_in("admin")


def fact(case_id: str, *clocks: ClockV1, kind: str = "case.reminded", **standing: object) -> Envelope[CaseFactV1]:
    """A fact of this case, with these clocks in its standing."""
    stored = json.loads((EXAMPLES / "case.overdue" / "v1" / "plain.json").read_text("utf-8"))
    example = decode(
        {key: value.encode() for key, value in stored["headers"].items()}, json.dumps(stored["data"]).encode()
    )
    number = next(_sequence)
    body = example.data
    assert isinstance(body, CaseFactV1)
    changes = {"case_id": case_id, "case_no": f"FC-{case_id}", "sequence": number, "clocks": clocks, **standing}
    changed = body.model_copy(update={"standing": body.standing.model_copy(update=changes)})
    return replace(example, id=SystemIds().uuid7(), type=kind, subject=case_id, sequence=number, data=changed)


def clock(
    case_id: str,
    *at: datetime,
    rev: int = 1,
    state: ClockState = ClockState.RUNNING,
    fired: tuple[int, ...] = (),
    name: str = "handling",
) -> ClockV1:
    """A clock of the case with rungs 0, 1, … at these moments; the last is its due time."""
    return ClockV1(
        clock_id=f"{case_id}:{name}",
        kind=ClockKind(name),
        rev=rev,
        state=state,
        started_at=at[0] - timedelta(hours=1),
        budget_s=3600,
        basis="wall",
        due_at=at[-1],
        original_due=at[-1],
        rungs=tuple(RungV1(rung=n, at=moment, act="overdue") for n, moment in enumerate(at)),
        fired=fired,
    )


def endpoint_id(made: NewSecret) -> UUID:
    return made.endpoint.id

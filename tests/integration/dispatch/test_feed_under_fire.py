"""The live feed under fire: two HTTP processes, eight writers whose commits come late and out of order, readers whose
line is cut a thousand times and goes on at the other process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import text

from services.chassis.db import Database
from services.chassis.settings import DatabaseSettings
from services.dispatch.live import Cursor
from services.dispatch.store.feed import Seen
from services.dispatch.usecases.act import UnknownCase, VersionConflict, Wish, act
from services.governance.acts import Actor, Inputs, Post
from services.governance.cycle import Action, Role
from services.governance.errors import GovernanceError
from tests.integration.dispatch.conftest import PASSWORD, Street
from tests.support.stand import CHECKOUT, free_ports

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(280)]
READERS = 20
CUTS_EACH = 50
STEADY = 4
"""Readers whose line is never cut: they hear the counts beside the rows all the time."""
WRITERS = 8
GRID = "44180200100101"
BRANCH = Actor("branch", (Post(Role.GRID_SECRETARY, GRID),))
COMMUNITY = Actor("community", (Post(Role.COMMUNITY_SECRETARY, "441802001001"),))
MOVES = (
    (BRANCH, Action.CALL_UP, Inputs(reason="no_means")),
    (COMMUNITY, Action.ANSWER, Inputs()),
    (COMMUNITY, Action.CALL_UP, Inputs(reason="no_enforcement", note="已劝导无效")),
)
IN_THE_WAY = (GovernanceError, VersionConflict, UnknownCase)
"""Somebody was quicker: what happens to people every day."""


@dataclass
class Writers:
    """Each transaction writes early or late in its life and commits after a while of its own, so that numbers of
    transactions, numbers of rows and commits come in three different orders."""

    street: Street
    db: Database
    seed: int
    opened: list[str] = field(default_factory=list)
    kept: int = 0

    async def run(self, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(WRITERS):
                group.create_task(self._one(random.Random(self.seed + number), stop))

    async def _one(self, rng: random.Random, stop: asyncio.Event) -> None:
        while not stop.is_set():
            if not self.opened or rng.random() < 0.3:
                await self._report(rng, joins=None)
            elif rng.random() < 0.3:
                await self._report(rng, joins=rng.choice(self.opened))
            else:
                await self._move(rng)

    async def _report(self, rng: random.Random, joins: str | None) -> None:
        report = await self.street.report(joins=joins, staff=False, reporter_account=None)
        late = Street(_Slowly(self.db, rng), self.street.cache, self.street.ids)  # type: ignore[arg-type]
        await late.take(("report.submitted", report))
        self.kept += 1
        number = await self.street.scalar(
            "SELECT c.case_no FROM dispatch.cases c JOIN dispatch.case_reports r ON r.case_id = c.id"
            " WHERE r.report_id = :report",
            report=report.report_id,
        )
        if joins is None:
            self.opened.append(str(number))

    async def _move(self, rng: random.Random) -> None:
        case_no, (actor, action, inputs) = rng.choice(self.opened[-30:]), rng.choice(MOVES)
        with contextlib.suppress(*IN_THE_WAY):
            async with _Slowly(self.db, rng).transaction() as tx:
                found = await tx.execute(
                    text("SELECT version FROM dispatch.cases WHERE case_no = :no"), {"no": case_no}
                )
                wish = Wish(case_no, action, inputs, found.scalar_one(), str(self.street.ids.uuid7()))
                await act(tx, wish, actor, self.street.cache, self.street.ids)
                self.kept += 1


@dataclass
class _Slowly:
    """A database whose transactions take their number early and commit late, now and then."""

    db: Database
    rng: random.Random

    def reading(self) -> Any:
        return self.db.reading()

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        async with self.db.transaction() as tx:
            if self.rng.random() < 0.4:
                await tx.execute(text("SELECT pg_current_xact_id()"))
                await asyncio.sleep(self.rng.uniform(0, 0.03))
            yield tx
            await asyncio.sleep(self.rng.choice((0.0, 0.01, 0.05, 0.3)) * self.rng.random())


@dataclass
class Page:
    """What an open page knows: the newest standing of each case, and which lists it stands in."""

    cursor: str
    rows: dict[str, tuple[int, frozenset[str]]] = field(default_factory=dict)
    older: list[str] = field(default_factory=list)
    counted: int = 0
    miscounted: list[str] = field(default_factory=list)
    connections: int = 0
    resets: int = 0

    def hear(self, name: str, body: dict[str, Any]) -> None:
        if name == "case.changed":
            known = self.rows.get(body["case_no"], (0, frozenset()))
            if body["sequence"] < known[0]:
                self.older.append(f"{body['case_no']}: {body['sequence']} after {known[0]}")
            self.rows[body["case_no"]] = (body["sequence"], frozenset(body["queues"]))
        elif name == "case.gone":
            self.rows.pop(body["case_no"], None)
        elif name == "queue.counts":
            self._count(body["queues"])
        elif name == "reset":
            self.resets += 1

    def _count(self, queues: list[dict[str, Any]]) -> None:
        self.counted += 1
        shown = Counter(queue for _, listed in self.rows.values() for queue in listed)
        said = {queue["id"]: queue["open"] for queue in queues if queue["open"]}
        if said != dict(shown):
            self.miscounted.append(f"counts {said}, rows {dict(shown)}")


@dataclass
class Reader:
    """A person's page. Its line is cut after a moment and continued at the other process."""

    session: aiohttp.ClientSession
    urls: tuple[str, ...]
    cookie: str
    page: Page
    rng: random.Random

    async def run(self) -> None:
        for _ in range(CUTS_EACH):
            await self.listen(self.rng.uniform(0.005, 0.2))

    async def stay(self, stop: asyncio.Event) -> None:
        await self.listen(240, stop.is_set)

    async def listen(self, seconds: float, until: Any = None) -> None:
        """Follow from where the page stands, for so long at most or until `until()`."""
        url = self.urls[self.page.connections % len(self.urls)]
        self.page.connections += 1
        headers = {"cookie": self.cookie, "last-event-id": self.page.cursor, "origin": url}
        async with self.session.get(f"{url}/api/v1/events", headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._read(answer, until)

    async def _read(self, answer: aiohttp.ClientResponse, until: Any) -> None:
        fields: dict[str, str] = {}
        while not (until is not None and until()):
            line = (await answer.content.readline()).decode().rstrip("\n")
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value
            elif fields:
                self.page.hear(fields["event"], json.loads(fields["data"]))
                self.page.cursor = fields.get("id", self.page.cursor)
                fields = {}


@pytest.fixture
def two_processes(database_url: str, street: Street, tmp_path: Path) -> Iterator[tuple[str, ...]]:
    """Addresses of two dispatch HTTP processes on the same database."""
    ports, started = free_ports(2), []
    for port in ports:
        environment = {**os.environ, "DATABASE_URL": database_url, "GRID_DISPATCH_PORT": str(port)}
        environment |= {"GRID_HOME": str(tmp_path), "PYTHONPATH": str(CHECKOUT)}
        with (tmp_path / f"serve-{port}.log").open("wb") as log:
            words = [sys.executable, "-m", "services.dispatch", "serve"]
            started.append(subprocess.Popen(words, env=environment, cwd=CHECKOUT, stdout=log, stderr=log))
    yield tuple(f"http://127.0.0.1:{port}" for port in ports)
    for process in started:
        process.kill()
        process.wait(10)


async def sign_in(session: aiohttp.ClientSession, url: str, login: str) -> str:
    """The cookie header of a person, once the process answers."""
    while True:
        with contextlib.suppress(aiohttp.ClientConnectionError):
            body = {"login": login, "password": PASSWORD}
            async with session.post(f"{url}/api/v1/session", json=body, headers={"origin": url}) as answer:
                assert answer.status == 200, await answer.text()
                return "; ".join(f"{name}={morsel.value}" for name, morsel in answer.cookies.items())
        await asyncio.sleep(0.1)


async def get(session: aiohttp.ClientSession, url: str, cookie: str) -> dict[str, Any]:
    async with session.get(url, headers={"cookie": cookie}) as answer:
        assert answer.status == 200, await answer.text()
        body: dict[str, Any] = await answer.json()
        return body


async def truth(street: Street) -> dict[str, int]:
    return {row.case_no: row.sequence for row in await street.rows("SELECT case_no, sequence FROM dispatch.cases")}


async def test_a_thousand_cuts_and_no_change_is_missed(
    database_url: str, street: Street, two_processes: tuple[str, ...]
) -> None:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        async with asyncio.timeout(60):
            cookies = [await sign_in(session, url, "shouli") for url in two_processes]
        first = (await get(session, f"{two_processes[0]}/api/v1/queues", cookies[0]))["cursor"]
        readers = [
            Reader(session, _from(two_processes, n), cookies[n % 2], Page(first), random.Random(n))
            for n in range(READERS + STEADY)
        ]
        wide = Database(DatabaseSettings(url=database_url, pool_size=WRITERS * 2), "writers")
        writers, stop = Writers(street, wide, seed=20260930), asyncio.Event()
        writing = asyncio.create_task(writers.run(stop))
        steady = [asyncio.create_task(reader.stay(stop)) for reader in readers[READERS:]]
        try:
            await asyncio.gather(*[reader.run() for reader in readers[:READERS]])
        finally:
            stop.set()
            await asyncio.gather(writing, *steady)
            await wide.close()
        final = await truth(street)
        await asyncio.gather(*[_until_all_is_there(reader, final) for reader in readers])

        assert sum(reader.page.connections for reader in readers) >= READERS * CUTS_EACH
        assert writers.kept > 100
        assert not [fault for reader in readers for fault in reader.page.older]
        assert not [fault for reader in readers for fault in reader.page.miscounted]
        assert min(reader.page.counted for reader in readers[READERS:]) > 3
        assert not any(reader.page.resets for reader in readers)
        await _an_expired_cursor_loads_anew(street, readers[0], final)


def _from(urls: tuple[str, ...], number: int) -> tuple[str, ...]:
    return (*urls[number % 2 :], *urls[: number % 2])


async def _until_all_is_there(reader: Reader, final: dict[str, int]) -> None:
    """Every change has arrived, and what is counted then as well."""
    page, counted = reader.page, reader.page.counted

    def missing() -> dict[str, int]:
        return {no: sequence for no, sequence in final.items() if page.rows.get(no, (0,))[0] != sequence}

    await reader.listen(60, lambda: not missing() and page.counted > counted)
    assert not missing()
    assert page.counted > counted


async def _an_expired_cursor_loads_anew(street: Street, reader: Reader, final: dict[str, int]) -> None:
    """Told `reset`, the page reads its lists again and follows from there."""
    old = Cursor(Seen(1), await street.now() - timedelta(hours=25)).encode()
    stale = Page(old)
    await Reader(reader.session, reader.urls, reader.cookie, stale, reader.rng).listen(20, lambda: stale.resets)
    assert stale.resets == 1
    url = reader.urls[0]
    answer = await get(reader.session, f"{url}/api/v1/queues", reader.cookie)
    shown: dict[str, int] = {}
    for queue in answer["queues"]:
        page = await get(reader.session, f"{url}/api/v1/queues/{queue['id']}?limit=200", reader.cookie)
        assert len(page["rows"]) == min(queue["open"], 200), queue["id"]
        shown |= {row["case_no"]: row["sequence"] for row in page["rows"]}
    assert shown.items() <= final.items()
    assert shown
    fresh, opened = Page(answer["cursor"]), await street.opened(staff=False, reporter_account=None)
    await Reader(reader.session, reader.urls, reader.cookie, fresh, reader.rng).listen(20, lambda: opened in fresh.rows)
    assert opened in fresh.rows

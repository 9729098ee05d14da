"""The door on a real database with the sample street, one for all tests here, and what a client and the street do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from services.chassis.auth import admin
from services.chassis.clock import SystemClock
from services.chassis.db import Database
from services.chassis.directory import DirectoryCache
from services.chassis.directory.load import load_street
from services.chassis.directory.model import Place
from services.chassis.ids import SystemIds
from services.chassis.migrate import migrate
from services.chassis.settings import DatabaseSettings
from services.governance.cycle import Role
from services.intake.app import http_app
from services.intake.store import progress
from services.intake.store.moment import DatabaseClock
from services.intake.tables.rows import CaseReportRow, CaseViewRow, StepRow
from tests.integration.open311 import shapes
from tests.integration.open311.proving import clauses, proven
from tests.support.postgres import TestServer

SAMPLE = Path(__file__).resolve().parents[3] / "deploy" / "sample" / "fengcheng"
V2 = "/open311/v2"


@dataclass
class Door:
    """The interface, the keys of two clients, and a place in the street."""

    app: FastAPI
    db: Database
    cache: DirectoryCache
    clock: DatabaseClock
    client: httpx.AsyncClient
    key: str
    other_key: str
    role_key: str
    place: Place
    numbers: Iterator[int]

    async def get(self, kind: str, path: str, expected: int = 200, /, **params: Any) -> Any:
        """What both formats say; AssertionError where they differ or have another shape. `path` without its ending."""
        told = []
        for form, media in (("json", "application/json; charset=utf-8"), ("xml", "text/xml; charset=utf-8")):
            answer = await self.client.get(f"{path}.{form}", params=params)
            assert answer.status_code == expected, answer.text
            assert answer.headers["content-type"] == media
            told.append(answer.json() if form == "json" else shapes.of_xml(kind, answer.content))
            shapes.check(kind, told[-1])
        assert told[0] == told[1]
        return told[0]

    async def post(self, fields: dict[str, Any], form: str = "json", **headers: str) -> httpx.Response:
        """Send a form with this client's key; a field that is None is left out."""
        plain = {"api_key": self.key, **fields}
        data = {name: value for name, value in plain.items() if value is not None}
        return await self.client.post(f"{V2}/requests.{form}", data=data, headers=headers)

    async def filed(self, **fields: Any) -> str:
        """A new request; answers its id."""
        answer = await self.post(self.form(**fields))
        assert answer.status_code == 200, answer.text
        number: str = answer.json()[0]["service_request_id"]
        return number

    def form(self, **fields: Any) -> dict[str, Any]:
        """A complete form that no other is the same as."""
        place = {"lat": self.place.lat, "long": self.place.lng}
        return {"service_code": "0110", **place, "description": f"第{next(self.numbers)}件", **fields}

    async def refused(self, fields: dict[str, Any], status: int, **headers: str) -> list[str]:
        """The descriptions with which both formats refuse a form."""
        for form in ("xml", "json"):
            answer = await self.post(fields, form, **headers)
            assert answer.status_code == status, answer.text
            told = answer.json() if form == "json" else shapes.of_xml("errors", answer.content)
            shapes.check("errors", told)
            assert {error["code"] for error in told} == {status}
        return [error["description"] for error in told]

    async def scalar(self, statement: str, **values: object) -> Any:
        async with self.db.reading() as tx:
            return (await tx.execute(sa.text(statement), values)).scalar()

    async def aged(self, number: str, days: float) -> None:
        """Let a request have been made so many days earlier."""
        async with self.db.transaction() as tx:
            await tx.execute(
                sa.text("UPDATE intake.reports SET submitted_at = submitted_at - :age WHERE receipt_no = :no"),
                {"age": timedelta(days=days), "no": number},
            )

    async def becomes(
        self, number: str, state: str, stage: str, step: str = "closed", /, **changes: Any
    ) -> CaseViewRow:
        """What the stream writes once the request has become a case that stands so, by a step of this kind."""
        report_id: UUID = await self.scalar("SELECT report_id FROM intake.reports WHERE receipt_no = :n", n=number)
        now = datetime.now(UTC)
        fields: dict[str, Any] = {
            "case_id": f"case-{number}",
            "case_no": f"FC-{number}",
            "sequence": next(self.numbers),
            "state": state,
            "stage": stage,
            "tier": "T0",
            "category": "0110",
            "restricted": False,
            "history": False,
            "community": None,
            "grid": None,
            "lng": None,
            "lat": None,
            "due_at": now + timedelta(hours=4),
            "skipped": [],
            "flags": [],
            "opened_at": now,
            "closed_at": now if state == "closed" else None,
            "closed_as": "self" if state == "closed" else None,
            "changed_at": now,
        }
        view = CaseViewRow(**{**fields, **changes})
        told = StepRow(view.case_id, view.sequence, f"case.{step}", state, stage, view.changed_at)
        async with self.db.transaction() as tx:
            await progress.put_views(tx, [view])
            await progress.put_reports(tx, [CaseReportRow(report_id, view.case_id)])
            await progress.put_steps(tx, [told])
        return view


@pytest.fixture(scope="module")
def url(postgres: TestServer) -> Iterator[str]:
    template = postgres.template("grid_test_template", lambda at: (migrate(at, test_database=True), None)[1])
    name = postgres.copy_of(template)
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture(scope="module")
async def door(url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    ids, db = SystemIds(), Database(DatabaseSettings(url=url, pool_size=4), "open311")
    async with db.transaction() as tx:
        await load_street(tx, SAMPLE, ids)
        keys = [await admin.create_token(tx, ids, name=f"client {n}", scope=admin.OPEN311) for n in range(2)]
        machine = await admin.create_token(tx, ids, name="machine", role=Role.INTAKE_CLERK, area="441802001")
    cache, clock = DirectoryCache(db), DatabaseClock(db, SystemClock())
    await cache.refresh()
    await clock.refresh()
    app = http_app(db, cache, clock, tmp_path_factory.mktemp("open311"))
    place = next(p for p in cache.current().places.values() if p.lng is not None and p.cell is not None)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as client,
    ):
        yield Door(app, db, cache, clock, client, keys[0].token, keys[1].token, machine.token, place, count(1))
    await db.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The clauses with the outcome of this run, where it was run by itself and in words."""
    if terminalreporter.config.get_verbosity() < 1:
        return
    outcomes: dict[str, str] = {}
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, ()):
            name = report.nodeid.rpartition("::")[2].partition("[")[0]
            outcomes[name] = "failed" if outcomes.get(name) == "failed" or outcome != "passed" else "passed"
    told = {clause: [test for test, named in proven().items() if clause in named] for clause in clauses()}
    if not set(outcomes) & {test for tests in told.values() for test in tests}:
        return
    terminalreporter.section("Open311 GeoReport v2, clause by clause")
    for clause, words in clauses().items():
        results = {outcomes.get(test, "not run") for test in told[clause]}
        verdict = "FAILS" if "failed" in results else "holds" if results == {"passed"} else "not run"
        terminalreporter.line(f"{verdict:<8} {words}")

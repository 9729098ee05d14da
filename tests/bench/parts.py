"""What each part of taking a report costs the server: processor time in µs, one part after the other.

Each figure is the least of several rounds: whatever else the machine does can only add to it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvloop
from fastapi import FastAPI, Request
from starlette.types import Receive, Scope, Send

from schemas.api.intake import ReportIn
from services.chassis.asgi.edge import Edge, EdgeRules
from services.chassis.auth.depends import current_person
from services.chassis.auth.sessions import Device, open_session
from services.chassis.auth.settings import AuthSettings
from services.chassis.clock import SystemClock
from services.chassis.db import Database
from services.chassis.directory import DirectoryCache
from services.chassis.ids import SystemIds
from services.chassis.serve import tune_gc
from services.chassis.settings import DatabaseSettings, HomeSettings
from services.chassis.telemetry import Metrics, configure_logging, log_access
from services.intake.app import http_app
from services.intake.store.moment import DatabaseClock
from services.intake.usecases.check import Desk, check
from services.intake.usecases.draft import Draft, body_digest
from services.intake.usecases.identity import Sealer, vault_sealer
from services.intake.usecases.masking import mask
from services.intake.usecases.place import home_of, locate
from services.intake.usecases.render import render
from services.intake.usecases.submit import Submissions
from tests.bench.hammer import BODY

ROUNDS = 7
CALLS = 300
GROUP = 32
PARTS = (
    "sign_in",
    "body",
    "place",
    "digest",
    "checks",
    "masking",
    "sealing",
    "rows_and_event",
    "statement",
    "log",
    "metrics",
    "edge",
)


def measure(url: str, home: Path) -> dict[str, float]:
    """µs of each part, in the order in which a report meets them; for a process that is told the settings of intake."""
    configure_logging("bench", "INFO")
    (log,) = logging.getLogger("access").handlers
    assert isinstance(log, logging.StreamHandler)
    with (home / "parts.log").open("w") as file:
        log.setStream(file)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            found = runner.run(_measured(url, home))
    return {name: found[name] for name in PARTS}


async def _measured(url: str, home: Path) -> dict[str, float]:
    db = Database(DatabaseSettings(url=url), "intake")
    try:
        cache, now = DirectoryCache(db), SystemClock().now()
        directory = await cache.refresh()
        ids, sealer = SystemIds(), vault_sealer(home)
        app = http_app(db, cache, DatabaseClock(db, SystemClock()), home, sealer)
        account = next(iter(directory.appointments)).account_id
        request = await _signed_in(app, db, account)
        person = await current_person(request)
        own = home_of(person.posts, directory)
        desk = Desk(directory, await cache.current_rulebook(own.street, now), now)
        raw = json.dumps(BODY, ensure_ascii=False).encode()
        body = ReportIn.model_validate_json(raw)
        draft = check(body, str(ids.uuid7()), ids.uuid7(), person, own, desk)
        words = draft.words
        tune_gc()
        found = {
            "sign_in": await _awaited(lambda: current_person(request)),
            "body": _called(lambda: ReportIn.model_validate_json(raw)),
            "place": _called(lambda: locate(body.position, body.place_words, directory, own)),
            "digest": _called(lambda: body_digest(body)),
            "checks": _called(lambda: check(body, draft.key, draft.report_id, person, own, desk)),
            "masking": _called(lambda: (mask(words.text), mask(words.place))),
            "sealing": _called(lambda: sealer.words(words.text, words.place, words.note, draft.report_id)),
            "rows_and_event": _called(lambda: render(draft, now, 1, ids, sealer)),
            "log": _called(lambda: log_access("intake", "0" * 36, "POST", "/api/v1/reports", 201, 0.01)),
            "metrics": _metered(),
            "statement": await _written(db, draft, ids, sealer),
            "edge": await _edged(app),
        }
    finally:
        await db.close()
    found["checks"] -= found["place"] + found["digest"]
    found["rows_and_event"] -= found["masking"] + found["sealing"]
    found["statement"] -= found["rows_and_event"] + found["masking"] + found["sealing"]
    found["edge"] -= found["log"] + found["metrics"]
    return found


async def _signed_in(app: FastAPI, db: Database, account: str) -> Request:
    """A request with a session as the browser sends it."""
    token = SystemIds().token()
    async with db.transaction() as tx:
        await open_session(tx, token, account, AuthSettings(), Device("127.0.0.1", "bench"))
    headers = [(b"host", b"127.0.0.1"), (b"cookie", f"sid={token}".encode())]
    return Request({**_scope(), "headers": headers, "app": app, "state": {}})


def _scope() -> dict[str, Any]:
    """A post as uvicorn tells of it."""
    headers = {
        "host": "127.0.0.1:8001",
        "origin": "http://127.0.0.1:8001",
        "content-type": "application/json",
        "cookie": f"sid={'x' * 43}",
        "content-length": "300",
        "idempotency-key": "0" * 36,
    }
    return {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": "/api/v1/reports",
        "query_string": b"",
        "client": ("127.0.0.1", 50_000),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }


def _called(work: Callable[[], object]) -> float:
    """µs of one call."""
    least = float("inf")
    for _ in range(ROUNDS):
        began = time.thread_time_ns()
        for _ in range(CALLS):
            work()
        least = min(least, time.thread_time_ns() - began)
    return least / CALLS / 1000


async def _awaited(work: Callable[[], Awaitable[object]], calls: int = CALLS) -> float:
    """µs of one call that is awaited; waiting costs nothing."""
    least = float("inf")
    for _ in range(ROUNDS):
        began = time.thread_time_ns()
        for _ in range(calls):
            await work()
        least = min(least, time.thread_time_ns() - began)
    return least / calls / 1000


def _metered() -> float:
    metrics = Metrics("bench")
    return _called(lambda: metrics.observe_request("POST", "/api/v1/reports", 201, 0.01))


async def _written(db: Database, draft: Draft, ids: SystemIds, sealer: Sealer) -> float:
    """Of one report in a group, rendering included."""
    commits = Submissions(db, ids, sealer)

    async def write() -> None:
        await commits.write(
            [replace(draft, report_id=made, key=str(made)) for made in (ids.uuid7() for _ in range(GROUP))]
        )

    await write()
    cost = await _awaited(write, calls=10) / GROUP
    await commits.close()
    return cost


async def _edged(app: FastAPI) -> float:
    """The edge around an application that does nothing but answer."""

    async def empty(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 201, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": b"{}"})

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        return None

    wording = app.state.wording
    edge = Edge(empty, rules=EdgeRules(), metrics=Metrics("bench"), ids=SystemIds(), wording=wording)
    around = await _awaited(lambda: edge(_scope(), receive, send))
    return around - await _awaited(lambda: empty(_scope(), receive, send))


if __name__ == "__main__":
    print(json.dumps(measure(DatabaseSettings().url, HomeSettings().home)))

"""Intake's way from a checked report to the commit, and nothing before it: `python -m tests.bench.ledger_path PORT`.

The request is that of `bench.bare`, its framework and settings are the same; in place of one row it writes what every
report writes: ledger, report, vault, tracking token, and the event in the outbox, many posts in one statement. Sign-in,
checks, grid lookup, limits, logs and metrics are left out.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request, Response

from bench.bare.__main__ import SERVER, BareIn
from schemas.api.intake import ReportIn
from services.chassis.asgi import open_lane
from services.chassis.auth.person import Person
from services.chassis.clock import SystemClock
from services.chassis.db import Database
from services.chassis.directory import DirectoryCache
from services.chassis.ids import SystemIds
from services.chassis.serve import tune_gc
from services.chassis.settings import DatabaseSettings, HomeSettings
from services.governance.acts import Post
from services.governance.cycle import Role
from services.intake.usecases.check import Desk, check
from services.intake.usecases.draft import Draft, Words, body_digest, report_id_for
from services.intake.usecases.identity import vault_sealer
from services.intake.usecases.place import home_of
from services.intake.usecases.submit import Submissions
from tests.bench.hammer import BODY

_POST = Post(Role.GRID_WORKER, "44180200100100")


async def checked(cache: DirectoryCache, now: datetime) -> Draft:
    """The report that the hammer sends, as intake's checks leave it."""
    directory = await cache.refresh()
    person = Person("worker", "worker", "worker", (_POST,))
    home = home_of(person.posts, directory)
    desk = Desk(directory, await cache.current_rulebook(home.street, now), now)
    ids = SystemIds()
    return check(ReportIn.model_validate(BODY), str(ids.uuid7()), ids.uuid7(), person, home, desk)


def make_app(db: Database, home: Path) -> FastAPI:
    """Around the parts of intake that write."""
    ids = SystemIds()
    submissions = Submissions(db, ids, vault_sealer(home))
    known: list[Draft] = []

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        known.append(await checked(DirectoryCache(db), SystemClock().now()))
        submissions.start()
        tune_gc()
        yield
        await submissions.close()
        await db.close()

    app = FastAPI(lifespan=life)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    async def submit(request: Request, raw: bytes) -> Response:
        body, key = BareIn.model_validate_json(raw), request.headers["idempotency-key"]
        draft = replace(
            known[0],
            report_id=report_id_for(key, ids.uuid7),
            key=key,
            body_sha256=body_digest(body),
            words=Words(body.text, body.place_words),
        )
        accepted = await submissions.submit(draft)
        return Response(accepted.answer, status_code=201, media_type="application/json")

    open_lane(app, "POST", "/api/v1/reports", submit)
    return app


if __name__ == "__main__":
    app = make_app(Database(DatabaseSettings(), "intake"), HomeSettings().home)
    uvicorn.run(app, port=int(sys.argv[1]), **SERVER)

"""FastAPI, one validated body, one row, one commit per request, on asyncpg."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID, uuid4

import asyncpg
import uvicorn
from fastapi import FastAPI, Header
from pydantic import BaseModel

from services.chassis.serve import tune_gc
from services.chassis.settings import DatabaseSettings

TABLE = (
    "CREATE TABLE IF NOT EXISTS bare_reports (id uuid PRIMARY KEY, key text NOT NULL UNIQUE, text text NOT NULL,"
    " category text NOT NULL, cell text NOT NULL, place_words text NOT NULL, at timestamptz NOT NULL DEFAULT now())"
)
SERVER: dict[str, Any] = {
    "log_config": None,
    "access_log": False,
    "server_header": False,
    "timeout_keep_alive": 30,
    "h11_max_incomplete_event_size": 64 * 1024,
}
"""uvicorn as `services.chassis.listening` starts it."""
_INSERT = "INSERT INTO bare_reports (id, key, text, category, cell, place_words) VALUES ($1, $2, $3, $4, $5, $6)"


class Category(BaseModel):
    """Which class."""

    scheme: str
    version: str
    code: str


class Position(BaseModel):
    """Where."""

    cell: str


class BareIn(BaseModel):
    """A report without any promise."""

    category: Category
    text: str
    position: Position
    place_words: str


class BareOut(BaseModel):
    """Its id."""

    id: UUID


def make_app(url: str) -> FastAPI:
    """With a pool of as many connections as intake keeps."""
    size = DatabaseSettings(url=url).pool_size
    pools: list[asyncpg.Pool[asyncpg.Record]] = []

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        async with asyncpg.create_pool(url, min_size=size, max_size=size) as pool:
            await pool.execute(TABLE)
            pools.append(pool)
            tune_gc()
            yield

    app = FastAPI(lifespan=life)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/api/v1/reports", status_code=201)
    async def submit(body: BareIn, key: Annotated[str, Header(alias="Idempotency-Key")]) -> BareOut:
        made = BareOut(id=uuid4())
        await pools[0].execute(
            _INSERT, made.id, key, body.text, body.category.code, body.position.cell, body.place_words
        )
        return made

    return app


if __name__ == "__main__":
    uvicorn.run(make_app(os.environ["BARE_URL"]), port=int(sys.argv[1]), **SERVER)

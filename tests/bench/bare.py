"""The least that could be called an intake: FastAPI, one validated body, one row, one commit per request."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import psycopg
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from services.chassis.serve import tune_gc

CONNECTIONS = 4
_INSERT = "INSERT INTO bare (id, key, text, cell, place_words) VALUES (%s, %s, %s, %s, %s)"


class Position(BaseModel):
    """Where."""

    cell: str


class BareIn(BaseModel):
    """A report without any promise."""

    text: str
    position: Position
    place_words: str


class BareOut(BaseModel):
    """Its id."""

    id: UUID


def make_app(url: str) -> FastAPI:
    """With a pool of plain connections."""
    free: asyncio.Queue[psycopg.AsyncConnection[object]] = asyncio.Queue()

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        for _n in range(CONNECTIONS):
            free.put_nowait(await psycopg.AsyncConnection.connect(url, autocommit=True))
        tune_gc()
        yield

    app = FastAPI(lifespan=life)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/api/v1/reports", status_code=201)
    async def submit(body: BareIn) -> BareOut:
        made = BareOut(id=uuid4())
        connection = await free.get()
        try:
            row = (made.id, str(made.id), body.text, body.position.cell, body.place_words)
            await connection.execute(_INSERT, row)
        finally:
            free.put_nowait(connection)
        return made

    return app


if __name__ == "__main__":
    uvicorn.run(make_app(os.environ["BARE_URL"]), port=int(sys.argv[1]), log_level="warning", access_log=False)

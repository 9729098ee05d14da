"""/healthz says that the process is alive, /readyz whether it can work and what is missing, /metrics how it does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from services.chassis.db import Database
from services.chassis.storage import DatabaseRoom, folder_has_room
from services.chassis.telemetry import Metrics

CHECK_TIMEOUT_S = 3.0


class Missing(Exception):
    """A check's way to say what is missing, in one line without secrets."""


@dataclass(frozen=True, slots=True)
class ReadyCheck:
    """One thing the service needs. `probe` returns when it is there and raises when it is not."""

    name: str
    probe: Callable[[], Awaitable[None]]


class CheckOut(BaseModel):
    name: str
    ok: bool
    missing: str | None = None


class ReadyOut(BaseModel):
    ready: bool
    checks: list[CheckOut]


def database_check(db: Database) -> ReadyCheck:
    """The database answers, and can write."""
    room = DatabaseRoom(db)

    async def probe() -> None:
        async with db.reading() as tx:
            await tx.execute(sa.text("SELECT 1"))
        if not await room.there():
            raise Missing("the database's disk is full")

    return ReadyCheck("database", probe)


def folder_check(name: str, folder: Path) -> ReadyCheck:
    """Files can be written there."""

    async def probe() -> None:
        if not await folder_has_room(folder):
            raise Missing(f"the disk of {folder.name} is full")

    return ReadyCheck(name, probe)


def schema_check(db: Database, schema: str, needed: str) -> ReadyCheck:
    """The schema is at least at revision `needed`. Revisions are numbered names ('0001_…'): a newer one is fine."""

    async def probe() -> None:
        async with db.reading() as tx:
            exists = await tx.execute(sa.text("SELECT to_regclass(:name)"), {"name": f"{schema}.alembic_version"})
            if exists.scalar_one() is None:
                raise Missing(f"schema {schema} has not been migrated (needs {needed}): run `grid migrate --phase pre`")
            found = await tx.execute(sa.select(sa.column("version_num", sa.Text)).select_from(_version_table(schema)))
        revisions = [str(row) for row in found.scalars()]
        if not revisions or max(revisions) < needed:
            at = max(revisions, default="nothing")
            raise Missing(f"schema {schema} is at {at}, needs {needed}: run `grid migrate --phase pre`")

    return ReadyCheck(f"schema:{schema}", probe)


def tcp_check(name: str, url: str) -> ReadyCheck:
    """One of the hosts of a comma separated list ('kafka://a:9092,b:9092') accepts connections."""
    hosts = [part.split("://")[-1].rsplit(":", 1) for part in url.split(",")]

    async def probe() -> None:
        for host, port in hosts:
            try:
                _, writer = await asyncio.open_connection(host, int(port))
            except OSError:
                continue
            writer.close()
            return
        raise Missing(f"no host of {name} accepts connections")

    return ReadyCheck(name, probe)


def probe_router(checks: Sequence[ReadyCheck], metrics: Metrics) -> APIRouter:
    """The three probes; they need no sign-in and tell nothing about people or cases."""
    router = APIRouter(tags=["probes"])

    @router.get("/healthz", summary="The process is alive")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/readyz", response_model=ReadyOut, responses={503: {"model": ReadyOut}}, summary="It can work")
    async def readyz() -> JSONResponse:
        results = await asyncio.gather(*(_run(check) for check in checks))
        body = ReadyOut(ready=all(result.ok for result in results), checks=list(results))
        return JSONResponse(body.model_dump(), status_code=200 if body.ready else 503)

    @router.get("/metrics", response_class=Response, summary="Prometheus metrics")
    async def read_metrics() -> Response:
        return Response(generate_latest(metrics.registry), headers={"content-type": CONTENT_TYPE_LATEST})

    return router


async def _run(check: ReadyCheck) -> CheckOut:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            await check.probe()
    except Missing as missing:
        return CheckOut(name=check.name, ok=False, missing=str(missing))
    except TimeoutError:
        return CheckOut(name=check.name, ok=False, missing=f"no answer within {CHECK_TIMEOUT_S:g} s")
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the thing checked, the probe must say so
        return CheckOut(name=check.name, ok=False, missing=f"does not answer ({type(error).__name__})")
    return CheckOut(name=check.name, ok=True)


def _version_table(schema: str) -> sa.TableClause:
    return sa.table("alembic_version", schema=schema)

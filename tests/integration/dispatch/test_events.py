"""GET /api/v1/events over a real connection: the wire format, resuming, and the end when rights are lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from tests.integration.dispatch.conftest import PASSWORD, Street

pytestmark = pytest.mark.anyio
PATIENCE_S = 60


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """The address of the application on a free port, its feed running."""
    stop = asyncio.Event()
    app.state.stop = stop
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=2))
    tail = asyncio.create_task(app.state.wiring.feed.run(stop))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event to wait for
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        stop.set()
        server.should_exit = True
        await asyncio.gather(serving, tail)


@asynccontextmanager
async def signed_in(url: str, login: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url, headers={"origin": url}, timeout=20, trust_env=False) as client:
        assert (await client.post("/api/v1/session", json={"login": login, "password": PASSWORD})).status_code == 200
        yield client


async def next_event(lines: AsyncIterator[str], name: str) -> dict[str, str]:
    """The fields of the next event of that name. A stream that stays silent but for its heartbeat fails the test."""
    fields: dict[str, str] = {}
    async with asyncio.timeout(PATIENCE_S):
        async for line in lines:
            if not line:
                if fields.get("event") == name:
                    return fields
                fields = {}
            elif not line.startswith(":"):
                key, _, value = line.partition(": ")
                fields[key] = value
    raise AssertionError(f"the stream ended before {name}")


async def test_events_arrive_and_a_broken_stream_goes_on_where_it_was(street: Street, app: FastAPI) -> None:
    async with served(app) as url, signed_in(url, "shouli") as client:
        async with client.stream("GET", "/api/v1/events") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            lines = stream.aiter_lines()
            await next_event(lines, "queue.counts")
            first = await street.opened()
            event = await next_event(lines, "case.changed")
        assert json.loads(event["data"])["case_no"] == first
        second = await street.opened()
        async with client.stream("GET", "/api/v1/events", headers={"last-event-id": event["id"]}) as stream:
            event = await next_event(stream.aiter_lines(), "case.changed")
        assert json.loads(event["data"])["case_no"] == second
        async with client.stream("GET", "/api/v1/events", headers={"last-event-id": "nonsense"}) as stream:
            await next_event(stream.aiter_lines(), "reset")


async def test_a_page_and_its_stream_leave_no_gap(street: Street, app: FastAPI) -> None:
    async with served(app) as url, signed_in(url, "shouli") as client:
        page = (await client.get("/api/v1/queues/branch_triage")).json()
        assert page["rows"] == []
        case_no = await street.opened()
        async with client.stream("GET", "/api/v1/events", params={"cursor": page["cursor"]}) as stream:
            event = await next_event(stream.aiter_lines(), "case.changed")
        assert json.loads(event["data"])["case_no"] == case_no


async def test_a_stream_ends_when_its_reader_signs_out(street: Street, app: FastAPI) -> None:
    app.state.wiring.feed.rights_every_s = 0.2
    async with (
        served(app) as url,
        signed_in(url, "shouli") as client,
        client.stream("GET", "/api/v1/events") as stream,
        asyncio.timeout(10),
    ):
        assert (await client.delete("/api/v1/session")).status_code == 204
        async for _ in stream.aiter_lines():
            pass


async def test_nobody_listens_without_signing_in(app: FastAPI) -> None:
    async with served(app) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        assert (await client.get("/api/v1/events")).status_code == 401

"""GET /api/v1/events: what changes while somebody looks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from services.chassis.auth import CurrentPerson, Person, person_or_none
from services.chassis.db import is_transient
from services.chassis.telemetry import logger
from services.dispatch.api.wiring import Parts
from services.dispatch.live import Feed, Reset, Subscription
from services.dispatch.live.cursor import LONGEST
from services.dispatch.store.audience import scope_of

router = APIRouter(prefix="/api/v1", tags=["events"])
HEADERS: Final = {"cache-control": "no-store", "x-accel-buffering": "no"}
"""Nobody between here and the page keeps it or gathers it up."""
SILENCE_S: Final = 15.0
"""A line on which nothing has gone for so long gets a sign of life; proxies cut silent ones after a minute."""


class EventStream(StreamingResponse):
    """Pieces made once for all their readers: to wrap each event for each reader costs more than to make it."""

    media_type = "text/event-stream"


@router.get("/events", response_class=EventStream, summary="Live changes (SSE)")
async def stream_events(
    request: Request,
    person: CurrentPerson,
    parts: Parts,
    last_event_id: Annotated[str | None, Header(max_length=LONGEST)] = None,
    cursor: Annotated[str | None, Query(max_length=LONGEST, description="from a queue's answer")] = None,
    queues: Annotated[str | None, Query(max_length=500, description="kept for the reader's own use")] = None,
) -> EventStream:
    """`case.changed`, `case.gone`, `queue.counts`; `beat` every few seconds: everything up to then has been told.

    Every change committed after the cursor arrives at least once, with the case's `sequence` to drop older ones.
    `reset` tells the reader to load its lists again and ends.
    """
    del queues  # every list of the caller is told of; a page picks what it shows
    told = _told(request, person, parts.feed, last_event_id or cursor)
    return EventStream(told, headers=HEADERS)


async def _told(request: Request, person: Person, feed: Feed, start: str | None) -> AsyncIterator[bytes]:
    """Cut off while the database is away: its reader asks again, and goes on where he was."""
    yield b": hello\n\n"
    try:
        async for piece in _since(request, person, feed, start):
            yield piece
    except Exception as error:
        if not is_transient(error):
            raise
        logger("feed").warning("reader_cut", error=type(error).__name__)


async def _since(request: Request, person: Person, feed: Feed, start: str | None) -> AsyncIterator[bytes]:
    try:
        async with feed.subscribe(person.actor, person.lang, start) as reader:
            async for piece in _pieces(request, person, reader, feed.rights_every_s):
                yield piece
    except Reset:
        fresh = await feed.now()
        yield f"event: reset\nid: {fresh.encode()}\ndata: {{}}\n\n".encode()


async def _pieces(
    request: Request, person: Person, reader: Subscription, rights_every_s: float
) -> AsyncIterator[bytes]:
    """Until the reader leaves, the process stops, or the reader's rights are other ones. What waits goes as one."""
    loop_time = request.app.state.clock
    checked = spoken = loop_time()
    stop = getattr(request.app.state, "stop", None)
    while not (stop is not None and stop.is_set()):
        events = await reader.all(min(rights_every_s, 1.0))
        if events:
            spoken = loop_time()
            yield b"".join(event.wire for event in events)
        elif loop_time() - spoken >= SILENCE_S:
            spoken = loop_time()
            yield b": still here\n\n"
        if loop_time() - checked >= rights_every_s:
            checked = loop_time()
            if not await _same_rights(request, person):
                return


async def _same_rights(request: Request, person: Person) -> bool:
    try:
        now = await person_or_none(request)
    except Exception:  # noqa: BLE001 - whoever cannot be recognised any more reads nothing more
        return False
    return now is not None and scope_of(now.actor) == scope_of(person.actor)

"""GET /api/v1/events: what changes while somebody looks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from services.chassis.auth import CurrentPerson, Person, person_or_none
from services.dispatch.api.wiring import Parts
from services.dispatch.sse import Event, Reset, Subscription
from services.dispatch.store.audience import scope_of

router = APIRouter(prefix="/api/v1", tags=["events"])


@router.get("/events", response_class=EventSourceResponse, summary="Live changes (SSE)")
async def stream_events(
    request: Request,
    person: CurrentPerson,
    parts: Parts,
    last_event_id: Annotated[str | None, Header(max_length=200)] = None,
    cursor: Annotated[str | None, Query(max_length=200, description="from a queue's answer")] = None,
    queues: Annotated[str | None, Query(max_length=500, description="kept for the reader's own use")] = None,
) -> AsyncIterator[ServerSentEvent]:
    """`case.changed`, `case.gone`, `queue.counts`; `reset` tells the reader to load its lists again and ends.

    Every change committed after the cursor arrives at least once, with the case's `sequence` to drop older ones.
    """
    del queues  # every list of the caller is told of; a page picks what it shows
    try:
        async with parts.feed.subscribe(person.actor, person.lang, last_event_id or cursor) as reader:
            async for event in _events(request, person, reader, parts.feed.rights_every_s):
                cursor_text = event.cursor.encode() if event.cursor else None
                yield ServerSentEvent(raw_data=event.data, event=event.name, id=cursor_text)
    except Reset:
        fresh = await parts.feed.now()
        yield ServerSentEvent(raw_data="{}", event="reset", id=fresh.encode())


async def _events(
    request: Request, person: Person, reader: Subscription, rights_every_s: float
) -> AsyncIterator[Event]:
    """Until the reader leaves, the process stops, or the reader's rights are other ones."""
    loop_time = request.app.state.clock
    checked = loop_time()
    stop = getattr(request.app.state, "stop", None)
    while not (stop is not None and stop.is_set()):
        event = await reader.next(min(rights_every_s, 1.0))
        if event is not None:
            yield event
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

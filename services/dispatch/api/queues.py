"""GET /api/v1/queues and its pages; a search over cases."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query

from schemas.api.dispatch import FoundCasesOut, QueuePageOut, QueuesOut
from schemas.labels import Labels
from services.chassis.asgi import FieldProblem, Page, Problem, encode_cursor, page
from services.chassis.auth import CurrentPerson
from services.dispatch.api.filters import filter_asked
from services.dispatch.api.wiring import Parts
from services.dispatch.store.audience import scope_of
from services.dispatch.store.filters import Filter
from services.dispatch.store.searching import Place, TooShort
from services.dispatch.store.whose import Whose
from services.dispatch.usecases.queues import COUNTED, UnknownQueue, count_queues, find_cases, read_queue

router = APIRouter(prefix="/api/v1", tags=["queues"])
WhoseAsked = Annotated[Whose, Query(description="what is one's own, of one's posts, or everything one sees")]


@router.get("/queues", summary="Counts of the queues")
async def list_queues(
    person: CurrentPerson,
    parts: Parts,
    queues: Annotated[str | None, Query(max_length=500, description="ids, comma separated; all by default")] = None,
    whose: WhoseAsked = Whose.ALL,
) -> QueuesOut:
    """Every queue with what stands in it for the caller, and the cursor to subscribe from."""
    cursor = await parts.feed.now()
    async with parts.db.reading() as tx:
        try:
            counted = await count_queues(tx, scope_of(person.actor), Labels(person.lang), ids_of(queues), whose)
        except UnknownQueue as error:
            raise Problem(404, "queue_unknown") from error
    return QueuesOut(queues=counted, cursor=cursor.encode())


@router.get("/queues/{queue}", summary="A page of a queue")
async def show_queue(
    queue: Annotated[str, Path(max_length=64)],
    person: CurrentPerson,
    parts: Parts,
    asked: Annotated[Page, Depends(page)],
    narrow: Annotated[Filter, Depends(filter_asked)],
    whose: WhoseAsked = Whose.ALL,
) -> QueuePageOut:
    """The rows that pass the filter, in the queue's own order. The cursor was taken before the page was read: nothing
    falls between."""
    cursor = await parts.feed.now()
    async with parts.db.reading() as tx:
        try:
            rows, more = await read_queue(
                tx,
                queue,
                person.actor,
                parts.directory,
                limit=asked.limit,
                after=_after(asked),
                narrow=narrow,
                whose=whose,
            )
        except UnknownQueue as error:
            raise Problem(404, "queue_unknown") from error
    return QueuePageOut(rows=tuple(rows), next=encode_cursor(*more) if more else None, cursor=cursor.encode())


@router.get("/cases", summary="Search cases")
async def search_cases(
    person: CurrentPerson,
    parts: Parts,
    asked: Annotated[Page, Depends(page)],
    q: Annotated[str, Query(max_length=100, description="words of two characters or more; a case has them all")] = "",
) -> FoundCasesOut:
    """By number, receipt, text, place, unit and people: cases that the caller may see, newest first, closed ones too.

    Nobody finds a case by what its page would not tell him.
    """
    cursor = await parts.feed.now()
    async with parts.db.reading() as tx:
        try:
            found = await find_cases(tx, q, person.actor, parts.directory, limit=asked.limit, after=_found_after(asked))
        except TooShort as error:
            told = Labels(person.lang).text("search.short")
            wrong = FieldProblem(field="q", code="too_short", message=told)
            raise Problem(422, "invalid_input", detail=told, errors=[wrong]) from error
    return FoundCasesOut(
        rows=tuple(found.rows),
        next=encode_cursor(*found.next) if found.next else None,
        cursor=cursor.encode(),
        total=min(found.total, COUNTED) if found.total is not None else None,
        more=found.total is not None and found.total > COUNTED,
    )


def ids_of(joined: str | None) -> list[str]:
    """'a,b' → ['a', 'b']."""
    return [part.strip() for part in (joined or "").split(",") if part.strip()]


def _after(asked: Page) -> tuple[str, str] | None:
    if asked.after is None:
        return None
    match asked.after:
        case (str() as key, str() as case_id):
            return key, case_id
    wrong = FieldProblem(field="after", code="cursor", message="not a cursor of this list")
    raise Problem(422, "invalid_input", errors=[wrong])


def _found_after(asked: Page) -> Place | None:
    after = _after(asked)
    if after is None:
        return None
    try:
        return Place(datetime.fromisoformat(after[0]), str(UUID(after[1])))
    except ValueError as error:
        wrong = FieldProblem(field="after", code="cursor", message="not a cursor of this list")
        raise Problem(422, "invalid_input", errors=[wrong]) from error

"""Photo bytes in (resumable) and clean pictures out.

An upload may come whole, or in pieces: `PUT` with `Content-Range: bytes 0-1048575/2097152` appends from that offset,
`HEAD` on the same address tells in `Upload-Offset` how far it has come and in `Upload-Complete` (`?1` or `?0`) whether
the picture is stored: all bytes may be here and the picture not yet, and then the last piece has to come again.
202: more is to follow; 201: stored; 200: was stored before with the same hash; 409: other content, or an offset beyond
what is here (the answer says which).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import Response
from starlette.requests import ClientDisconnect

from schemas.api.intake import PhotoFactsPageOut, PhotoSlotOut
from services.chassis.auth import CurrentPerson, Person
from services.intake.api.room import Room, same_account
from services.intake.store.photos import NamedPhoto
from services.intake.tables.rows import PhotoRow
from services.intake.usecases.photos import PhotoDesk, Piece, Progress, Received, Shown
from services.intake.usecases.refusal import Refusal, unknown_report
from services.intake.usecases.views import facts_of, slot_of

_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})")
_STATUS = {Progress.PARTIAL: 202, Progress.STORED: 201, Progress.KNOWN: 200}
_IMMUTABLE = "private, max-age=86400, immutable"
Range = Annotated[str | None, Header(alias="Content-Range")]


def photo_router(room: Room) -> APIRouter:
    """The routes around photos."""
    router = APIRouter(prefix="/api/v1", tags=["photos"])
    desk = room.photos

    photo_path, own = "/reports/{report_id}/photos/{photo_id}", [Depends(same_account)]

    @router.put(photo_path, response_model=PhotoSlotOut, summary="Bytes of a photo", dependencies=own)
    async def put(
        report_id: UUID, photo_id: str, request: Request, person: CurrentPerson, content_range: Range = None
    ) -> Response:
        photo = _own(await desk.named(report_id, photo_id), person)
        start, total = _extent(content_range, request.headers.get("content-length"))
        try:
            received = await desk.take(photo, Piece(start, total, request.stream()))
        except ClientDisconnect:
            return Response(status_code=499)  # nobody is left to read it; what came is kept for the next piece
        body = slot_of(photo if received.progress is Progress.PARTIAL else replace(photo, state="stored"))
        return _told(received, body.model_dump_json().encode(), _STATUS[received.progress])

    @router.head(photo_path, summary="How far an upload has come", dependencies=own)
    async def head(report_id: UUID, photo_id: str, person: CurrentPerson) -> Response:
        photo = _own(await desk.named(report_id, photo_id), person)
        return _told(await desk.received(photo), b"", 200)

    _add_reading(router, desk)
    return router


def _add_reading(router: APIRouter, desk: PhotoDesk) -> None:
    """The routes that show what is kept."""

    @router.get("/media/{report_id}/{photo_id}", response_class=Response, summary="A clean picture")
    async def media(
        report_id: UUID,
        photo_id: str,
        request: Request,
        person: CurrentPerson,
        size: Annotated[Literal["full", "thumb"], Query()] = "full",
    ) -> Response:
        named = await desk.named(report_id, photo_id)
        if not vouched_for(request, person):
            _own(named, person)
        shown = await desk.picture(named.photo, thumb=size == "thumb")
        headers = {"cache-control": _IMMUTABLE, "content-disposition": "inline", **_etag(shown, size)}
        if headers.get("etag") in request.headers.get("if-none-match", "").split(", "):
            return Response(status_code=304, headers=headers)
        return Response(shown.content, headers=headers, media_type="image/jpeg")

    @router.get("/reports/{report_id}/photos", summary="What is known of a report's photos")
    async def facts(report_id: UUID, request: Request, person: CurrentPerson) -> PhotoFactsPageOut:
        """For the services alone, on behalf of somebody who may read the case: when they were taken, how far from the
        pin, and where the same picture was shown before."""
        if not vouched_for(request, person):
            raise unknown_report()
        return facts_of(await desk.facts(report_id))


def _etag(shown: Shown, size: str) -> dict[str, str]:
    return {"etag": f'"{shown.digest[:32]}-{size}"'} if shown.digest else {}


def _own(named: NamedPhoto, person: Person) -> PhotoRow:
    """Photos are put and seen by who named them."""
    if named.reporter_account != person.account_id:
        raise unknown_report()
    return named.photo


def vouched_for(request: Request, person: Person) -> bool:
    """Another service asks for somebody whom it has let see the case: only the service token gives a person so."""
    return "authorization" in request.headers and (not person.machine or person.scope == "service")


def _extent(content_range: str | None, length: str | None) -> tuple[int, int | None]:
    """(offset, whole size) of what this request carries. Raises Refusal for a range that contradicts itself."""
    if content_range is None:
        return 0, int(length) if length is not None and length.isdigit() else None
    match = _RANGE.fullmatch(content_range.strip())
    if match is None:
        raise Refusal("range_invalid", "Content-Range")
    first, last, total = (int(group) for group in match.groups())
    if first > last or last >= total or (length is not None and length.isdigit() and int(length) != last - first + 1):
        raise Refusal("range_invalid", "Content-Range")
    return first, total


def _told(received: Received, body: bytes, status: int) -> Response:
    complete = "?0" if received.progress is Progress.PARTIAL else "?1"
    headers = {"upload-offset": str(received.offset), "upload-complete": complete}
    return Response(body, status, headers, media_type="application/json" if body else None)

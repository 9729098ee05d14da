"""Evidence goes up before the act that names it; photos of reports come from intake."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import FileResponse

from schemas.api.dispatch import EvidenceOut
from services.chassis.asgi import Problem, not_found
from services.chassis.auth import CurrentPerson, Person
from services.chassis.db import grid_now
from services.dispatch.api.wiring import Parts, Wiring
from services.dispatch.media import MAX_BYTES, MAX_CASE_BYTES, STORED_MIME, BrokenImage, UnsupportedPicture
from services.dispatch.store.audience import scope_of
from services.dispatch.store.detail import find_case
from services.dispatch.store.evidence import NewEvidence, add_evidence, bytes_of_case, one_evidence
from services.dispatch.store.reports import case_of_photo
from services.governance.case import Case, Sight

router = APIRouter(prefix="/api/v1/cases", tags=["evidence"])
CaseNo = Annotated[str, Path(max_length=64)]
PieceId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
PRIVATE = "private, max-age=3600"


@router.put("/{case_no}/evidence/{evidence_id}", summary="Store a piece of evidence")
async def put_evidence(
    case_no: CaseNo, evidence_id: PieceId, request: Request, person: CurrentPerson, parts: Parts
) -> EvidenceOut:
    """The raw bytes of a picture. The same bytes again 200, other bytes under the same id 409."""
    case = await _open_case(case_no, person, parts)
    content = await _read(request)
    async with parts.db.reading() as tx:
        if await bytes_of_case(tx, case.case_id) + len(content) > MAX_CASE_BYTES:
            raise Problem(413, "body_too_large", extra={"limit": MAX_CASE_BYTES})
    try:
        stored = await parts.files.store(case.case_id, evidence_id, content)
    except UnsupportedPicture as error:
        raise Problem(415, "unsupported_media") from error
    except BrokenImage as error:
        raise Problem(422, "broken_image", extra={"reason": error.reason}) from error
    async with parts.db.transaction() as tx:
        new = NewEvidence(
            case_id=case.case_id,
            id=evidence_id,
            sha256=stored.sha256,
            mime=STORED_MIME,
            bytes=stored.bytes,
            path=stored.path,
            account=person.account_id,
            at=await grid_now(tx),
        )
        kept = await add_evidence(tx, new)
    if kept.sha256 != stored.sha256:
        raise Problem(409, "photo_conflict")
    url = f"/api/v1/cases/{case_no}/evidence/{evidence_id}"
    return EvidenceOut(id=kept.id, sha256=kept.sha256, bytes=kept.bytes, mime=kept.mime, url=url)


@router.get("/{case_no}/evidence/{evidence_id}", response_class=FileResponse, summary="A piece of evidence")
async def get_evidence(
    case_no: CaseNo,
    evidence_id: PieceId,
    person: CurrentPerson,
    parts: Parts,
    thumb: Annotated[bool, Query(description="the small copy")] = False,
) -> FileResponse:
    """Only for those who may read the whole case."""
    case = await _open_case(case_no, person, parts)
    async with parts.db.reading() as tx:
        kept = await one_evidence(tx, case.case_id, evidence_id)
    if kept is None:
        raise not_found()
    path = parts.files.open_path(kept.path, thumb=thumb)
    return FileResponse(path, media_type=STORED_MIME, headers={"cache-control": PRIVATE})


@router.get("/{case_no}/photos/{report_id}/{photo_id}", response_class=Response, summary="A photo of a report")
async def get_photo(
    case_no: CaseNo, report_id: UUID, photo_id: PieceId, request: Request, person: CurrentPerson, parts: Parts
) -> Response:
    """Fetched from intake, which owns it, for those who may read the whole case."""
    case = await _open_case(case_no, person, parts)
    async with parts.db.reading() as tx:
        if await case_of_photo(tx, str(report_id), photo_id) != case.case_no:
            raise not_found()
    given = await parts.forwarder.photo(str(report_id), photo_id, person, dict(request.query_params))
    return Response(given.content, given.status, given.headers)


async def _open_case(case_no: str, person: Person, parts: Wiring) -> Case:
    """The case, for somebody who may read all of it; anybody else finds nothing."""
    async with parts.db.reading() as tx:
        found = await find_case(tx, case_no, scope_of(person.actor))
    if found is None or found.sight is not Sight.FULL:
        raise not_found()
    return found.case


async def _read(request: Request) -> bytes:
    taken = bytearray()
    async for chunk in request.stream():
        taken += chunk
        if len(taken) > MAX_BYTES:
            raise Problem(413, "body_too_large", extra={"limit": MAX_BYTES})
    return bytes(taken)

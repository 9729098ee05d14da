"""Evidence goes up before the act that names it; photos of reports come from intake."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from schemas.api.dispatch import EvidenceOut, PhotoHintOut, PhotoHintsOut, SamePhotoOut
from schemas.api.intake import PhotoFactsOut
from services.chassis.asgi import Problem, not_found
from services.chassis.auth import CurrentPerson, Person
from services.chassis.db import grid_now
from services.dispatch.api.wiring import Parts, Wiring
from services.dispatch.media import (
    MAX_BYTES,
    MAX_CASE_BYTES,
    STORED_MIME,
    BrokenImage,
    PictureMissing,
    UnsupportedPicture,
)
from services.dispatch.store.audience import scope_of
from services.dispatch.store.detail import EvidenceRow, find_case
from services.dispatch.store.evidence import NewEvidence, add_evidence, bytes_of_case, one_evidence
from services.dispatch.store.reports import case_of_photo, reports_with_photos
from services.governance.case import Case, Sight

router = APIRouter(prefix="/api/v1/cases", tags=["evidence"])
CaseNo = Annotated[str, Path(max_length=64)]
PieceId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
IMMUTABLE = "private, max-age=86400, immutable"


@router.put("/{case_no}/evidence/{evidence_id}", summary="Store a piece of evidence")
async def put_evidence(
    case_no: CaseNo, evidence_id: PieceId, request: Request, person: CurrentPerson, parts: Parts
) -> EvidenceOut:
    """The raw bytes of a picture. The same bytes again 200, other bytes under the same id 409."""
    case = await _open_case(case_no, person, parts)
    content = await _read(request)
    async with parts.db.reading() as tx:
        known = await one_evidence(tx, case.case_id, evidence_id)
        if known is None and await bytes_of_case(tx, case.case_id) + len(content) > MAX_CASE_BYTES:
            raise Problem(413, "body_too_large", extra={"limit": MAX_CASE_BYTES})
    if known is not None:
        return _shown(case_no, known, sha256(content).hexdigest())
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
    if kept.path != stored.path:
        await parts.files.discard(stored)
    return _shown(case_no, kept, stored.sha256)


@router.get("/{case_no}/evidence/{evidence_id}", response_class=Response, summary="A piece of evidence")
async def get_evidence(
    case_no: CaseNo,
    evidence_id: PieceId,
    person: CurrentPerson,
    parts: Parts,
    thumb: Annotated[bool, Query(description="the small copy")] = False,
) -> Response:
    """Only for those who may read the whole case."""
    case = await _open_case(case_no, person, parts)
    async with parts.db.reading() as tx:
        kept = await one_evidence(tx, case.case_id, evidence_id)
    if kept is None:
        raise not_found()
    try:
        content = await parts.files.read(kept.path, thumb=thumb)
    except PictureMissing as error:
        raise not_found() from error
    return Response(content, media_type=STORED_MIME, headers={"cache-control": IMMUTABLE})


@router.get("/{case_no}/photos", summary="What is known of the photos of a case's reports")
async def get_photo_facts(case_no: CaseNo, person: CurrentPerson, parts: Parts) -> PhotoHintsOut:
    """When they were taken, how far from the pin, and in which other cases the same picture was shown; of cases that
    the caller may not read only how many there are. A hint for people: nothing follows from it by itself."""
    case = await _open_case(case_no, person, parts)
    async with parts.db.reading() as tx:
        reports = await reports_with_photos(tx, case.case_id)
    facts = [(one, fact) for one in reports for fact in await parts.forwarder.photo_facts(one, person)]
    others = {one.case_no for _, fact in facts for one in fact.same if one.case_no} - {case.case_no}
    async with parts.db.reading() as tx:
        seen = [await find_case(tx, no, scope_of(person.actor)) for no in sorted(others)]
    readable = frozenset(one.case.case_no for one in seen if one is not None and one.sight is Sight.FULL)
    return PhotoHintsOut(photos=tuple(_told(report_id, fact, case.case_no, readable) for report_id, fact in facts))


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


def _shown(case_no: str, kept: EvidenceRow, sha256_hex: str) -> EvidenceOut:
    """What stands under the id. Raises Problem 409 where other bytes do."""
    if kept.sha256 != sha256_hex:
        raise Problem(409, "photo_conflict")
    url = f"/api/v1/cases/{case_no}/evidence/{kept.id}"
    return EvidenceOut(id=kept.id, sha256=kept.sha256, bytes=kept.bytes, mime=kept.mime, url=url)


def _told(report_id: str, fact: PhotoFactsOut, own: str, readable: frozenset[str]) -> PhotoHintOut:
    """Copies within the case itself are nothing to look into: its reporters may well have shared a photo."""
    others = [one for one in fact.same if one.case_no != own]
    same = tuple(SamePhotoOut(case_no=one.case_no, at=one.at) for one in others if one.case_no in readable)
    return PhotoHintOut(
        report_id=report_id,
        id=fact.id,
        taken_at=fact.taken_at,
        metres_from_pin=fact.metres_from_pin,
        same=same,
        elsewhere=len(others) - len(same),
    )


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

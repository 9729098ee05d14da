"""登记 of a phone call goes to intake, webhooks and deliveries to escalation: a page talks only to its own service."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from services.chassis.asgi import not_found
from services.chassis.auth import CurrentPerson, Person
from services.dispatch.api.wiring import Parts
from services.dispatch.forward import Given, Passing

router = APIRouter(prefix="/api/v1", tags=["forwarded"])
PieceId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]

# What of escalation the console uses; the platform's own door is not among it.
_ESCALATION = ("webhooks", "deliveries", "timers", "notices", "receipts")


@router.post("/intake/reports", response_class=Response, summary="Register a report (登记)")
async def register_report(request: Request, person: CurrentPerson, parts: Parts) -> Response:
    """As POST /api/v1/reports of intake, for a clerk who takes a call."""
    return _answer(await parts.forwarder.intake(await _passing(request, "/api/v1/reports"), person))


@router.get("/intake/form", response_class=Response, summary="What the 登记 form needs")
async def register_form(request: Request, person: CurrentPerson, parts: Parts) -> Response:
    return _answer(await parts.forwarder.intake(await _passing(request, "/api/v1/form"), person))


@router.get("/intake/places", response_class=Response, summary="Named places")
async def search_places(request: Request, person: CurrentPerson, parts: Parts) -> Response:
    return _answer(await parts.forwarder.intake(await _passing(request, "/api/v1/places"), person))


@router.get("/intake/duplicates", response_class=Response, summary="Similar reports nearby")
async def similar_reports(request: Request, person: CurrentPerson, parts: Parts) -> Response:
    return _answer(await parts.forwarder.intake(await _passing(request, "/api/v1/duplicates"), person))


@router.put("/intake/reports/{report_id}/photos/{photo_id}", response_class=Response, summary="A photo of a 登记")
async def register_photo(
    report_id: PieceId, photo_id: PieceId, request: Request, person: CurrentPerson, parts: Parts
) -> Response:
    path = f"/api/v1/reports/{report_id}/photos/{photo_id}"
    return _answer(await parts.forwarder.intake(await _passing(request, path), person))


@router.put("/intake/reports/{report_id}/reporter", response_class=Response, summary="Who called, for the vault")
async def register_reporter(report_id: UUID, request: Request, person: CurrentPerson, parts: Parts) -> Response:
    """As PUT /api/v1/reports/{report_id}/reporter of intake: for who took the report, and kept by intake alone."""
    path = f"/api/v1/reports/{report_id}/reporter"
    return _answer(await parts.forwarder.intake(await _passing(request, path), person))


@router.get("/escalation/{rest:path}", response_class=Response, summary="Read webhooks and deliveries")
@router.post("/escalation/{rest:path}", response_class=Response, summary="Add, test or replay")
@router.patch("/escalation/{rest:path}", response_class=Response, summary="Change a webhook")
@router.delete("/escalation/{rest:path}", response_class=Response, summary="Remove a webhook")
async def pass_to_escalation(
    rest: Annotated[str, Path(max_length=200, pattern=r"^[A-Za-z0-9_/-]+$")],
    request: Request,
    person: CurrentPerson,
    parts: Parts,
) -> Response:
    """The same path and query at escalation, below /api/v1."""
    if rest.split("/", 1)[0] not in _ESCALATION:
        raise not_found()
    return await _to_escalation(rest, request, person, parts)


async def _to_escalation(rest: str, request: Request, person: Person, parts: Parts) -> Response:
    return _answer(await parts.forwarder.escalation(await _passing(request, f"/api/v1/{rest}"), person))


async def _passing(request: Request, path: str) -> Passing:
    content = await request.body() if request.method in {"POST", "PUT", "PATCH"} else None
    return Passing(request.method, path, dict(request.headers), dict(request.query_params), content or None)


def _answer(given: Given) -> Response:
    return Response(given.content, given.status, given.headers)

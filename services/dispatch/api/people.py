"""Who reported, in clear: intake keeps it and decides; dispatch tells only that the caller may see the case."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from schemas.api.reporter import IdentityRevealedOut, RevealIn
from services.chassis.asgi import not_found
from services.chassis.auth import CurrentPerson
from services.dispatch.api.wiring import Parts
from services.dispatch.forward import Passing
from services.dispatch.store.audience import scope_of
from services.dispatch.store.detail import find_case
from services.governance.case import Sight

router = APIRouter(prefix="/api/v1/cases", tags=["people"])
CaseNo = Annotated[str, Path(max_length=64, pattern=r"^[^\x00-\x1f]+$")]


@router.post(
    "/{case_no}/reports/{report_id}/reporter/reveal",
    response_model=IdentityRevealedOut,
    summary="The reporter in clear, for a reason, once",
)
async def reveal_reporter(
    case_no: CaseNo, report_id: UUID, body: RevealIn, request: Request, person: CurrentPerson, parts: Parts
) -> Response:
    """For an intake clerk, the duty chief, and who pays the return visit; each look is on record and told to the
    reporter."""
    async with parts.db.reading() as tx:
        found = await find_case(tx, case_no, scope_of(person.actor))
    if found is None or found.sight is not Sight.FULL or str(report_id) not in found.case.reports:
        raise not_found()
    path, content = f"/api/v1/reports/{report_id}/reporter/reveal", body.model_dump_json().encode()
    headers = {"content-type": "application/json", "accept-language": request.headers.get("accept-language", "")}
    given = await parts.forwarder.intake(Passing("POST", path, headers, content=content), person)
    return Response(given.content, given.status, given.headers)

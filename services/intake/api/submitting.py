"""Taking a report, and the quick way to it; the framework's route in `reports` describes both."""

from __future__ import annotations

from fastapi import FastAPI
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from schemas.api.intake import ReportIn
from services.chassis.asgi import open_lane
from services.chassis.auth import Person, current_person
from services.intake.api.room import Room, required_key, same_account
from services.intake.store import reading
from services.intake.usecases.check import check
from services.intake.usecases.draft import report_id_for
from services.intake.usecases.refusal import Refusal

PATH = "/api/v1/reports"
_JSON = "application/json"


async def take(room: Room, body: ReportIn, person: Person, key: str) -> Response:
    """Check, write, acknowledge; what it raises is a Refusal, or Unavailable."""
    home = room.home(person)
    draft = check(body, key, report_id_for(key, room.ids.uuid7), person, home, await room.desk(home))
    if draft.joins is not None:
        await _require_case(room, draft.joins)
    accepted = await room.submissions.submit(draft)
    return Response(accepted.answer, status_code=201, media_type=_JSON)


def open_report_lane(app: FastAPI, room: Room) -> None:
    """What the route asks for by its dependencies, asked in the same order: a test holds the two together."""

    async def answer(request: Request, raw: bytes) -> Response | None:
        headers = request.headers
        if headers.get("content-type") != _JSON:
            return None
        try:
            body = ReportIn.model_validate_json(raw)
        except ValidationError:
            return None
        person = await current_person(request)
        await same_account(person, headers.get("grid-account"))
        return await take(room, body, person, await required_key(headers.get("idempotency-key")))

    open_lane(app, "POST", PATH, answer)


async def _require_case(room: Room, case_no: str) -> None:
    async with room.db.reading() as tx:
        if not await reading.case_exists(tx, case_no):
            raise Refusal("unknown_case", "joins")

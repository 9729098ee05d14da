"""Where platforms call back. No sign-in: the proof that the message itself carries is what counts."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from services.chassis.asgi import FieldProblem, Problem
from services.chassis.db import grid_now
from services.escalation.api.desk import Desk, DeskOf
from services.escalation.dialects.base import (
    Auth,
    Became,
    Dialect,
    Heard,
    Incoming,
    NotGenuineError,
    UnreadableError,
)
from services.escalation.dialects.known import dialect
from services.escalation.store import endpoints
from services.escalation.store.endpoints import Endpoint
from services.escalation.store.platform import answer_to
from services.escalation.usecases.hear import LONGEST_ID, Caller, hear

BODY_MAX = 256 * 1024


class HeardOut(BaseModel):
    """What became of a call-back. A repeat learns the answer once there is one; `code` says why it was refused."""

    result: Literal["passed_on", "unknown", "noted", "repeated"]
    answer: Literal["done", "refused"] | None = None
    code: str | None = None


def platform_router() -> APIRouter:
    """/api/v1/platform/…"""
    router = APIRouter(prefix="/api/v1/platform", tags=["platform"])

    @router.post(
        "/events", summary="A call-back of the city platform", status_code=202, responses={202: {"model": HeardOut}}
    )
    async def events(request: Request, desk: DeskOf) -> JSONResponse:
        if desk.platform_secret is None:
            raise Problem(401, "signature_invalid", detail="no secret is shared with a platform")
        secrets = (desk.platform_secret,)
        return await _taken(request, desk, Caller(), dialect("cloudevents"), (Auth.STANDARD_WEBHOOKS, "", secrets))

    @router.post(
        "/{endpoint_id}/events",
        summary="A call-back of the platform behind an endpoint, in that endpoint's dialect",
        status_code=202,
        responses={202: {"model": HeardOut}},
    )
    async def events_of(endpoint_id: UUID, request: Request, desk: DeskOf) -> JSONResponse:
        async with desk.db.reading() as tx:
            endpoint, now = await endpoints.read(tx, endpoint_id), await grid_now(tx)
        if endpoint is None:  # who is not known learns no more than who signs wrongly
            raise Problem(401, "signature_invalid")
        manner = endpoint.manner
        proof = (manner.auth, manner.app_key, _secrets(desk, endpoint, now))
        return await _taken(request, desk, Caller(endpoint.id, manner.partner), dialect(manner.dialect), proof)

    return router


async def _taken(
    request: Request, desk: Desk, caller: Caller, spoken: Dialect, proof: tuple[Auth, str, tuple[bytes, ...]]
) -> JSONResponse:
    body = await request.body()
    if len(body) > BODY_MAX:
        raise Problem(413, "body_too_large", extra={"limit": BODY_MAX})
    auth, app_key, secrets = proof
    async with desk.db.transaction() as tx:
        headers = {name.lower(): value for name, value in request.headers.items()}
        heard = _read(spoken, Incoming(headers, body, auth, secrets, await grid_now(tx), app_key))
        result = await hear(tx, desk.outbox, desk.ids, caller, heard)
        known = await answer_to(tx, caller.own(heard.message_id)) if result == "repeated" else None
    became = Became(result) if known is None else Became(result, known.answer, known.code)
    return JSONResponse(dict(spoken.reply(became)), 202)


def _read(spoken: Dialect, incoming: Incoming) -> Heard:
    try:
        heard = spoken.hear(incoming)
    except NotGenuineError as error:
        raise Problem(401, "signature_invalid", detail=str(error)) from error
    except UnreadableError as error:
        wrong = FieldProblem(field=error.name, code="unreadable", message=str(error))
        raise Problem(422, "invalid_input", errors=[wrong]) from error
    if len(heard.message_id) > LONGEST_ID or not heard.message_id.isprintable():
        raise Problem(401, "signature_invalid", detail="the message's id is too long, or not of letters")
    return heard


def _secrets(desk: Desk, endpoint: Endpoint, now: datetime) -> tuple[bytes, ...]:
    """Those that are good now, the newest first."""
    sealed = [endpoint.secret]
    if endpoint.previous_secret is not None and endpoint.previous_until is not None and endpoint.previous_until > now:
        sealed.append(endpoint.previous_secret)
    return tuple(desk.endpoints.box.open(one) for one in sealed)

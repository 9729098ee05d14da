"""Where the smart-city platform calls back. No sign-in: the signature over the raw bytes is what counts."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ValidationError

from schemas.api.escalation import PlatformEventIn
from services.chassis.asgi import FieldProblem, Problem
from services.chassis.db import grid_now
from services.chassis.signing import BadSignatureError, verify
from services.escalation.api.desk import DeskOf
from services.escalation.store.platform import answer_to
from services.escalation.usecases.hear import hear


class HeardOut(BaseModel):
    """What became of a call-back. A repeat learns the answer once there is one; `code` says why it was refused."""

    result: Literal["passed_on", "unknown", "repeated"]
    answer: Literal["done", "refused"] | None = None
    code: str | None = None


def platform_router() -> APIRouter:
    """/api/v1/platform/events"""
    router = APIRouter(prefix="/api/v1/platform", tags=["platform"])

    @router.post(
        "/events",
        summary="A call-back of the city platform",
        status_code=202,
        response_model=HeardOut,
        response_model_exclude_none=True,
    )
    async def events(request: Request, desk: DeskOf) -> HeardOut:
        body = await request.body()
        if desk.platform_secret is None:
            raise Problem(401, "signature_invalid", detail="no secret is shared with a platform")
        headers = request.headers
        webhook_id = headers.get("webhook-id", "")
        async with desk.db.transaction() as tx:
            now = await grid_now(tx)
            try:
                verify(
                    desk.platform_secret,
                    webhook_id,
                    headers.get("webhook-timestamp", ""),
                    headers.get("webhook-signature", ""),
                    body,
                    now,
                )
            except BadSignatureError as error:
                raise Problem(401, "signature_invalid", detail=str(error)) from error
            result = await hear(tx, desk.outbox, desk.ids, webhook_id, _event(body))
            known = await answer_to(tx, webhook_id) if result == "repeated" else None
        return HeardOut(result=result, answer=known and known.answer, code=known and known.code)

    return router


def _event(body: bytes) -> PlatformEventIn:
    try:
        return PlatformEventIn.model_validate_json(body)
    except ValidationError as error:
        wrong = [
            FieldProblem(
                field=".".join(str(part) for part in one["loc"]) or "body", code=one["type"], message=one["msg"]
            )
            for one in error.errors()
        ]
        raise Problem(422, "invalid_input", errors=wrong) from error

"""Where other authorities hand matters over. No sign-in: the signature over the raw bytes is what counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from schemas.api.push import PushIn, PushOut, WrongOut
from services.chassis.asgi import Problem, Wording, language
from services.chassis.asgi.errors import validation_problem
from services.chassis.db import grid_now
from services.chassis.signing import BadSignatureError, verify
from services.intake.api.errors import problem_of
from services.intake.api.room import Room
from services.intake.store import partners
from services.intake.store.partners import Partner
from services.intake.usecases.handover import Counter, Message, hand_over
from services.intake.usecases.identity import Sealer
from services.intake.usecases.partners import secrets_of
from services.intake.usecases.place import home_of
from services.intake.usecases.refusal import Refusal

BODY_MAX = 4 * 1024 * 1024
_ID_MAX = 255
T = TypeVar("T", bound=BaseModel)

_ASKS = {
    "requestBody": {
        "required": True,
        "description": "One matter, or `items` with up to 200 of them, signed after Standard Webhooks.",
        "content": {"application/json": {"schema": {"type": "object"}}},
    },
    "parameters": [
        {"in": "header", "name": name, "required": True, "schema": {"type": "string"}}
        for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
    ],
}


def push_router(room: Room, sealer: Sealer, wording: Wording) -> APIRouter:
    """/api/v1/push/{source}"""
    router = APIRouter(prefix="/api/v1/push", tags=["push"])

    @router.post("/{source}", response_model=PushOut, summary="A partner hands matters over", openapi_extra=_ASKS)
    async def push(source: Annotated[str, Path(max_length=64)], request: Request) -> Response:
        body = await request.body()
        if len(body) > BODY_MAX:
            raise Problem(413, "body_too_large", extra={"limit": BODY_MAX})
        async with room.db.reading() as tx:
            partner, now = await partners.named(tx, source), await grid_now(tx)
        webhook_id = _checked(request, partner, sealer, body, now)
        assert partner is not None, "_checked refuses who is not known"
        message = Message(partner, webhook_id, body, _items(body))
        home = home_of((), room.directory)
        lang = language(request.headers.get("accept-language"))
        counter = Counter(home, await room.desk(home), room.ids, sealer, _Told(wording, lang))
        async with room.db.transaction() as tx:
            answer = await hand_over(tx, message, counter)
        return Response(answer, media_type="application/json")

    return router


def _checked(request: Request, partner: Partner | None, sealer: Sealer, body: bytes, now: datetime) -> str:
    """The message's id. Raises Problem 401: who is not known learns no more than who signs wrongly."""
    webhook_id, timestamp, signatures = (
        request.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")
    )
    if partner is None or len(webhook_id) > _ID_MAX:
        raise Problem(401, "signature_invalid")
    told = BadSignatureError("no signature fits")
    for secret in secrets_of(partner, sealer, now):
        try:
            verify(secret, webhook_id, timestamp, signatures, body, now)
        except BadSignatureError as error:
            told = error
        else:
            return webhook_id
    raise Problem(401, "signature_invalid", detail=str(told)) from told


def _items(body: bytes) -> Sequence[Any]:
    """One matter or several. Raises RequestValidationError where the body is neither."""
    try:
        found = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise RequestValidationError([{"type": "json_invalid", "loc": ("body",), "msg": str(error)}]) from error
    if not isinstance(found, dict):
        raise RequestValidationError([{"type": "dict_type", "loc": ("body",), "msg": "not an object"}])
    if "items" not in found:
        return [found]
    try:
        return PushIn.model_validate(found).items
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error


class _Told:
    """Says what is wrong with an item, in one language."""

    def __init__(self, wording: Wording, lang: str) -> None:
        self._wording = wording
        self._lang = lang

    def __call__(self, error: ValidationError | Refusal) -> Sequence[WrongOut]:
        if isinstance(error, Refusal):
            if error.status >= 500:
                raise error
            problem = problem_of(error, self._wording, self._lang)
        else:
            problem = validation_problem(error.errors(), self._wording, self._lang)
        return [WrongOut.model_validate(one) for one in problem.errors]

"""What routes ask of a request: the key, the form, the filters, in whose language."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BeforeValidator, Field, ValidationError

from schemas.labels import Labels
from services.chassis.asgi import FieldProblem, Problem, language
from services.chassis.asgi.pace import Pace
from services.chassis.asgi.paging import decode_cursor
from services.chassis.auth import Person
from services.chassis.auth.admin import OPEN311
from services.chassis.auth.depends import authenticator
from services.intake.usecases.open311.asked import KEY, PAGES_MOST, ROWS_MOST, Filters, Form, read_form
from services.intake.usecases.refusal import Refusal

FORM_MAX: Final = 64 * 1024  # bytes
_FORM_TYPE: Final = "application/x-www-form-urlencoded"
_NAMES: Final = {
    "text": "description",
    "place_words": "address_string",
    "landmark": "attribute[landmark]",
    "occurred_at": "attribute[occurred_at]",
    "category": "service_code",
    "position.lat": "lat",
    "position.lng": "long",
    "position": "lat",
    "": "description",
}
"""What the standard calls the fields of a report."""


def _blank(value: Any) -> Any:
    return None if value == "" else value


def _unset(value: Any) -> Any:
    return False if value == "" else value


Jurisdiction = Annotated[str | None, Query(description="9-digit code of a street; needed where there are several")]
ApiKey = Annotated[str | None, Query(description="Shows the holder his own requests whole")]
Flag = Annotated[bool, BeforeValidator(_unset)]
Extensions = Annotated[Flag, Query(description="true: with `extended_attributes` and `notes`")]
Several = Annotated[list[str], Query(description="several: comma delimited, or the name again")]
Words = Annotated[str | None, Query()]


async def filters(
    service_request_id: Several = [],  # noqa: B006 - FastAPI copies defaults
    service_code: Several = [],  # noqa: B006
    start_date: Words = None,
    end_date: Words = None,
    status: Several = [],  # noqa: B006
    updated_after: Words = None,
    updated_before: Words = None,
    external_id: Several = [],  # noqa: B006
    mine: Annotated[Flag, Query(description="true: only requests filed with this key")] = False,
    page: Annotated[Annotated[int, Field(ge=1, le=PAGES_MOST)] | None, BeforeValidator(_blank), Query()] = None,
    page_size: Annotated[Annotated[int, Field(ge=1, le=ROWS_MOST)] | None, BeforeValidator(_blank), Query()] = None,
    after: Annotated[str | None, Query(max_length=500, description="from the `Link` of the page before")] = None,
) -> Filters:
    """The filters of a list."""
    return Filters(
        service_request_id=",".join(service_request_id),
        service_code=",".join(service_code),
        start_date=start_date,
        end_date=end_date,
        status=",".join(status),
        updated_after=updated_after,
        updated_before=updated_before,
        external_id=",".join(external_id),
        mine=mine,
        page=page or 1,
        page_size=page_size or ROWS_MOST,
        after=_after(after) if after else None,
    )


def _after(cursor: str) -> tuple[datetime, str]:
    try:
        at, number = decode_cursor(cursor)
        return datetime.fromisoformat(at), str(number)
    except (ValueError, TypeError) as error:
        raise Problem(422, "invalid_input", errors=[FieldProblem(field="after", code="cursor")]) from error


async def client_of(request: Request, key: str | None) -> Person | None:
    """Who holds the key; None without one. Raises Refusal 403 for a key that is none of this door, and Problem 429 for
    one that files too fast."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    given = key or (token.strip() if scheme.lower() == "bearer" else "")
    if not given:
        return None
    person = await authenticator(request).by_bearer(given, None)
    if person is None or person.scope != OPEN311:
        request.state.person = person
        raise Refusal("api_key_invalid", KEY, status=403)
    request.state.person = person
    pace: Pace | None = getattr(request.app.state, "pace", None)
    if pace is not None:
        pace.by_account(request.method, request.url.path, person.account_id)
    return person


async def form_of(request: Request) -> Form:
    """The form in the body. Raises Refusal for another kind of body, or too much of it."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > FORM_MAX:
            raise Refusal("form_too_large", status=400, limit=FORM_MAX)
    if body and media != _FORM_TYPE:
        raise Refusal("form_only", "Content-Type", status=400)
    return read_form(bytes(body), request.url.query)


def in_their_words(error: ValidationError) -> RequestValidationError:
    """The same faults under the names that the standard has for the fields."""
    faults = []
    for fault in error.errors(include_url=False, include_input=False):
        name = ".".join(str(part) for part in fault["loc"] if not str(part).startswith("("))
        faults.append({**fault, "loc": ("body", _NAMES.get(name, name))})
    return RequestValidationError(faults)


def labels_of(request: Request) -> Labels:
    """The words of the language a client asks for."""
    return Labels(language(request.headers.get("accept-language")))

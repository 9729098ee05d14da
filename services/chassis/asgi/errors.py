"""Every exception that can leave a route, turned into a problem."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from services.chassis.asgi.edge import BodyTooLarge, too_large
from services.chassis.asgi.problem import STATUS_OF, FieldProblem, NotReady, Problem, problem_response
from services.chassis.asgi.wording import Wording, language
from services.chassis.db import is_transient
from services.chassis.pictures.store import StoreAway
from services.chassis.pictures.workshop import WorkshopClosed
from services.chassis.storage import out_of_room
from services.chassis.telemetry import logger
from services.governance.errors import GovernanceError

RETRY_AFTER_S = "5"
RETRY_WHEN_FULL_S = "30"
_FIELD_OF = {
    "unknown_category": "category",
    "unknown_condition": "condition",
    "unknown_unit": "lead_unit",
    "unknown_task": "task",
    "unknown_request": "request",
}
_QUOTED = re.compile(r"'([^']*)'")  # pydantic joins what it expects in English: 'a', 'b' or 'c'
HTTP_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}


def install_error_handlers(app: FastAPI, wording: Wording) -> None:
    """Register the handlers; anything not named here becomes a plain 500 at the edge."""

    def answering(to_problem: Callable[[Request, Any], Problem]) -> Callable[[Request, Exception], Any]:
        async def handle(request: Request, error: Exception) -> Response:
            problem = wording.worded(to_problem(request, error), _accepts(request))
            request.state.refused = problem.code
            return problem_response(problem, getattr(request.state, "request_id", None))

        return handle

    def invalid(request: Request, error: RequestValidationError) -> Problem:
        lang = language(_accepts(request))
        return validation_problem(error.errors(), wording, lang)

    app.add_exception_handler(Problem, answering(lambda _, error: error))
    app.add_exception_handler(GovernanceError, answering(lambda _, error: governance_problem(error)))
    app.add_exception_handler(RequestValidationError, answering(invalid))
    app.add_exception_handler(HTTPException, answering(lambda _, error: http_problem(error)))
    app.add_exception_handler(NotReady, answering(lambda _, error: unavailable(error.missing)))
    app.add_exception_handler(SQLAlchemyError, answering(lambda _, error: database_problem(error)))
    app.add_exception_handler(StoreAway, answering(lambda _, error: pictures_away(error)))
    app.add_exception_handler(WorkshopClosed, answering(lambda _, error: workshop_closed(error)))
    app.add_exception_handler(OSError, answering(lambda _, error: disk_problem(error)))


def _accepts(request: Request) -> str | None:
    """The languages a caller asks for; without the header, the one of the person signed in."""
    return request.headers.get("accept-language") or getattr(request.state, "lang", None)


def governance_problem(error: GovernanceError) -> Problem:
    """A refusal of the rules. Its parameters (state, action, allowed, field …) become members of the body.

    One that is about a field stands in `errors` too, so that a form can show it where it belongs.
    """
    field = error.params.get("field") or _FIELD_OF.get(error.code)
    wrong = [FieldProblem(field=str(field), code=error.code, message="")] if field else []
    return Problem(STATUS_OF.get(error.code, 409), error.code, extra=error.params, errors=wrong)


def database_problem(error: SQLAlchemyError) -> Problem:
    """503 while the database is away, busy or full; anything else is our fault and goes to the edge as it is."""
    if out_of_room(error):
        return no_room("database")
    if not is_transient(error):
        raise error
    logger("http").warning("database_unavailable", error=type(error).__name__)
    return unavailable("database")


def unavailable(what: str) -> Problem:
    """Something this service needs does not answer just now; the same request may be sent again."""
    return Problem(503, "unavailable", headers={"retry-after": RETRY_AFTER_S}, extra={"missing": what})


def disk_problem(error: OSError) -> Problem:
    """503 where our own disk takes nothing more; anything else is our fault and goes to the edge as it is."""
    if not out_of_room(error):
        raise error
    return no_room("files")


def pictures_away(error: StoreAway) -> Problem:
    """Pictures can be neither kept nor shown just now. What was sent of one stays here, and the same may come again."""
    logger("http").error("picture_store_away", why=error.why)
    return Problem(503, "picture_store_away", headers={"retry-after": RETRY_AFTER_S}, extra={"missing": "pictures"})


def workshop_closed(error: WorkshopClosed) -> Problem:
    """The picture could not be looked at just now, which says nothing about the picture."""
    logger("http").error("picture_workshop_closed", why=str(error))
    return unavailable("pictures")


def no_room(where: str) -> Problem:
    """A disk is full. Nothing was kept of the request, and the same one may be sent again once there is room."""
    logger("http").error("storage_full", where=where)
    return Problem(503, "storage_full", headers={"retry-after": RETRY_WHEN_FULL_S}, extra={"missing": where})


def http_problem(error: HTTPException) -> Problem:
    """Errors that the framework itself raises."""
    if isinstance(error, BodyTooLarge):
        return too_large(error.limit)
    code = HTTP_CODES.get(error.status_code, "http_error")
    return Problem(error.status_code, code, headers=dict(error.headers or {}))


def validation_problem(errors: Sequence[Any], wording: Wording, lang: str) -> Problem:
    """422 with one entry per wrong field: its name, what is wrong, what to do."""
    return Problem(422, "invalid_input", errors=[_field_problem(error, wording, lang) for error in errors])


def _field_problem(error: Any, wording: Wording, lang: str) -> FieldProblem:
    """Pydantic's error type chooses the words; its own English sentence is the fallback. The input is never echoed."""
    kind = str(error["type"])
    values = {key: value for key, value in error.get("ctx", {}).items() if isinstance(value, str | int | float)}
    if isinstance(choices := values.get("expected"), str):
        values["expected"] = wording.listed(lang, _QUOTED.findall(choices) or [choices])
    message, remedy = wording.field_words(lang, kind, **values)
    path = "body" if kind == "json_invalid" else _path(error["loc"])  # its own path is only a place in the text
    if path == "body" and isinstance(named := values.get("field"), str):  # a rule about several fields names one
        path = named
    return FieldProblem(field=path, code=kind, message=message or str(error["msg"]), remedy=remedy)


def _path(loc: Sequence[str | int]) -> str:
    parts = [str(part) for part in loc if not str(part).startswith("(")]  # "(pin)" is a branch of a union, no field
    if parts and parts[0] in {"body", "query", "path", "header", "cookie"}:
        parts = parts[1:]
    return ".".join(parts) or "body"

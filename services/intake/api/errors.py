"""Refusals of the use cases as problems, in the caller's language, naming field and remedy."""

from __future__ import annotations

from fastapi import FastAPI, Request
from starlette.responses import Response

from services.chassis.asgi import FieldProblem, Problem, Wording, language, no_room, unavailable
from services.chassis.asgi.problem import problem_response
from services.chassis.directory.cache import DirectoryNotLoaded, UnknownRulebook
from services.chassis.storage import out_of_room
from services.intake.usecases.groupcommit import Unavailable
from services.intake.usecases.refusal import Refusal


def install_refusals(app: FastAPI, wording: Wording) -> None:
    """Register the handlers of everything that leaves intake's use cases."""

    def answer(request: Request, problem: Problem) -> Response:
        worded = wording.worded(problem, request.headers.get("accept-language"))
        request.state.refused = problem.code
        return problem_response(worded, getattr(request.state, "request_id", None))

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)
        return answer(request, problem_of(error, wording, language(request.headers.get("accept-language"))))

    async def away(request: Request, error: Exception) -> Response:
        if error.__cause__ is not None and out_of_room(error.__cause__):
            return answer(request, no_room("database"))
        what = "directory" if isinstance(error, DirectoryNotLoaded | UnknownRulebook) else "database"
        return answer(request, unavailable(what))

    app.add_exception_handler(Refusal, refused)
    for kind in (Unavailable, DirectoryNotLoaded, UnknownRulebook):
        app.add_exception_handler(kind, away)


def problem_of(refusal: Refusal, wording: Wording, lang: str) -> Problem:
    """One entry for the field at fault, with what is wrong and what to do."""
    if refusal.status == 503:
        return unavailable(refusal.code)
    values: dict[str, str | int] = {**refusal.values, **({"field": refusal.field} if refusal.field else {})}
    errors = []
    if refusal.field is not None:
        words = (f"problem.{refusal.code}", f"problem.{refusal.code}.detail")
        message, remedy = (wording.text(lang, key, **values) for key in words)
        if message is None:  # a fault of a form has the same words whoever finds it
            message, remedy = wording.field_words(lang, refusal.code, **values)
        errors.append(
            FieldProblem(field=refusal.field, code=refusal.code, message=message or refusal.code, remedy=remedy)
        )
    return Problem(refusal.status, refusal.code, errors=errors, extra=values)

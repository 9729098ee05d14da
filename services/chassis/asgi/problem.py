"""RFC 9457 problems: the one shape of every error that leaves a service.

`code` is stable and for programs; `title` and `detail` are for people, in the caller's language when the word list
has them. A new refusal gets a row in `STATUS_OF`, nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

PROBLEM_TYPE = "application/problem+json"

# GovernanceError.code → status. What is missing here is a conflict with the state of the case: 409.
STATUS_OF: Mapping[str, int] = {
    "not_permitted": 403,
    "separation_of_duties": 403,
    "missing_input": 422,
    "invalid_input": 422,
    "unknown_category": 422,
    "unknown_condition": 422,
    "unknown_unit": 422,
    "unknown_task": 422,
    "unknown_request": 422,
    "master_unknown": 422,
    "master_itself": 422,
    "master_ended": 422,
    "master_calmer": 422,
    "unparsable_limit": 422,
    "rulebook_refused": 422,
}


class FieldProblem(BaseModel):
    """What is wrong with one field and what to do about it."""

    model_config = ConfigDict(frozen=True)

    field: str = Field(description="path inside the body, dots between the parts; query and header names as they are")
    code: str
    message: str = Field(default="", description="left empty where the word list has the words for `code`")
    remedy: str | None = None


class ProblemBody(BaseModel):
    """The body of every error answer (application/problem+json). Further members depend on `code`."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str | None = None
    instance: str | None = Field(default=None, description="the request id, to be quoted when asking for help")
    errors: list[FieldProblem] | None = None


class Problem(Exception):
    """Raise it anywhere below a route: the chassis answers with it. `extra` becomes members of the body."""

    def __init__(
        self,
        status: int,
        code: str,
        title: str | None = None,
        *,
        detail: str | None = None,
        errors: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {detail or title or ''}")
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})


class NotReady(Exception):
    """Something this process needs is not there yet or just now; a route that raises it answers 503."""

    def __init__(self, missing: str, why: str) -> None:
        super().__init__(why)
        self.missing = missing


def not_found(detail: str | None = None) -> Problem:
    """A thing that is not there, or that the caller may not know to be there."""
    return Problem(404, "not_found", detail=detail)


def problem_response(problem: Problem, request_id: str | None) -> JSONResponse:
    """The answer for a problem whose words are already chosen."""
    body = ProblemBody(
        title=problem.title or HTTPStatus(problem.status).phrase,
        status=problem.status,
        code=problem.code,
        detail=problem.detail,
        instance=f"urn:request:{request_id}" if request_id else None,
        errors=list(problem.errors) or None,
        **problem.extra,
    )
    return JSONResponse(
        body.model_dump(mode="json", exclude_none=True),
        status_code=problem.status,
        headers=problem.headers,
        media_type=PROBLEM_TYPE,
    )

"""The outermost layer of every service: request id, body cap, origin check, headers, access log, request metrics.

One plain ASGI class rather than a stack of middlewares: intake's hot path goes through it. It never reads a body
itself; the cap counts what the application reads.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.chassis.asgi.origin import origin_problem
from services.chassis.asgi.pace import Pace
from services.chassis.asgi.policy import HSTS, NO_STORE, ContentPolicy, Header, security_headers
from services.chassis.asgi.problem import Problem, problem_response
from services.chassis.asgi.wording import Wording
from services.chassis.audit.where import note_origin
from services.chassis.ids import IdSource
from services.chassis.telemetry import Metrics, bind_request, log_access, logger, unbind_request

DEFAULT_BODY_LIMIT = 10 * 1024 * 1024  # bytes
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NUMBER = re.compile(r"1[3-9]\d{9}|[1-9]\d{14}")
_TRACKING = re.compile(r"^/t/[^/]+$")
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})


@dataclass(frozen=True, slots=True)
class EdgeRules:
    """What the edge enforces; `uploads` are path prefixes where POST may carry something else than JSON."""

    body_limit: int = DEFAULT_BODY_LIMIT
    policy: ContentPolicy = field(default_factory=ContentPolicy)
    uploads: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    pace: Pace | None = None


class Edge:
    """ASGI middleware; `add_middleware(Edge, …)` puts it around everything."""

    def __init__(self, app: ASGIApp, *, rules: EdgeRules, metrics: Metrics, ids: IdSource, wording: Wording) -> None:
        self._app = app
        self._rules = rules
        self._metrics = metrics
        self._service = metrics.service
        self._ids = ids
        self._wording = wording
        self._headers = security_headers(rules.policy)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        call = _Call(self._headers, scope, send, headers, self._request_id(headers))
        scope.setdefault("state", {})["request_id"] = call.request_id
        bind_request(call.request_id)
        note_origin(scope["client"][0] if scope.get("client") else None)
        try:
            await self._guarded(call, scope, receive)
            if call.status == 403:
                await _note_denial(scope)
        finally:
            self._account(call, scope)
            unbind_request()

    async def _guarded(self, call: _Call, scope: Scope, receive: Receive) -> None:
        problem = self._refused(scope, call.given)
        if problem is not None:
            await self._answer(problem, call, scope, receive)
            return
        try:
            await self._app(scope, _capped(receive, self._rules.body_limit), call.send)
        except Exception:  # the last resort: nothing of the fault may reach the caller
            logger("http").exception("request_failed", method=scope["method"], path=_loggable(scope["path"]))
            if call.status is not None:
                raise
            await self._answer(Problem(500, "internal_error"), call, scope, receive)

    def _refused(self, scope: Scope, headers: Mapping[str, str]) -> Problem | None:
        """Refusals that need no application: too much from one address, a body announced too long, a cross-origin
        act."""
        if (pace := self._rules.pace) is not None:
            hasty = pace.by_address(scope["method"], scope["path"], scope["client"][0] if scope.get("client") else None)
            if hasty is not None:
                return hasty
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > self._rules.body_limit:
            return too_large(self._rules.body_limit)
        return origin_problem(scope, headers, self._rules.uploads, self._rules.origins)

    async def _answer(self, problem: Problem, call: _Call, scope: Scope, receive: Receive) -> None:
        worded = self._wording.worded(problem, call.given.get("accept-language"))
        await problem_response(worded, call.request_id)(scope, receive, call.send)

    def _request_id(self, headers: Mapping[str, str]) -> str:
        """The caller's X-Request-Id if it is harmless, otherwise a new one: it goes into logs and the record, so what
        may be somebody's number is not taken."""
        given = headers.get("x-request-id")
        if given and _REQUEST_ID.fullmatch(given) and (_UUID.fullmatch(given) or not _NUMBER.search(given)):
            return given
        return str(self._ids.uuid7())

    def _account(self, call: _Call, scope: Scope) -> None:
        seconds = asyncio.get_running_loop().time() - call.started
        route = getattr(scope.get("route"), "path", None) or "(none)"
        status = call.status or 500
        self._metrics.observe_request(scope["method"], route, status, seconds)
        if scope["path"] not in _QUIET:
            log_access(self._service, call.request_id, scope["method"], _loggable(scope["path"]), status, seconds)


class _Call:
    """One request on its way: remembers the status and adds the headers to its start."""

    def __init__(
        self, headers: Sequence[Header], scope: Scope, send: Send, given: Mapping[str, str], request_id: str
    ) -> None:
        self.given = given
        self.request_id = request_id
        self.status: int | None = None
        self.started = asyncio.get_running_loop().time()
        self._send = send
        self._fixed = headers
        self._https = scope["scheme"] == "https"
        self._api = scope["path"].startswith("/api/")

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            present = {name.lower() for name, _ in message.get("headers", ())}
            added = [header for header in self._fixed if header[0] not in present]
            added.append((b"x-request-id", self.request_id.encode()))
            if self._https:
                added.append(HSTS)
            if self._api and b"cache-control" not in present:
                added.append(NO_STORE)
            message = {**message, "headers": [*message.get("headers", ()), *added]}
        await self._send(message)


class _Denials(Protocol):
    async def note(self, person: object, method: str, route: str, code: str) -> None:
        """Somebody known was refused."""
        ...


async def _note_denial(scope: Scope) -> None:
    """A refusal of our own to somebody who is signed in goes into the record, after he has his answer."""
    person, code = scope["state"].get("person"), scope["state"].get("refused")
    if person is None or code is None:
        return
    denials: _Denials = scope["app"].state.auth.denials
    await denials.note(person, scope["method"], getattr(scope.get("route"), "path", "(none)"), code)


def _loggable(path: str) -> str:
    """The path without the secret of a tracking link: who reads logs must not get to read progress pages."""
    return _TRACKING.sub("/t/***", path)


def too_large(limit: int) -> Problem:
    return Problem(413, "body_too_large", extra={"limit": limit})


class BodyTooLarge(HTTPException):
    """More bytes than allowed arrived while the application was reading."""

    def __init__(self, limit: int) -> None:
        super().__init__(413, detail="body_too_large")
        self.limit = limit


def _capped(receive: Receive, limit: int) -> Receive:
    taken = 0

    async def counting() -> Message:
        nonlocal taken
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > limit:
                raise BodyTooLarge(limit)
        return message

    return counting

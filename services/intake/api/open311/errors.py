"""Below /open311/ every refusal speaks the standard's language: a list of code and description, in the format asked.

What the service says as a problem (RFC 9457) is said again here, wherever it came from: a route, the framework, the
edge. The standard knows 404 for what is not there, 403 for a missing or wrong key and 400 for the rest; an answer that
tells a client to come back later (429, 503) keeps its own status, and so do a wrong method and faults of ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas.api.open311 import ErrorOut
from services.chassis.asgi.problem import PROBLEM_TYPE
from services.intake.usecases.open311.wire import MEDIA, Document

PREFIX: Final = "/open311/"
_STATUS: Final = {401: 403, 409: 400, 413: 400, 415: 400, 422: 400}
_REWRITTEN: Final = frozenset({b"content-type", b"content-length"})


class Open311Errors:
    """ASGI middleware around everything else; other paths pass untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        form = "xml" if scope["path"].endswith(".xml") else "json"
        await self._app(scope, receive, _Rewriting(send, form))


class _Rewriting:
    """Holds back a problem until it is whole, then sends it in the standard's words."""

    def __init__(self, send: Send, form: str) -> None:
        self._send = send
        self._form = form
        self._start: Message | None = None
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_problem(message):
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._told(self._start)

    async def _told(self, start: Message) -> None:
        status = _STATUS.get(start["status"], start["status"])
        errors = [ErrorOut(code=status, description=words) for words in descriptions(json.loads(self._body))]
        body = Document("errors", errors).written(self._form)
        kept = [header for header in start["headers"] if header[0].lower() not in _REWRITTEN]
        media, length = MEDIA[self._form].encode(), str(len(body)).encode()
        headers = [*kept, (b"content-type", media), (b"content-length", length)]
        await self._send({**start, "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


def _is_problem(message: Message) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(PROBLEM_TYPE.encode())
        for name, value in message.get("headers", ())
    )


def descriptions(problem: dict[str, Any]) -> Iterator[str]:
    """One sentence for each field at fault, with its name; else one for the whole."""
    for error in problem.get("errors") or ():
        yield f"{error['field']}: {_sentence(error.get('message'), error.get('remedy'))}"
    if not problem.get("errors"):
        yield _sentence(problem.get("title"), problem.get("detail"))


def _sentence(what: str | None, remedy: str | None) -> str:
    if not what or not remedy:
        return what or remedy or ""
    return f"{what}. {remedy}" if what.isascii() else f"{what}。{remedy}"

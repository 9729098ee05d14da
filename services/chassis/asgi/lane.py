"""A lane of its own for the one request that must be quick: no framework between the edge and its answer.

The framework's route of the same path stays, with its description; it also answers whatever the lane does not take: a
body or header that is not as it should be is refused by the framework, in one and the same way. What both do with a
good request must be one function.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Answer = Callable[[Request, bytes], Awaitable[Response | None]]
Handlers = Mapping[Any, Callable[[Request, Any], Any]]


def open_lane(app: FastAPI, method: str, path: str, answer: Answer) -> None:
    """Within the edge, before everything else of `app`. `answer` gets the request and its whole body; None: the
    framework shall answer."""
    app.user_middleware.append(
        Middleware(_Lane, method=method, path=path, answer=answer, handlers=app.exception_handlers)
    )


class _Lane:
    """As a middleware; what it answers is counted and logged under its path."""

    def __init__(self, app: ASGIApp, *, method: str, path: str, answer: Answer, handlers: Handlers) -> None:
        self._app = app
        self._method = method
        self.path = path
        self._answer = answer
        self._handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != self.path or scope["method"] != self._method:
            await self._app(scope, receive, send)
            return
        scope["route"] = self
        request, body = Request(scope, receive), b""
        try:
            body = await _whole(receive)
            response = await self._answer(request, body)
        except Exception as error:  # as the framework has it: by the handler of its kind
            handle = next((self._handlers[kind] for kind in type(error).__mro__ if kind in self._handlers), None)
            if handle is None:
                raise
            response = await handle(request, error)
        if response is None:
            await self._app(scope, _again(body, receive), send)
        else:
            await response(scope, receive, send)


async def _whole(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HTTPException(400)  # nobody is left to read it
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _again(body: bytes, receive: Receive) -> Receive:
    """The body once more, then whatever else comes."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return left.pop() if left else await receive()

    return next_message

"""A lane of its own for the one request that must be quick: no search for the route, no solving of dependencies.

The framework's route of the same path stays, with its description; it also answers whatever the lane does not take: a
body or header that is not as it should be is refused by the framework, in one and the same way. What both do with a
good request must be one function.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.datastructures import URLPath
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Message, Receive, Scope, Send

Answer = Callable[[Request, bytes], Awaitable[Response | None]]
_PASSED = "grid.lane"


class Lane(BaseRoute):
    """Put it before all routes. `answer` gets the request and its whole body; None: the framework shall answer."""

    methods: frozenset[str] = frozenset()
    """What it answers is counted and described as the framework's route."""

    def __init__(self, method: str, path: str, answer: Answer) -> None:
        self._method = method
        self.path = path
        self._answer = answer

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http" or scope["path"] != self.path or scope["method"] != self._method:
            return Match.NONE, {}
        return (Match.NONE, {}) if _PASSED in scope else (Match.FULL, {"route": self})

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        raise NoMatchFound(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            raise HTTPException(400) from None  # as the framework has it; nobody is left to read it
        response = await self._answer(request, body)
        if response is not None:
            await response(scope, receive, send)
            return
        scope[_PASSED] = True
        await scope["router"].app(scope, _again(body, receive), send)


def _again(body: bytes, receive: Receive) -> Receive:
    """The body once more, then whatever else comes."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return left.pop() if left else await receive()

    return next_message

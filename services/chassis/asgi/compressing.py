"""Answers to reading requests in gzip: a phone on the street pays for bytes with seconds.

What writes passes untouched, so that a submitted report costs nothing more.
"""

from __future__ import annotations

from typing import Final

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

WORTH_IT: Final = 2048
"""Bytes; below it, packing takes longer than sending."""
_LEVEL: Final = 5


class CompressedReading:
    """For GET only; pictures, and files that the build has packed, go as they are."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._packed = GZipMiddleware(app, minimum_size=WORTH_IT, compresslevel=_LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reading = scope["type"] == "http" and scope["method"] == "GET"
        await (self._packed if reading else self._app)(scope, receive, send)

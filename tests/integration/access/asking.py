"""One request to an application, without a client between: its status, and the code of its problem."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from fastapi import FastAPI

HOST = "localhost"
ORIGIN = f"http://{HOST}"


@dataclass(frozen=True, slots=True)
class Call:
    """What is sent."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes

    @property
    def code(self) -> str | None:
        """Of a refusal."""
        try:
            return str(json.loads(self.body)["code"])
        except (ValueError, KeyError, TypeError):
            return None


async def ask(app: FastAPI, call: Call) -> Answer:
    """Until the application is done; a stream of events is left as soon as it begins."""
    parts = urlsplit(call.target)
    headers = {"host": HOST, "content-length": str(len(call.body)), **call.headers}
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": call.method,
        "scheme": "http",
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 40000),
        "server": (HOST, 80),
    }
    given = asyncio.Event()
    gone = asyncio.Event()
    status: list[int] = []
    body = bytearray()

    async def receive() -> MutableMapping[str, Any]:
        if not given.is_set():
            given.set()
            return {"type": "http.request", "body": call.body, "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            status.append(message["status"])
            if (b"content-type", b"text/event-stream; charset=utf-8") in message["headers"]:
                gone.set()
        else:
            body.extend(message.get("body", b""))
            if not message.get("more_body"):
                gone.set()

    await app(scope, receive, send)
    return Answer(status[0], bytes(body))

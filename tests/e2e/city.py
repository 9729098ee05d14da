"""The city platform's side: takes webhook deliveries, keeps all of them, verifies each signature."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt as it arrived; `answer` is the status it got."""

    headers: Mapping[str, str]
    raw: bytes
    answer: int

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.raw)
        return found

    @property
    def kind(self) -> str:
        return str(self.body["type"])

    @property
    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = self.body["data"]
        return found

    def signed_with(self, secret: str) -> bool:
        """Whether one of the signatures is right for the id, the time and the bytes. Its age is not looked at: the
        clock of a test database may run days ahead."""
        at = datetime.fromtimestamp(int(self.headers["webhook-timestamp"]), UTC)
        right = Webhook(secret).sign(self.id, at, self.raw.decode())
        return right in self.headers["webhook-signature"].split()


@dataclass
class City:
    """What arrived, oldest first. The first `unwell` attempts are refused with 503."""

    address: str = ""
    secret: str = ""
    unwell: int = 0
    attempts: list[Delivery] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, headers: Mapping[str, str], raw: bytes) -> int:
        with self.lock:
            status = 503 if self.unwell > 0 else 204
            self.unwell -= status == 503
            self.attempts.append(Delivery(headers, raw, status))
        return status

    def of(self, case_no: str) -> list[Delivery]:
        """What was taken about a case, each message once, in the order in which they first came.

        A message may come again under its id: delivery is at least once.
        """
        with self.lock:
            taken = [one for one in self.attempts if one.answer == 204]
        first = {one.id: one for one in reversed(taken) if one.data.get("case_no") == case_no}
        return [one for one in taken if first.get(one.id) is one]

    def kinds(self, case_no: str) -> list[tuple[str, str | None]]:
        """(type, intent) of what was taken about a case."""
        return [(one.kind, one.data.get("intent")) for one in self.of(case_no)]


@contextmanager
def platform() -> Iterator[City]:
    """A city platform that listens on a free port of loopback."""
    city = City()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(city.take({name.lower(): value for name, value in self.headers.items()}, raw))
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    city.address = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield city
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""A stand-in for dispatch behind the built console: ten thousand rows in one list, and as many changes as a test likes.

Only for what the page does with them; what the service tells has its own tests.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from services.chassis.asgi.policy import ContentPolicy, security_headers
from tests.e2e.phone.stand_in import MIME

STATIC = Path(__file__).parents[3] / "services" / "dispatch" / "static" / "console"
LIST = "to_dispatch"
POST = {"role": "DP", "area": "441802001", "unit": None, "label": "派遣员"}
PERSON = {
    "account_id": "a-1",
    "login": "paiqian",
    "name": "方派遣",
    "lang": "zh-CN",
    "posts": [POST],
    "rights": ["cases"],
    "sample": True,
    "desks": [],
}


@dataclass
class BusyStreet:
    """Its list, in order of the limits: one row each minute."""

    rows: int = 10_000
    noon: datetime = field(default_factory=lambda: datetime.now(UTC))
    listeners: list[queue.Queue[str]] = field(default_factory=list)
    came_from: list[str] = field(default_factory=list)
    """Where each listener wanted to go on from."""
    sequence: int = 0
    said: list[str] = field(default_factory=list)
    """Every event, in order: number n is at n - 1."""
    now: dict[int, dict[str, Any] | None] = field(default_factory=dict)
    """How the changed ones stand; None: not in the list any more."""
    away: bool = False
    """Whether only the proxy before it answers."""
    refused: int = 0

    def row(self, number: int, minutes: float | None = None) -> dict[str, Any]:
        due = self.noon + timedelta(minutes=number if minutes is None else minutes)
        limit = {"due_at": due.isoformat(), "started_at": self.noon.isoformat(), "basis": "wall", "budget_s": 86_400}
        return {
            "case_no": self.number(number),
            "version": 1,
            "sequence": self.sequence,
            "state": "filed",
            "stage": "coordination",
            "tier": "T2",
            "urgency": "U2",
            "summary": f"垃圾满溢，第 {number} 处",
            "category": {"code": "0110", "name": "垃圾满溢"},
            "address": "云溪一街",
            "owner_name": "派遣",
            "lead_unit": None,
            "due": limit,
            "reports": 1,
            "hand_overs": 2,
            "flags": [],
            "restricted": False,
            "opened_at": self.noon.isoformat(),
            "sample": True,
            "community": "云溪社区",
            "photo": None,
        }

    def number(self, number: int) -> str:
        return f"FC-20261122-{number:05d}"

    def change(self, number: int, *, minutes: float | None = None, stands: bool = True) -> None:
        """The case is another one now: its limit, or whether it stands in the list."""
        self.sequence += 1
        row = self.row(number, minutes)
        body = {"case_no": row["case_no"], "sequence": self.sequence, "version": 1, "row": row}
        self.now[number] = row if stands else None
        self.said.append(
            f"event: case.changed\nid: c{self.sequence}\n"
            f"data: {json.dumps({**body, 'queues': [LIST] if stands else []})}\n\n"
        )
        for each in self.listeners:
            each.put(self.said[-1])

    def missed(self, cursor: str) -> list[str]:
        """What was said after a cursor."""
        return self.said[int(cursor.removeprefix("c")) :]

    def standing(self) -> list[dict[str, Any]]:
        rows = (self.now.get(n) if n in self.now else self.row(n) for n in range(self.rows))
        return sorted((row for row in rows if row is not None), key=lambda row: row["due"]["due_at"])

    def cut(self) -> None:
        """Every line breaks."""
        while self.listeners:
            self.listeners.pop().put("")

    def answer(self, path: str) -> dict[str, Any] | None:
        """What the console asks at its beginning; anything else is not here."""
        count = {
            "id": LIST,
            "label": "待派遣",
            "group": "stage",
            "stage": "coordination",
            "overdue": 0,
            "oldest_at": None,
        }
        return {
            "/api/v1/session": PERSON,
            "/api/v1/queues": {
                "queues": [{**count, "overdue": 0, "oldest_at": None}],
                "cursor": f"c{self.sequence}",
            },
            "/api/v1/calendar": {"windows": []},
            f"/api/v1/queues/{LIST}": {
                "cursor": f"c{self.sequence}",
                "rows": self.standing(),
                "next": None,
            },
        }.get(path)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    street: BusyStreet

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Quiet."""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path.startswith("/api/") and self.street.away:
            self.street.refused += 1
            self._send(502, b"<h1>Bad Gateway</h1>", "text/html")
        elif path == "/api/v1/events":
            self._stream()
        elif path.startswith("/api/"):
            found = self.street.answer(path)
            body = found if found is not None else {"code": "not_found", "title": "不在这里"}
            self._send(200 if found is not None else 404, json.dumps(body).encode(), "application/json")
        else:
            file = STATIC / path.removeprefix("/console/")
            file = file if file.is_file() else STATIC / "index.html"
            self._send(200, file.read_bytes(), MIME.get(file.suffix, "application/octet-stream"))

    def _stream(self) -> None:
        told: queue.Queue[str] = queue.Queue()
        cursor = self.headers.get("last-event-id") or "c0"
        self.street.came_from.append(cursor)
        for word in self.street.missed(cursor):
            told.put(word)
        self.street.listeners.append(told)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            while word := told.get():
                self.wfile.write(word.encode())
                self.wfile.flush()
        except OSError:
            if told in self.street.listeners:
                self.street.listeners.remove(told)

    def _send(self, status: int, body: bytes, mime: str) -> None:
        self.send_response(status)
        self.send_header("content-type", mime)
        self.send_header("content-length", str(len(body)))
        for name, policy in security_headers(ContentPolicy()):
            self.send_header(name.decode(), policy.decode())
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serve(street: BusyStreet) -> Iterator[str]:
    """The address of a console over this street."""
    handler = type("Handler", (_Handler,), {"street": street})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/console/"
    finally:
        for each in street.listeners:
            each.put("")
        server.shutdown()
        server.server_close()
        thread.join()

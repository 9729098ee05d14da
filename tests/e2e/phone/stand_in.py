"""A stand-in for intake that the built phone form can talk to: real headers and policy, answers from memory.

Only for tests of the page itself (offline, taps, policy, layout); the walk through the real services has its own tests.
"""

from __future__ import annotations

import json
import math
import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from services.chassis.asgi.policy import ContentPolicy, security_headers

STATIC = Path(
    os.environ.get("GRID_INTAKE_WEB_ROOT") or Path(__file__).parents[3] / "services" / "intake" / "static" / "m"
)
MIME = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
HERE = (113.0622, 23.6913)
TILES = {
    "litter": "垃圾保洁",
    "road": "道路井盖",
    "light": "路灯照明",
    "stall": "摆摊占道",
    "parking": "停车秩序",
    "construction": "施工违建",
    "danger": "安全隐患",
    "dispute": "纠纷求助",
}
CLASSES = {
    "litter": ("暴露垃圾", "积存垃圾渣土", "道路不洁", "垃圾满溢"),
    "road": ("路面破损", "井盖缺失", "人行道破损"),
    "light": ("路灯不亮",),
    "stall": ("占道经营", "店外经营", "流动摊贩"),
    "parking": ("机动车乱停放", "非机动车乱停放"),
    "construction": ("违法搭建", "施工扰民"),
    "danger": ("消防通道堵塞", "高空坠物隐患"),
    "dispute": ("邻里纠纷", "困难求助"),
}
PLACES = (
    ("凤城花园", "FCHY"),
    ("凤城花园东门", "FCHYDM"),
    ("北江路与凤翔路口", "BJLYFXLK"),
    ("利民市场", "LMSC"),
    ("凤城小学", "FCXX"),
    ("金碧苑3栋", "JBY3D"),
)
POST = {"role": "GW", "area": "44180200100101", "unit": None, "label": "东门社区第一网格 网格员"}
PERSON = {
    "account_id": "a-1",
    "login": "wangge01",
    "name": "陈晓明",
    "lang": "zh-CN",
    "posts": [POST],
    "sample": True,
    "desks": ["branch"],
}


def _hexagon(row: int, column: int) -> list[list[float]]:
    """A made-up cell, about 200 m wide."""
    lng = HERE[0] + (column - 1.5) * 0.0031 + (0.00155 if row % 2 else 0)
    lat = HERE[1] + (row - 1.5) * 0.0025
    corners = [math.radians(60 * i + 30) for i in range(7)]
    return [[round(lng + 0.00179 * math.cos(a), 6), round(lat + 0.00166 * math.sin(a), 6)] for a in corners]


def _form() -> dict[str, Any]:
    cells = [
        {
            "type": "Feature",
            "properties": {
                "code": f"44180200100{row + 1}{1 if column in {1, 2} else 2:02d}{column}",
                "name": f"{'一二三四'[row]}网格{column + 1}号",
            },
            "geometry": {"type": "Polygon", "coordinates": [_hexagon(row, column)]},
        }
        for row in range(4)
        for column in range(4)
    ]
    return {
        "rulebook": "r1",
        "tiles": [{"id": key, "name": name} for key, name in TILES.items()],
        "categories": [
            {"scheme": "fengcheng", "version": "1", "code": f"{tile}-{i}", "name": name, "tile": tile}
            for tile, names in CLASSES.items()
            for i, name in enumerate(names)
        ],
        "cells": {"type": "FeatureCollection", "features": cells},
        "sources": [],
        "sample": True,
        "me": {"grid": "44180200100201", "community": "441802001002"},
    }


def _places() -> list[dict[str, Any]]:
    return [
        {
            "id": f"p{i}",
            "name": name,
            "kind": "estate",
            "cell": "441802001002012",
            "lng": HERE[0] + 0.0004 * i,
            "lat": HERE[1] - 0.0003 * i,
            "initials": initials,
        }
        for i, (name, initials) in enumerate(PLACES)
    ]


@dataclass
class Intake:
    """What has arrived, and how the stand-in shall behave."""

    signed_in: bool = True
    similar: bool = False
    refuse: dict[str, Any] | None = None
    person: dict[str, Any] = field(default_factory=lambda: dict(PERSON))
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)  # by idempotency key
    photos: dict[str, bytes] = field(default_factory=dict)
    static: Path = STATIC
    missing: set[str] = field(default_factory=set)
    """Files of the page that cannot be had now."""
    trouble: list[str] = field(default_factory=list)
    """What happens to the next reports and photos, one each: `cut`, `502`, `lost` once it is done, or `out`: the
    sign-in has ended."""
    calls: list[str] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    deeds: dict[str, dict[str, Any]] = field(default_factory=dict)  # by idempotency key

    def accept(self, key: str, body: dict[str, Any]) -> dict[str, Any]:
        if key not in self.reports:
            n = len(self.reports) + 1
            now = datetime.now(UTC)
            self.reports[key] = {
                "body": body,
                "answer": {
                    "id": f"r{n}",
                    "receipt_no": f"FC20261122{n:05d}",
                    "case_no": None,
                    "due_at": (now + timedelta(minutes=30)).isoformat(),
                    "track_url": f"/t/token{n}",
                    "created_at": now.isoformat(),
                },
            }
        return dict(self.reports[key]["answer"])


def sample_rows() -> list[dict[str, Any]]:
    """Three reports at different steps, one of which skipped one."""
    now = datetime.now(UTC)

    def row(n: int, text: str, state: str, stage: str, hours: int, skipped: list[dict[str, str]]) -> dict[str, Any]:
        return {
            "id": f"r{n}",
            "receipt_no": f"FC20261121{n:05d}",
            "case_no": f"A20261121{n:04d}",
            "state": state,
            "stage": stage,
            "skipped": skipped,
            "text": text,
            "created_at": (now - timedelta(hours=hours)).isoformat(),
            "due_at": (now + timedelta(hours=5)).isoformat(),
        }

    return [
        row(1, "利民市场门口垃圾桶满溢，污水流到人行道", "handling", "disposal", 3, []),
        row(
            2,
            "北江路口窨井盖缺失，已放置警示锥",
            "dispatched",
            "response",
            8,
            [{"stage": "community_call", "why": "direct"}],
        ),
        row(3, "凤城花园东门共享单车堵塞通道，已挪开", "closed", "closing", 30, [
            {"stage": s, "why": "grid"} for s in ("community_call", "coordination", "response", "disposal")
        ]),
    ]  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    intake: Intake

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Quiet: the test reads `calls`."""

    def do_GET(self) -> None:
        self._route("GET")

    def do_POST(self) -> None:
        self._route("POST")

    def do_PUT(self) -> None:
        self._route("PUT")

    def do_HEAD(self) -> None:
        self._route("HEAD")

    def do_DELETE(self) -> None:
        self._route("DELETE")

    def _route(self, method: str) -> None:
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if not url.path.startswith("/api/"):
            self._file(url.path)
            return
        self.intake.calls.append(f"{method} {url.path}")
        sending = (url.path == "/api/v1/reports" and method == "POST") or "/photos/" in url.path
        fault = self.intake.trouble.pop(0) if sending and self.intake.trouble else ""
        if fault == "out":
            self.intake.signed_in = False
        if fault == "502":
            self._send(502, b"<html><h1>502 Bad Gateway</h1></html>", "text/html")
            return
        if "/photos/" in url.path and self.intake.signed_in:
            self._photo(method, url.path.rsplit("/", 1)[1], body, fault)
            return
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        status, answer = self._answer(method, url.path, query, body)
        told = json.dumps(answer).encode() if answer is not None else b""
        self._send(status, told, "application/json", fault=fault)

    def _photo(self, method: str, photo: str, body: bytes, fault: str) -> None:
        """Bytes from an offset on, and how many are here then."""
        named = [one for each in self.intake.reports.values() for one in each["body"]["photos"]]
        wanted = next(one["bytes"] for one in named if one["id"] == photo)
        here = self.intake.photos.get(photo, b"")
        if method == "PUT":
            start = int(re.findall(r"\d+", self.headers.get("content-range") or "0")[0])
            here = self.intake.photos[photo] = here[:start] + body
        headers = {"upload-offset": str(len(here)), "upload-complete": "?1" if len(here) == wanted else "?0"}
        self._send(200, b"{}" if method == "PUT" else b"", "application/json", headers, fault)

    def _answer(self, method: str, path: str, query: dict[str, str], body: bytes) -> tuple[int, Any]:
        intake = self.intake
        if path == "/api/v1/session":
            return self._session(method, json.loads(body) if body else {})
        if not intake.signed_in:
            return 401, {"code": "not_signed_in", "title": "请先登录"}
        if method == "POST" and path == "/api/v1/reports":
            if intake.refuse is not None:
                return 422, intake.refuse
            return 201, intake.accept(self.headers["idempotency-key"], json.loads(body))
        if method == "POST" and path == "/api/v1/good-deeds":
            note = {"id": f"n{len(intake.deeds) + 1}", "mine": True, "told_at": datetime.now(UTC).isoformat()}
            return 201, intake.deeds.setdefault(self.headers["idempotency-key"], {**note, **json.loads(body)})
        return 200, self._read(path, query)

    def _session(self, method: str, body: dict[str, str]) -> tuple[int, Any]:
        intake = self.intake
        if method == "POST":
            if body.get("password") != "fengcheng-2026":
                return 401, {"code": "wrong_password", "title": "账号或密码不正确"}
            intake.signed_in = True
        if method == "DELETE":
            intake.signed_in = False
            return 204, None
        return (200, intake.person) if intake.signed_in else (401, {"code": "not_signed_in", "title": "请先登录"})

    def _read(self, path: str, query: dict[str, str]) -> Any:
        intake = self.intake
        if path == "/api/v1/form":
            return _form()
        if path == "/api/v1/places":
            wanted = query.get("q", "").upper()
            return {"places": [one for one in _places() if wanted in one["name"] or wanted in one["initials"]]}
        if path == "/api/v1/duplicates":
            return {"items": self._similar()}
        if path == "/api/v1/reports":
            return {"items": intake.rows, "next": None}
        if path == "/api/v1/good-deeds":
            notes = [*reversed(intake.deeds.values())] if query.get("mine") == "true" else []
            return {"items": notes, "next": None}
        row = next((one for one in intake.rows if path.endswith(f"/{one['id']}")), None) or intake.rows[0]
        more = {
            "category_name": "垃圾满溢",
            "nature": "complaint",
            "place_words": "利民市场，北门东侧 10 米",
            "danger": False,
            "photos": [],
            "track_url": "/t/token1",
            "pending": None,
            "actions": [{"action": "urge", "label": "催办"}, {"action": "withdraw", "label": "撤销上报"}],
        }
        return {**row, **more}

    def _similar(self) -> list[dict[str, Any]]:
        if not self.intake.similar:
            return []
        return [
            {
                "case_no": f"A2026112200{n}",
                "category_name": name,
                "stage": "disposal",
                "state": "handling",
                "distance_m": n * 12,
                "opened_at": (datetime.now(UTC) - timedelta(hours=n)).isoformat(),
            }
            for n, name in ((1, "垃圾满溢"), (2, "暴露垃圾"))
        ]

    def _file(self, path: str) -> None:
        name = path.removeprefix("/m/")
        target = self.intake.static / name
        if name in self.intake.missing or ("." in name and not target.is_file()):
            self._send(404, b"", "text/plain")
            return
        if not target.is_file():
            target = self.intake.static / "index.html"
        self._send(200, target.read_bytes(), MIME.get(target.suffix, "application/octet-stream"))

    def _send(
        self, status: int, body: bytes, mime: str, more: Mapping[str, str] | None = None, fault: str = ""
    ) -> None:
        if fault == "lost":
            self.close_connection = True
            return
        problem = status >= 400 and mime == "application/json"
        self.send_response(status)
        self.send_header("content-type", "application/problem+json" if problem else mime)
        self.send_header("content-length", str(len(body)))
        for own, value in (more or {}).items():
            self.send_header(own, value)
        for name, policy in security_headers(ContentPolicy()):
            self.send_header(name.decode(), policy.decode())
        self.end_headers()
        if fault == "cut":
            self.close_connection = True
            body = body[: len(body) // 2]
        self.wfile.write(body)


@contextmanager
def serve(intake: Intake, port: int = 0) -> Iterator[str]:
    """Serve the built form on a free port of this machine; gives its address."""
    handler = type("Handler", (_Handler,), {"intake": intake})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""What every service answers in the same way, driven through a small application without sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel, Field
from sqlalchemy.exc import OperationalError, ProgrammingError

from schemas.labels import Labels
from services.chassis.asgi import (
    CompressedReading,
    ContentPolicy,
    EdgeRules,
    Missing,
    Problem,
    ReadyCheck,
    create_app,
    mount_spa,
)
from services.chassis.ids import SystemIds
from services.chassis.settings import HttpSettings
from services.governance.cycle import Action, State
from services.governance.errors import IllegalTransition, MissingInput, NotPermitted

pytestmark = pytest.mark.anyio
ORIGIN = "http://127.0.0.1:8002"
LIMIT = 200


class Thing(BaseModel):
    name: str = Field(max_length=3)


class Fault(Exception):
    """Something nobody foresaw."""


class _DriverDown(Exception):
    pass


def _routes() -> APIRouter:
    router = APIRouter()

    @router.post("/api/v1/things/{number}")
    async def make(number: int, body: Thing) -> dict[str, str]:
        return {"made": f"{number} {body.name}"}

    @router.post("/api/v1/raw")
    async def raw(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    @router.put("/api/v1/photos/1")
    async def photo(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    @router.get("/api/v1/fails/{how}")
    async def fails(how: str) -> None:
        raise {
            "illegal": IllegalTransition(State.DISPATCHED, Action.CLOSE, [Action.SIGN, Action.RESPOND]),
            "forbidden": NotPermitted(Action.FILE),
            "empty": MissingInput("reason"),
            "down": OperationalError("SELECT 1", {}, _psycopg_down()),
            "bug": ProgrammingError("SELECT name FROM secret_table", {}, _DriverDown("no such table")),
            "fault": Fault("a secret detail"),
            "own": Problem(418, "teapot", "I am a teapot", extra={"cups": 3}),
        }[how]

    return router


def _psycopg_down() -> Exception:
    import psycopg

    return psycopg.OperationalError("connection refused")


def build(rules: EdgeRules | None = None, checks: tuple[ReadyCheck, ...] = ()) -> FastAPI:
    app = create_app("test", HttpSettings(), checks, ids=SystemIds(), rules=rules or EdgeRules(body_limit=LIMIT))
    app.include_router(_routes())
    return app


def client_of(app: FastAPI, base: str = ORIGIN) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(build()) as made:
        yield made


async def test_a_process_that_runs_is_alive_even_when_it_cannot_work() -> None:
    async def no_kafka() -> None:
        raise Missing("Kafka does not accept connections")

    async def hidden() -> None:
        raise ConnectionError("postgresql://user:secret@host")

    async def fine() -> None:
        return None

    checks = (ReadyCheck("database", fine), ReadyCheck("kafka", no_kafka), ReadyCheck("other", hidden))
    async with client_of(build(checks=checks)) as client:
        assert (await client.get("/healthz")).status_code == 200
        ready = await client.get("/readyz")
    assert ready.status_code == 503
    assert [check["ok"] for check in ready.json()["checks"]] == [True, False, False]
    assert ready.json()["checks"][1]["missing"] == "Kafka does not accept connections"
    assert "secret" not in ready.text


async def test_ready_when_nothing_is_missing(client: httpx.AsyncClient) -> None:
    assert (await client.get("/readyz")).json() == {"ready": True, "checks": []}


async def test_every_answer_carries_policy_and_request_id(client: httpx.AsyncClient) -> None:
    for path in ("/healthz", "/api/v1/fails/fault", "/nothing-here"):
        headers = (await client.get(path)).headers
        assert headers["content-security-policy"] == (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
            "font-src 'self' data:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'"
        )
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert len(headers["x-request-id"]) >= 8
        assert "strict-transport-security" not in headers


async def test_https_adds_strict_transport_security() -> None:
    async with client_of(build(), "https://grid.example") as client:
        assert "max-age" in (await client.get("/healthz")).headers["strict-transport-security"]


async def test_configuration_only_adds_to_the_policy() -> None:
    policy = ContentPolicy(images=("https://tiles.example",), frame_ancestors=("https://portal.example",))
    async with client_of(build(EdgeRules(policy=policy))) as client:
        headers = (await client.get("/healthz")).headers
    assert "img-src 'self' data: blob: https://tiles.example;" in headers["content-security-policy"]
    assert headers["content-security-policy"].endswith("frame-ancestors https://portal.example")
    assert "x-frame-options" not in headers


@pytest.mark.parametrize(
    ("given", "kept"), [("abcdef-123456", True), ("short", False), ("x" * 80, False), ("a\tb" * 5, False)]
)
async def test_a_harmless_request_id_is_kept(client: httpx.AsyncClient, given: str, kept: bool) -> None:
    answered = (await client.get("/healthz", headers={"x-request-id": given})).headers["x-request-id"]
    assert (answered == given) is kept


async def test_wrong_fields_are_named_with_words_and_remedy(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v1/things/1", json={"name": "too long"}, headers={"accept-language": "zh-CN"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["code"], body["status"], body["title"]) == ("invalid_input", 422, "填写的内容有误")
    assert body["errors"] == [
        {"field": "name", "code": "string_too_long", "message": "最多 3 个字符", "remedy": "请精简"}
    ]
    assert "too long" not in answer.text, "what was typed is not echoed"
    missing = (await client.post("/api/v1/things/x", json={}, headers={"accept-language": "en"})).json()
    assert [error["field"] for error in missing["errors"]] == ["number", "name"]
    assert missing["title"] == Labels("en-US").text("problem.invalid_input")


async def test_refusals_of_the_rules_have_their_status_and_say_what_is_possible(client: httpx.AsyncClient) -> None:
    illegal = await client.get("/api/v1/fails/illegal", headers={"accept-language": "zh-CN,zh;q=0.9"})
    assert illegal.status_code == 409
    body = illegal.json()
    assert (body["code"], body["state"], body["action"]) == ("illegal_transition", "dispatched", "close")
    assert body["allowed"] == ["sign", "respond"]
    assert body["detail"] == "当前为“已派遣待响应”，不能结案；可进行：签收、到场响应"
    assert (await client.get("/api/v1/fails/forbidden")).status_code == 403
    empty = await client.get("/api/v1/fails/empty", headers={"accept-language": "zh-CN"})
    assert (empty.status_code, empty.json()["code"], empty.json()["field"]) == (422, "missing_input", "reason")
    assert empty.json()["detail"] == "请填写“原因”后再提交"


async def test_database_away_is_503_with_retry_after(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/fails/down")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("how", ["fault", "bug"])
async def test_faults_are_500_and_tell_nothing(client: httpx.AsyncClient, how: str) -> None:
    answer = await client.get(f"/api/v1/fails/{how}")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret" not in answer.text
    assert answer.json()["instance"] == f"urn:request:{answer.headers['x-request-id']}"


async def test_problems_of_our_own_keep_their_members(client: httpx.AsyncClient) -> None:
    body = (await client.get("/api/v1/fails/own")).json()
    assert (body["status"], body["code"], body["title"], body["cups"]) == (418, "teapot", "I am a teapot", 3)


async def test_unknown_paths_and_methods_are_problems_too(client: httpx.AsyncClient) -> None:
    assert (await client.get("/nothing-here")).json()["code"] == "not_found"
    wrong = await client.get("/api/v1/raw")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")


async def test_bodies_over_the_cap_are_refused_announced_or_not(client: httpx.AsyncClient) -> None:
    async def creeping() -> AsyncIterator[bytes]:
        for _ in range(LIMIT):
            yield b"xx"

    announced = await client.post("/api/v1/raw", content=b"x" * (LIMIT + 1))
    assert (announced.status_code, announced.json()["code"]) == (413, "body_too_large")
    assert (await client.post("/api/v1/raw", content=creeping())).status_code == 413
    as_json = await client.post("/api/v1/things/1", content=creeping(), headers={"content-type": "application/json"})
    assert as_json.status_code == 413
    assert (await client.post("/api/v1/raw", content=b"x" * LIMIT)).json() == {"bytes": LIMIT}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:8001"}, 403),
        ({"origin": ORIGIN}, 200),
        ({"origin": "http://evil.example", "authorization": "Bearer x"}, 200),
    ],
)
async def test_acts_with_a_cookie_need_our_own_origin(
    client: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    with_cookie = {"cookie": "theme=dark; sid=abc", **headers}
    assert (await client.post("/api/v1/things/1", json={"name": "a"}, headers=with_cookie)).status_code == status


async def test_acts_with_a_cookie_are_json_only_but_uploads_by_put_are_not(client: httpx.AsyncClient) -> None:
    own = {"cookie": "sid=abc", "origin": ORIGIN}
    for media in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        answer = await client.post("/api/v1/raw", content=b"a=1", headers={**own, "content-type": media})
        assert (answer.status_code, answer.json()["code"]) == (415, "json_only")
    photo = {**own, "content-type": "image/jpeg"}
    assert (await client.put("/api/v1/photos/1", content=b"jpeg", headers=photo)).status_code == 200
    assert (await client.post("/api/v1/raw", content=b"jpeg", headers=photo)).status_code == 415


async def test_reading_needs_no_origin(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz", headers={"cookie": "sid=abc", "origin": "http://evil.example"})).is_success


async def test_api_answers_are_not_cached(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/v1/fails/own")).headers["cache-control"] == "no-store"


async def test_metrics_count_requests_by_route_not_by_path(client: httpx.AsyncClient) -> None:
    await client.post("/api/v1/things/77", json={"name": "a"})
    text = (await client.get("/metrics")).text
    counted = 'grid_http_request_seconds_count{method="POST",route="/api/v1/things/{number}",status="200"} 1.0'
    assert counted in text
    assert "things/77" not in text


async def test_a_service_s_own_routes_are_tried_first_once_it_runs() -> None:
    app = build()
    async with app.router.lifespan_context(app), client_of(app) as client:
        assert (await client.post("/api/v1/things/1", json={"name": "a"})).status_code == 200
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/docs")).status_code == 200
    ours = [id(route) in app.state.chassis_routes for route in app.router.routes]
    assert ours == sorted(ours)


async def test_docs_stand_alone_and_list_every_operation(client: httpx.AsyncClient) -> None:
    page = (await client.get("/docs")).text
    assert "http://" not in page
    assert "https://" not in page
    assert "<script" not in page
    assert "style=" not in page
    for path in (await client.get("/openapi.json")).json()["paths"]:
        assert path in page
    assert (await client.get("/docs/docs.css")).headers["content-type"].startswith("text/css")


async def test_a_missing_front_end_says_so_in_words(tmp_path: Path) -> None:
    app = build()
    mount_spa(app, "/console/", tmp_path / "static")
    async with client_of(app) as client:
        answer = await client.get("/console/cases/1")
    assert answer.status_code == 503
    assert "make web" in answer.text
    assert "尚未构建" in answer.text


async def test_a_built_front_end_is_served_with_fallback_and_cache_rules(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<p>shell</p>")
    (tmp_path / "sw.js").write_text("//")
    (tmp_path / "assets" / "app-B3x9_fQz.js").write_text("1")
    app = build()
    mount_spa(app, "/console/", tmp_path)
    async with client_of(app) as client:
        for path in ("/console/", "/console/cases/GD-1", "/console/index.html"):
            page = await client.get(path)
            assert (page.text, page.headers["cache-control"]) == ("<p>shell</p>", "no-cache")
        asset = await client.get("/console/assets/app-B3x9_fQz.js")
        assert "immutable" in asset.headers["cache-control"]
        assert (await client.get("/console/sw.js")).headers["cache-control"] == "no-cache"
        assert (await client.get("/console/assets/gone-12345678.js")).status_code == 404
        assert (await client.get("/console/..%2f..%2fetc/passwd.txt")).status_code == 404


@pytest.mark.parametrize(
    ("asked", "coding", "body"),
    [("gzip, deflate, br", "br", b"small"), ("gzip", "gzip", b"smaller"), ("identity", None, b"let a = 1")],
)
async def test_a_built_file_is_sent_in_the_smallest_form_that_the_browser_takes(
    tmp_path: Path, asked: str, coding: str | None, body: bytes
) -> None:
    (tmp_path / "index.html").write_text("<p>shell</p>")
    app_js = tmp_path / "app-B3x9_fQz.js"
    app_js.write_bytes(b"let a = 1")
    app_js.with_name(f"{app_js.name}.br").write_bytes(b"small")
    app_js.with_name(f"{app_js.name}.gz").write_bytes(b"smaller")
    app = build()
    mount_spa(app, "/m/", tmp_path)
    async with (
        client_of(app) as client,
        client.stream("GET", f"/m/{app_js.name}", headers={"accept-encoding": asked}) as answer,
    ):
        assert b"".join([piece async for piece in answer.aiter_raw()]) == body
    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["vary"].lower() == "accept-encoding"
    assert "immutable" in answer.headers["cache-control"]


async def test_long_answers_to_reading_are_packed_and_nothing_else() -> None:
    app = build()
    app.add_middleware(CompressedReading)

    @app.get("/long")
    async def long() -> list[str]:
        return ["一处"] * 1000

    async with client_of(app) as client:
        packed = await client.get("/long")
        assert (packed.headers["content-encoding"], packed.json()[-1]) == ("gzip", "一处")
        assert int(packed.headers["content-length"]) < 500
        plain = await client.get("/long", headers={"accept-encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert "content-encoding" not in (await client.get("/healthz")).headers
        written = await client.post("/api/v1/things/1", json={"name": "a"}, headers={"origin": ORIGIN})
        assert "content-encoding" not in written.headers
        assert "vary" not in written.headers

"""The lane answers a good request; whatever else comes gets the framework's answer, as if there were no lane."""

from __future__ import annotations

from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI, Header, Request, Response
from pydantic import BaseModel, ValidationError

from services.chassis.asgi import EdgeRules, Problem, create_app, open_lane
from services.chassis.ids import SystemIds
from services.chassis.settings import HttpSettings

pytestmark = pytest.mark.anyio
PATH = "/api/v1/things"
LIMIT = 300


class Thing(BaseModel):
    name: str


def build(*, lane: bool) -> FastAPI:
    app = create_app("test", HttpSettings(), (), ids=SystemIds(), rules=EdgeRules(body_limit=LIMIT))

    def made(thing: Thing, key: str | None) -> Response:
        if thing.name == "teapot":
            raise Problem(418, "teapot", "I am a teapot")
        return Response(f'{{"made":"{thing.name} {key}"}}', 201, media_type="application/json")

    @app.post(PATH, status_code=201)
    async def slowly(body: Thing, key: Annotated[str | None, Header(alias="Key")] = None) -> Response:
        response = made(body, key)
        response.headers["way"] = "framework"
        return response

    async def quickly(request: Request, raw: bytes) -> Response | None:
        try:
            thing = Thing.model_validate_json(raw)
        except ValidationError:
            return None
        return made(thing, request.headers.get("key"))

    if lane:
        open_lane(app, "POST", PATH, quickly)
    return app


def client_of(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8001")


async def test_a_good_request_goes_through_the_lane_and_is_counted_under_its_path() -> None:
    async with client_of(build(lane=True)) as client:
        answer = await client.post(PATH, json={"name": "a"}, headers={"key": "k"})
        counted = (await client.get("/metrics")).text
    assert (answer.status_code, answer.json()) == (201, {"made": "a k"})
    assert "way" not in answer.headers
    assert f'grid_http_request_seconds_count{{method="POST",route="{PATH}",status="201"}} 1.0' in counted


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"name": 1}', b'{"name": "teapot"}', b'"\xff"', b'{"name": "' + b"x" * LIMIT + b'"}'],
)
async def test_every_other_request_is_refused_as_without_a_lane(content: bytes) -> None:
    answers = []
    for lane in (True, False):
        async with client_of(build(lane=lane)) as client:
            headers = {"content-type": "application/json", "x-request-id": "12345678"}
            answers.append(await client.post(PATH, content=content, headers=headers))
    assert answers[0].status_code >= 400
    assert (answers[0].status_code, answers[0].json()) == (answers[1].status_code, answers[1].json())


async def test_other_methods_and_paths_do_not_meet_it() -> None:
    async with client_of(build(lane=True)) as client:
        assert (await client.get(PATH)).status_code == 405
        assert (await client.post(PATH + "/1", json={})).status_code == 404


def test_it_is_described_once() -> None:
    with_lane, without = (build(lane=lane).openapi() for lane in (True, False))
    assert with_lane == without

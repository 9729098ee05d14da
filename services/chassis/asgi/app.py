"""The FastAPI factory: what every service answers in the same way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import FastAPI

from services.chassis.asgi.docs import docs_router
from services.chassis.asgi.edge import Edge, EdgeRules
from services.chassis.asgi.errors import install_error_handlers
from services.chassis.asgi.probes import ReadyCheck, probe_router
from services.chassis.asgi.problem import PROBLEM_TYPE, ProblemBody
from services.chassis.asgi.wording import LANGUAGES, Wording, Words
from services.chassis.ids import IdSource
from services.chassis.settings import HttpSettings
from services.chassis.telemetry import Metrics

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

_PROBLEMS: dict[int | str, dict[str, object]] = {
    "4XX": {"model": ProblemBody, "description": "Refused: RFC 9457 problem with a stable `code`"},
    "5XX": {"model": ProblemBody, "description": "Failed: RFC 9457 problem"},
}


class _Described(FastAPI):
    """Describes refusals in the media type they come in; the framework knows only that of the other answers."""

    def openapi(self) -> dict[str, Any]:
        fresh = self.openapi_schema is None
        described = super().openapi()
        if fresh:
            for answer in _answers(described):
                content = answer.get("content", {})
                for media in [media for media in content if _is_problem(content[media])]:
                    content[PROBLEM_TYPE] = content.pop(media)
        return described


def _is_problem(body: Mapping[str, Any]) -> bool:
    return str(body.get("schema", {}).get("$ref", "")).endswith("/ProblemBody")


def _answers(described: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for item in described["paths"].values():
        for operation in item.values():
            yield from operation["responses"].values()


def create_app(
    name: str,
    settings: HttpSettings,
    checks: Sequence[ReadyCheck],
    *,
    ids: IdSource,
    metrics: Metrics | None = None,
    rules: EdgeRules | None = None,
    wording: Wording | None = None,
    lifespan: Lifespan | None = None,
    version: str = "1",
) -> FastAPI:
    """An application with probes, documentation, problems, and the edge around it; opens nothing by itself."""
    metrics = metrics or Metrics(name)
    wording = wording or Wording(_word_lists())
    app = _Described(
        title=f"grid {name}",
        version=version,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        lifespan=_own_routes_last(lifespan or _nothing),
        responses=_PROBLEMS,
        separate_input_output_schemas=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # ours tell without what people wrote
    )
    app.state.service = name
    app.state.http = settings
    app.state.metrics = metrics
    app.state.wording = wording
    install_error_handlers(app, wording)
    app.include_router(probe_router(checks, metrics))
    app.include_router(docs_router(app))
    app.state.chassis_routes = frozenset(id(route) for route in app.router.routes)
    app.add_middleware(Edge, rules=rules or EdgeRules(), metrics=metrics, ids=ids, wording=wording)
    return app


def _word_lists() -> Mapping[str, Words]:
    from schemas.labels import Labels

    return {lang: Labels(lang) for lang in LANGUAGES}


def _own_routes_last(lifespan: Lifespan) -> Lifespan:
    """Routes are tried one by one, some microseconds each: a service's own come before probes and documentation."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        ours = app.state.chassis_routes
        app.router.routes.sort(key=lambda route: id(route) in ours)
        async with lifespan(app):
            yield

    return life


@asynccontextmanager
async def _nothing(_: FastAPI) -> AsyncIterator[None]:
    yield

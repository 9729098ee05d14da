"""Every route of an application, as its table of rows names them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import FastAPI
from starlette.routing import BaseRoute, Mount


def routes_of(app: FastAPI) -> Iterator[str]:
    """'GET /api/v1/cases/{case_no}'; a folder of pages is 'GET /console/'. HEAD counts where GET does not."""
    yield from _walk(app.router.routes)


def _walk(routes: Iterable[BaseRoute]) -> Iterator[str]:
    each: Iterable[Any] = routes  # a router that was included is told by what only it has
    for route in each:
        if (included := getattr(route, "original_router", None)) is not None:
            assert not route.include_context.prefix, "the prefix of a router stands in the router"
            yield from _walk(included.routes)
        elif isinstance(route, Mount):
            yield f"GET {route.path}/"
        else:
            methods = set(route.methods)
            for method in sorted(methods - ({"HEAD"} if "GET" in methods else set())):
                yield f"{method} {route.path}"

"""The routes of the three services, from the applications themselves."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

from printers.asked import asked
from printers.tables import table

Description: TypeAlias = dict[str, Any]
SERVICES = (("intake", 8001), ("dispatch", 8002), ("escalation", 8003))
EVERYWHERE = ("/healthz", "/readyz", "/metrics", "/api/v1/session")
ORDER = ("get", "head", "post", "put", "patch", "delete")


def page() -> str:
    """One table of what all have, then one per service."""
    with ThreadPoolExecutor() as pool:
        answers = pool.map(lambda each: asked(each[0], "openapi"), SERVICES)
        told = {service: json.loads(answer) for (service, _), answer in zip(SERVICES, answers, strict=True)}
    parts = [
        "# HTTP",
        "",
        "Each service describes itself in full at `/openapi.json`, readable at `/docs` without any foreign script.",
        "Errors are `application/problem+json` with a stable [code](problems.md). Times carry an offset. Lists page by",
        "`?limit=&after=` and answer `next`. Unsafe requests take `Idempotency-Key`: a repeat gets the first answer.",
        "",
        "## Every service",
        "",
        table(("request", "does"), (row for row in _rows(told["intake"]) if _path(row) in EVERYWHERE)),
    ]
    for service, port in SERVICES:
        own = (row for row in _rows(told[service]) if _path(row) not in EVERYWHERE)
        parts += [f"## {service.capitalize()} :{port}", "", table(("request", "does"), own)]
    return "\n".join(parts)


def _rows(api: Description) -> list[tuple[str, str]]:
    paths: dict[str, dict[str, Any]] = api["paths"]
    return [
        (f"`{method.upper()} {path}`", str(paths[path][method].get("summary", "")))
        for path in paths
        for method in ORDER
        if method in paths[path]
    ]


def _path(row: tuple[str, str]) -> str:
    return row[0].strip("`").partition(" ")[2]

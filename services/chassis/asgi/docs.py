"""/docs: the API as one plain page, made on the server from /openapi.json. No script, nothing from elsewhere."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, select_autoescape

_METHODS = ("get", "post", "put", "patch", "delete")


def docs_router(app: FastAPI) -> APIRouter:
    """The page and its style sheet (a file of its own: the policy allows no inline style)."""
    router = APIRouter(include_in_schema=False)
    pages = Environment(loader=PackageLoader("services.chassis.asgi", "pages"), autoescape=select_autoescape())
    style = files("services.chassis.asgi").joinpath("pages/docs.css").read_text("utf-8")

    @router.get("/docs")
    def docs() -> HTMLResponse:
        schema = app.openapi()
        page = pages.get_template("docs.html").render(
            info=schema["info"], groups=_groups(schema), schemas=schema.get("components", {}).get("schemas", {})
        )
        return HTMLResponse(page, headers={"cache-control": "no-cache"})

    @router.get("/docs/docs.css")
    def docs_style() -> Response:
        return Response(style, media_type="text/css", headers={"cache-control": "no-cache"})

    return router


def _groups(schema: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Operations by tag, each with what the page shows."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, item in schema["paths"].items():
        for method in _METHODS:
            if method in item:
                operation = item[method]
                tag = (operation.get("tags") or ["other"])[0]
                groups.setdefault(tag, []).append(_operation(method, path, operation))
    return groups


def _operation(method: str, path: str, operation: dict[str, Any]) -> dict[str, Any]:
    return {
        "method": method.upper(),
        "path": path,
        "summary": operation.get("summary", ""),
        "description": operation.get("description", ""),
        "parameters": operation.get("parameters", []),
        "body": _contents(operation.get("requestBody", {})),
        "answers": {status: (a.get("description", ""), _contents(a)) for status, a in operation["responses"].items()},
    }


def _contents(part: dict[str, Any]) -> list[tuple[str, str]]:
    """(media type, name of the schema) of a body."""
    return [(media, schema_name(value.get("schema", {}))) for media, value in part.get("content", {}).items()]


def schema_name(schema: dict[str, Any]) -> str:
    """A short human name for a JSON Schema: 'ReportIn', 'list of CaseOut', 'string'."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if schema.get("type") == "array":
        return f"list of {schema_name(schema.get('items', {}))}"
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return " or ".join(schema_name(option) for option in schema[union])
    return str(schema.get("format") or schema.get("type") or "any")

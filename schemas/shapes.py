"""JSON Schemas of everything published: one bundled file per class, one thin file per kind and version."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from schemas.registry import dataschema, kinds
from schemas.webhooks import HOOKS, SCHEMA_VERSION

DRAFT = "https://json-schema.org/draft/2020-12/schema"
Json = dict[str, Any]


def shape_files() -> dict[str, Json]:
    """`shapes/<Class>.json` → schema, for each class that some kind uses."""
    classes: dict[str, type[BaseModel]] = {c.__name__: c for versions in kinds().values() for c in versions}
    classes |= {hook.__name__: hook for hook in HOOKS}
    return {f"shapes/{name}.json": _shape(cls) for name, cls in sorted(classes.items())}


def kind_files() -> dict[str, Json]:
    """`events/<kind>.v<n>.json` and `webhooks/<kind>.v<n>.json` → a schema that points to its shape."""
    events = {
        f"events/{kind}.v{number}.json": _pointer(kind, number, cls, dataschema(kind, number))
        for kind, versions in kinds().items()
        for number, cls in enumerate(versions, start=1)
    }
    hooks = {
        f"webhooks/{hook.KIND}.v{SCHEMA_VERSION}.json": _pointer(
            hook.KIND, SCHEMA_VERSION, hook, f"urn:grid:webhook:{hook.KIND}:v{SCHEMA_VERSION}"
        )
        for hook in HOOKS
    }
    return {**events, **hooks}


def _shape(cls: type[BaseModel]) -> Json:
    schema = cls.model_json_schema(mode="validation")
    return {"$schema": DRAFT, **schema}


def _pointer(kind: str, number: int, cls: type[BaseModel], urn: str) -> Json:
    return {
        "$schema": DRAFT,
        "title": f"{kind} v{number}",
        "description": (cls.__doc__ or "").strip().split("\n")[0],
        "x-dataschema": urn,
        "$ref": f"../shapes/{cls.__name__}.json",
    }

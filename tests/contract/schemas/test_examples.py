"""Every kind and version has an example that its class and its published schema accept: our golden corpus."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from schemas.registry import decode, encode, kinds
from schemas.webhooks import HOOKS, SCHEMA_VERSION

SCHEMAS = Path(__file__).parents[3] / "schemas"
PUBLISHED = SCHEMAS / "published"
EXAMPLES = SCHEMAS / "examples"
EVENT_FILES = sorted(path for path in EXAMPLES.rglob("*.json") if path.relative_to(EXAMPLES).parts[0] != "webhooks")
HOOK_FILES = sorted((EXAMPLES / "webhooks").rglob("*.json"))


def name(path: Path) -> str:
    return path.relative_to(EXAMPLES).as_posix()


@cache
def registry() -> Registry[Any]:
    def resources() -> Iterator[tuple[str, Resource[Any]]]:
        for path in PUBLISHED.rglob("*.json"):
            yield (
                f"https://x/{path.relative_to(PUBLISHED).as_posix()}",
                Resource.from_contents(json.loads(path.read_text())),
            )

    return Registry().with_resources(resources())


def validator(file: str) -> Draft202012Validator:
    schema = {"$ref": f"https://x/{file}"}
    return Draft202012Validator(schema, registry=registry(), format_checker=Draft202012Validator.FORMAT_CHECKER)


@pytest.mark.parametrize("path", EVENT_FILES, ids=name)
def test_event_example(path: Path) -> None:
    kind, version = path.relative_to(EXAMPLES).parts[:2]
    stored = json.loads(path.read_text("utf-8"))
    validator(f"events/{kind}.{version}.json").validate(stored["data"])
    headers = {key: value.encode() for key, value in stored["headers"].items()}
    env = decode(headers, json.dumps(stored["data"]).encode())
    assert env.type == kind
    again, payload = encode(env)
    assert again == stored["headers"]
    assert json.loads(payload) == stored["data"]


@pytest.mark.parametrize("path", HOOK_FILES, ids=name)
def test_webhook_example(path: Path) -> None:
    kind, version = path.relative_to(EXAMPLES / "webhooks").parts[:2]
    stored = json.loads(path.read_text("utf-8"))
    validator(f"webhooks/{kind}.{version}.json").validate(stored)
    cls = next(hook for hook in HOOKS if kind == hook.KIND)
    assert json.loads(cls.model_validate(stored).model_dump_json()) == stored


def test_nothing_lacks_an_example() -> None:
    have = {path.parent.relative_to(EXAMPLES).as_posix() for path in EVENT_FILES + HOOK_FILES}
    want = {f"{kind}/v{n}" for kind, versions in kinds().items() for n in range(1, len(versions) + 1)}
    want |= {f"webhooks/{hook.KIND}/v{SCHEMA_VERSION}" for hook in HOOKS}
    assert have == want


def test_the_published_schema_refuses_what_the_class_refuses() -> None:
    stored = json.loads((EXAMPLES / "sla.fired" / "v1" / "handling_overdue.json").read_text("utf-8"))["data"]
    check = validator("events/sla.fired.v1.json")
    assert check.is_valid(stored)
    for field, wrong in (("rev", "1"), ("due_at", 5), ("kind", "imagined"), ("clock_id", None)):
        assert not check.is_valid({**stored, field: wrong}), field
    assert check.is_valid({**stored, "added_later": True})

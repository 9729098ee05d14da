"""Every field of a report, filled wrongly in every way: status, code, field, and the words that a person reads."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
from pydantic import BaseModel

from schemas.api.intake import ReportIn
from tests.integration.intake.conftest import Street, key

pytestmark = pytest.mark.anyio
URL = "/api/v1/reports"
LANGUAGES = ("zh-CN", "en-US")
PLAIN = ("请修改后再提交", "Correct it and submit again")


@dataclass(frozen=True)
class Row:
    """A line of the table. `told`: field and code of what stands in `errors`."""

    of: str
    told: tuple[str, str]
    words: tuple[str, str]
    remedy: tuple[str, str]
    change: str | None
    raw: str | None
    status: int
    code: str


def table() -> list[Row]:
    rows = tomllib.loads(Path(__file__).with_name("bad_input.toml").read_text("utf-8"))["row"]
    return [
        Row(
            row["of"],
            tuple(row["told"]),
            (row["zh"], row["en"]),
            tuple(row.get("remedy", PLAIN)),
            row.get("change"),
            row.get("raw"),
            row.get("status", 422),
            row.get("code", "invalid_input"),
        )
        for row in rows
    ]


def written(text: str) -> str:
    """With the table's short forms written out."""
    photo = '{"id": "p%s", "sha256": "@h64", "bytes": 5, "mime": "image/jpeg"}'
    text = re.sub(r"@p(\d)", lambda found: photo % found[1], text)
    return re.sub(r"@x(\d+)", lambda found: "长" * int(found[1]), text).replace("@h64", "a" * 64)


def body_of(row: Row, good: dict[str, object]) -> bytes:
    """As text, since NaN, lone surrogates and numbers without end are no Python values that JSON would write."""
    if row.raw is not None:
        return written(row.raw).encode()
    change = written(row.change or "{}")
    kept = {name: value for name, value in good.items() if name not in json.loads(change)}
    return f"{json.dumps(kept, ensure_ascii=False)[:-1]}, {change[1:]}".encode()


def fields_of(model: type[BaseModel], before: str = "") -> Iterator[str]:
    """Every field that a sender can fill, those inside others too."""
    for name, field in model.model_fields.items():
        yield before + name
        for inner in models_in(field.annotation):
            yield from fields_of(inner, f"{before}{name}.")


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from models_in(part)


def test_no_field_is_without_a_row() -> None:
    covered = {row.of for row in table()}
    missing = sorted(set(fields_of(ReportIn)) - covered)
    assert not missing, f"tests/integration/intake/bad_input.toml says nothing of {missing}"


def test_every_row_says_something_different() -> None:
    rows = [(row.change, row.raw) for row in table()]
    assert len(rows) == len(set(rows)) > 100


async def test_what_is_wrong_is_told(worker: httpx.AsyncClient, street: Street, report: dict[str, object]) -> None:
    wrong = []
    for row in table():
        for n, lang in enumerate(LANGUAGES):
            headers = {**key(), "accept-language": lang, "content-type": "application/json"}
            answer = await worker.post(URL, content=body_of(row, report), headers=headers)
            body = answer.json()
            first = (body.get("errors") or [{}])[0]
            got = (answer.status_code, body.get("code"), first.get("field"), first.get("code"))
            words = (first.get("message"), first.get("remedy"))
            if (got, words) != ((row.status, row.code, *row.told), (row.words[n], row.remedy[n])):
                wrong.append((row.of, row.change or row.raw, got, words))
            assert answer.headers["content-language"] == lang
    assert not wrong
    assert await street.count("reports") == await street.count("ledger") == 0, "nothing of all that was kept"


async def test_several_at_once_are_all_told(worker: httpx.AsyncClient, report: dict[str, object]) -> None:
    """The form shows each where it belongs."""
    wrong = {**report, "text": 5, "danger": "yes", "position": {"lng": "x", "lat": 1}, "photos": {}, "more": 1}
    body = (await worker.post(URL, json=wrong, headers=key())).json()
    assert {one["field"] for one in body["errors"]} == {"text", "danger", "position.lng", "photos", "more"}
    assert all(one["message"] and one["remedy"] for one in body["errors"])


@pytest.mark.parametrize(
    ("headers", "code", "field"),
    [
        ({}, "idempotency_key_required", "Idempotency-Key"),
        ({"Idempotency-Key": "  "}, "idempotency_key_required", "Idempotency-Key"),
        ({"Idempotency-Key": "k" * 256}, "key_format", "Idempotency-Key"),
    ],
)
async def test_the_key_of_a_report(
    worker: httpx.AsyncClient, report: dict[str, object], headers: dict[str, str], code: str, field: str
) -> None:
    answer = await worker.post(URL, json=report, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    (told,) = answer.json()["errors"]
    assert told["field"] == field
    assert told["message"]
    assert told["remedy"]

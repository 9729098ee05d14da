"""Lists page by cursor: `?limit=&after=` gives `next`. A cursor is opaque to callers and says where the page ended."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Query

from services.chassis.asgi.problem import FieldProblem, Problem

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Page:
    """What the caller asked for; `after` is the decoded sort key of the last row seen, or None at the start."""

    limit: int
    after: tuple[Any, ...] | None


def encode_cursor(*key: str | int | float | None) -> str:
    """The cursor for a row's sort key."""
    return base64.urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> tuple[Any, ...]:
    """Back to the sort key. Raises Problem 422 for anything we did not make."""
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        key = None
    if not isinstance(key, list):
        wrong = FieldProblem(field="after", code="cursor")
        raise Problem(422, "invalid_input", errors=[wrong])
    return tuple(key)


async def page(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    after: Annotated[str | None, Query(max_length=500)] = None,
) -> Page:
    """FastAPI dependency for every list."""
    return Page(limit, decode_cursor(after) if after else None)

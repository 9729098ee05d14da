"""`If-Match: "<version>"`: an act says which version of the case the person was looking at."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Header

from services.chassis.asgi.problem import FieldProblem, Problem

_VERSION = re.compile(r'(?:W/)?"?(\d{1,18})"?')


def parse_if_match(value: str | None) -> int:
    """The version, quoted or bare. Raises Problem 428 when missing, 422 when it is no number."""
    if value is None or not value.strip():
        raise Problem(428, "if_match_required")
    match = _VERSION.fullmatch(value.strip())
    if match is None:
        wrong = FieldProblem(field="If-Match", code="version_format")
        raise Problem(422, "invalid_input", errors=[wrong])
    return int(match[1])


async def if_match(value: Annotated[str | None, Header(alias="If-Match")] = None) -> int:
    """FastAPI dependency around `parse_if_match`."""
    return parse_if_match(value)


def etag(version: int) -> str:
    """The ETag that a later If-Match repeats."""
    return f'"{version}"'

"""Cursors of the lists that go back in time."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from services.chassis.asgi import FieldProblem, Page, Problem, encode_cursor


def cursor(at: datetime, row: UUID) -> str:
    """Where the next page begins: behind this row."""
    return encode_cursor(at.isoformat(), str(row))


def after(asked: Page) -> tuple[datetime, UUID] | None:
    """The row that the page before ended with. Raises Problem 422 for what is no cursor of such a list."""
    if asked.after is None:
        return None
    try:
        at, row = asked.after
        return datetime.fromisoformat(_text(at)), UUID(_text(row))
    except ValueError as error:
        wrong = FieldProblem(field="after", code="cursor", message="not a cursor of this list")
        raise Problem(422, "invalid_input", errors=[wrong]) from error


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("not text")
    return value

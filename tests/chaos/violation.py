"""What the checks find, and how they ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken promise."""

    rule: str
    what: str


def rows(connection: Connection, query: str, *values: object) -> list[tuple[Any, ...]]:
    """All rows of a question."""
    return connection.execute(query.encode(), values or None).fetchall()


def one(connection: Connection, query: str, *values: object) -> int:
    """The one number that a question asks for."""
    return int(rows(connection, query, *values)[0][0])

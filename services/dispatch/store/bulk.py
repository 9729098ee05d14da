"""Many rows in one statement with one JSON parameter: the shape that costs Python and PostgreSQL least."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import orjson
from sqlalchemy import Table, TextClause, text
from sqlalchemy.dialects import postgresql

from services.dispatch.store import Tx

Row = dict[str, Any]


def as_json(value: object) -> str:
    """A JSON parameter. Text, because psycopg sends text of unknown type and PostgreSQL parses it once."""
    return orjson.dumps(value).decode()


async def insert_rows(tx: Tx, table: Table, rows: Sequence[Row], *, on_conflict: str = "") -> int:
    """Insert `rows`, all with the columns of the first; returns how many. `on_conflict` is SQL after the select."""
    if not rows:
        return 0
    done = await tx.execute(_one(_insert(table, tuple(rows[0]), on_conflict)), {"rows": as_json(rows)})
    return done.rowcount


async def upsert_rows(tx: Tx, table: Table, rows: Sequence[Row]) -> int:
    """Insert `rows` or overwrite the row with the same primary key."""
    return await insert_rows(tx, table, rows, on_conflict=_overwriting(table, rows))


class Inserting:
    """Rows for several tables, written by one statement: each way to the server costs more than the rows on it.

    Foreign keys are looked at when it is over, so the order of the tables is free; none may be in it twice.
    """

    def __init__(self) -> None:
        self._statements: list[str] = []
        self._rows: list[str] = []

    def insert(self, table: Table, rows: Sequence[Row], *, on_conflict: str = "") -> None:
        """As `insert_rows`."""
        if rows:
            self.add(_insert(table, tuple(rows[0]), on_conflict), as_json(rows))

    def upsert(self, table: Table, rows: Sequence[Row]) -> None:
        """As `upsert_rows`."""
        self.insert(table, rows, on_conflict=_overwriting(table, rows))

    def add(self, statement: str, rows: str) -> None:
        """Any INSERT whose only parameter is `:rows`."""
        self._statements.append(statement)
        self._rows.append(rows)

    async def write(self, tx: Tx) -> None:
        if self._statements:
            rows = {f"rows_{n}": each for n, each in enumerate(self._rows)}
            await tx.execute(_together(tuple(self._statements)), rows)


async def update_rows(tx: Tx, table: Table, rows: Sequence[Row], *, where: str) -> int:
    """Overwrite the columns of existing rows, joined by `id`; `where` compares `old` with `new`."""
    if not rows:
        return 0
    done = await tx.execute(_update(table, tuple(rows[0]), where), {"rows": as_json(rows)})
    return done.rowcount


def recordset(table: Table, columns: Sequence[str]) -> str:
    """`json_to_recordset(:rows) AS new(…)` with the table's own types."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    types = (f"{_quoted(name)} {table.c[name].type.compile(dialect)}" for name in columns)
    return f"json_to_recordset(CAST(:rows AS json)) AS new({', '.join(types)})"


@cache
def _insert(table: Table, columns: tuple[str, ...], on_conflict: str) -> str:
    names = ", ".join(map(_quoted, columns))
    return f"INSERT INTO {table.fullname} ({names}) SELECT {names} FROM {recordset(table, columns)} {on_conflict}"  # noqa: S608 - names come from our own tables


def _overwriting(table: Table, rows: Sequence[Row]) -> str:
    keys = [column.name for column in table.primary_key]
    names = rows[0] if rows else ()
    news = ", ".join(f"{_quoted(name)} = excluded.{_quoted(name)}" for name in names if name not in keys)
    return f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {news}"


@cache
def _one(statement: str) -> TextClause:
    return text(statement)


@cache
def _together(statements: tuple[str, ...]) -> TextClause:
    *others, last = (each.replace(":rows", f":rows_{n}") for n, each in enumerate(statements))
    beside = ", ".join(f"w{n} AS ({each})" for n, each in enumerate(others))
    return text(f"WITH {beside} {last}" if beside else last)


@cache
def _update(table: Table, columns: tuple[str, ...], where: str) -> TextClause:
    news = ", ".join(f"{_quoted(name)} = new.{_quoted(name)}" for name in columns if name != "id")
    return text(
        f"UPDATE {table.fullname} AS old SET {news} FROM {recordset(table, columns)} WHERE old.id = new.id AND {where}"  # noqa: S608 - names come from our own tables
    )


def _quoted(name: str) -> str:
    return f'"{name}"'

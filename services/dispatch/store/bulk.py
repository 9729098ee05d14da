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
    done = await tx.execute(_insert(table, tuple(rows[0]), on_conflict), {"rows": as_json(rows)})
    return done.rowcount


async def upsert_rows(tx: Tx, table: Table, rows: Sequence[Row]) -> int:
    """Insert `rows` or overwrite the row with the same primary key."""
    if not rows:
        return 0
    keys = [column.name for column in table.primary_key]
    news = ", ".join(f"{name} = excluded.{name}" for name in map(_quoted, rows[0]) if name.strip('"') not in keys)
    return await insert_rows(tx, table, rows, on_conflict=f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {news}")


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
def _insert(table: Table, columns: tuple[str, ...], on_conflict: str) -> TextClause:
    names = ", ".join(map(_quoted, columns))
    return text(
        f"INSERT INTO {table.fullname} ({names}) SELECT {names} FROM {recordset(table, columns)} {on_conflict}"  # noqa: S608 - names come from our own tables
    )


@cache
def _update(table: Table, columns: tuple[str, ...], where: str) -> TextClause:
    news = ", ".join(f"{_quoted(name)} = new.{_quoted(name)}" for name in columns if name != "id")
    return text(
        f"UPDATE {table.fullname} AS old SET {news} FROM {recordset(table, columns)} WHERE old.id = new.id AND {where}"  # noqa: S608 - names come from our own tables
    )


def _quoted(name: str) -> str:
    return f'"{name}"'

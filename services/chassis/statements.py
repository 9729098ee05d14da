"""SQL spoken straight to the driver, where a statement's way there and back is what counts.

The driver's own placeholders (`%(name)s`), rows as tuples. The same statement can be spoken inside a transaction that
is open, or as a transaction of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString, Protocol

import psycopg
from sqlalchemy.ext.asyncio import AsyncConnection

Row = Sequence[Any]


class Statements(Protocol):
    """Whatever carries out statements."""

    async def rows(self, statement: LiteralString, parameters: Mapping[str, Any]) -> Sequence[Row]:
        """All rows that a statement answers."""
        ...


class Within:
    """Inside an open transaction, which somebody else ends."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def rows(self, statement: LiteralString, parameters: Mapping[str, Any]) -> Sequence[Row]:
        return (await self._tx.exec_driver_sql(statement, dict(parameters))).all()


class Alone:
    """Each statement a transaction of its own: it commits, or leaves nothing."""

    def __init__(self, driver: psycopg.AsyncConnection[Any]) -> None:
        self._driver = driver

    async def rows(self, statement: LiteralString, parameters: Mapping[str, Any]) -> Sequence[Row]:
        return await (await self._driver.execute(statement, parameters)).fetchall()

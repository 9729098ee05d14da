"""SQL spoken straight to the driver, where a statement's way there and back is what counts.

The driver's own placeholders (`%(name)s`), rows as tuples. The same statement can be spoken inside a transaction that
is open, or as a transaction of its own.
"""

from __future__ import annotations

import select
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
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

    @property
    def over(self) -> bool:
        """Whether the server has ended the connection."""
        return hung_up(self._driver)

    async def rows(self, statement: LiteralString, parameters: Mapping[str, Any]) -> Sequence[Row]:
        return await (await self._driver.execute(statement, parameters)).fetchall()


Opening = Callable[[], AbstractAsyncContextManager[Statements]]


class Line:
    """Keeps what `opening` opened from one use to the next. For one user at a time; `close()` it at the end.

    After a fault, and when the server has hung up, the next use opens anew.
    """

    def __init__(self, opening: Opening, *, lasting: bool) -> None:
        self._opening = opening
        self._lasting = lasting
        self._open: tuple[AbstractAsyncContextManager[Statements], Statements] | None = None

    @asynccontextmanager
    async def statements(self) -> AsyncIterator[Statements]:
        """To be spoken one after the other."""
        if self._open is not None and isinstance(self._open[1], Alone) and self._open[1].over:
            await self.close()
        if self._open is None:
            opened = self._opening()
            self._open = opened, await opened.__aenter__()
        try:
            yield self._open[1]
        except BaseException:
            opened, self._open = self._open[0], None
            await opened.__aexit__(*sys.exc_info())  # the fault is told to it as if it had held this one use
            raise
        if not self._lasting:
            await self.close()

    async def close(self) -> None:
        """Give the connection back."""
        if self._open is not None:
            opened, self._open = self._open[0], None
            await opened.__aexit__(None, None, None)


def hung_up(driver: psycopg.AsyncConnection[Any]) -> bool:
    """Whether an idle connection is no more. It has nothing to say, so a readable socket means the end of it; asking
    the kernel costs microseconds where a ping costs a way there and back."""
    try:
        readable, _, _ = select.select([driver.pgconn.socket], [], [], 0)
    except (psycopg.Error, ValueError, OSError):
        return True
    return bool(readable)

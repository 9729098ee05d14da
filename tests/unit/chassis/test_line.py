"""A line keeps its connection, and opens anew after a fault."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.chassis.statements import Line, Row

pytestmark = pytest.mark.anyio


class Server:
    """Counts what is opened and notes how each ended."""

    def __init__(self) -> None:
        self.opened = 0
        self.ended: list[str] = []

    async def rows(self, statement: str, parameters: Mapping[str, Any]) -> list[Row]:
        return [(statement,)]

    @asynccontextmanager
    async def statements(self) -> AsyncIterator[Server]:
        self.opened += 1
        try:
            yield self
        except Exception as error:
            self.ended.append(type(error).__name__)
            raise
        self.ended.append("well")


async def test_one_connection_for_many_uses() -> None:
    server = Server()
    line = Line(server.statements, lasting=True)
    for _ in range(3):
        async with line.statements() as speak:
            assert await speak.rows("SELECT 1", {}) == [("SELECT 1",)]
    assert (server.opened, server.ended) == (1, [])
    await line.close()
    await line.close()
    assert server.ended == ["well"]


async def test_after_a_fault_the_next_use_opens_anew() -> None:
    server = Server()
    line = Line(server.statements, lasting=True)
    with pytest.raises(OSError, match="gone"):
        async with line.statements():
            raise OSError("gone")
    async with line.statements() as speak:
        assert speak is server
    assert (server.opened, server.ended) == (2, ["OSError"])


async def test_behind_a_pooler_it_keeps_nothing() -> None:
    server = Server()
    line = Line(server.statements, lasting=False)
    for _ in range(2):
        async with line.statements():
            pass
    assert (server.opened, server.ended) == (2, ["well", "well"])

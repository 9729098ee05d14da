"""The bad line of the fault suite: a commit that is cut off before, and one that is cut off after the server obeyed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import psycopg
import pytest

from tests.chaos.proxy import CuttingProxy
from tests.support.postgres import TestServer

pytestmark = pytest.mark.anyio


@pytest.fixture
async def line(postgres: TestServer) -> AsyncIterator[tuple[CuttingProxy, str, str]]:
    """The proxy, the address through it and the direct one, with a table to write to."""
    direct = postgres.url("postgres")
    folder = parse_qs(urlsplit(direct).query)["host"][0]
    postgres.execute("CREATE TABLE written (word text)")
    proxy = CuttingProxy(Path(folder))
    await proxy.start()
    yield proxy, direct.replace(quote(folder), quote(str(proxy.folder))), direct
    await proxy.stop()
    postgres.execute("DROP TABLE written")


async def write(url: str, word: str) -> None:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute("INSERT INTO written VALUES (%s)", (word,))


async def words(url: str) -> list[str]:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        return [row[0] for row in await (await connection.execute("SELECT word FROM written ORDER BY 1")).fetchall()]


async def test_everything_passes_while_nothing_is_cut(line: tuple[CuttingProxy, str, str]) -> None:
    _, through, direct = line
    await write(through, "a")
    assert await words(through) == await words(direct) == ["a"]


async def test_the_client_cannot_tell_a_commit_that_was_obeyed_from_one_that_was_not(
    line: tuple[CuttingProxy, str, str],
) -> None:
    proxy, through, direct = line
    proxy.cut(2)
    for word in ("first", "second"):
        with pytest.raises(psycopg.OperationalError):
            await write(through, word)
    assert (proxy.cut_before, proxy.cut_after) == (1, 1)
    assert len(await words(direct)) == 1
    await write(through, "third")
    assert len(await words(direct)) == 2

"""How commands of this machine speak to a service's database: with its rights, patiently, errors in one line."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from services.chassis.db import Database, Tx, is_transient
from services.chassis.grid.target import database_url
from services.chassis.settings import DatabaseSettings
from services.chassis.streams.byhand import NoSuchDeadLetter, NoSuchHeldEvent, NotItsTurn, NotReplayable

TRIES: Final = 3
T = TypeVar("T")


class RelayAway(RuntimeError):
    """Rows wait in the outbox and nobody sends them."""


REFUSALS: Final = (NoSuchDeadLetter, NoSuchHeldEvent, NotItsTurn, NotReplayable)


def run(service: str, work: Callable[[Database], Awaitable[None]]) -> int:
    """0, or 1 and why not."""

    async def whole() -> None:
        db = Database(DatabaseSettings(url=database_url(service), pool_size=1), "grid-replay")
        try:
            await work(db)
        finally:
            await db.close()

    try:
        asyncio.run(whole())
    except (*REFUSALS, RelayAway, SQLAlchemyError, OSError) as error:
        sys.stderr.write(f"grid: {error}\n")
        return 1
    return 0


async def once(db: Database, work: Callable[[Tx], Awaitable[T]]) -> T:
    """In one transaction; a running worker may be in the way for a moment."""
    for _ in range(TRIES - 1):
        try:
            async with db.transaction() as tx:
                return await work(tx)
        except Exception as error:
            if not is_transient(error):
                raise
        await asyncio.sleep(0.5)
    async with db.transaction() as tx:
        return await work(tx)

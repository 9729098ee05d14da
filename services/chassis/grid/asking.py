"""How commands of this machine speak to a service's database: with its rights, patiently, errors in one line."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from services.chassis.db import Database, Tx, is_transient
from services.chassis.grid.exits import FAILED, NOT_RUNNING
from services.chassis.grid.target import database_url
from services.chassis.settings import DatabaseSettings
from services.chassis.streams.byhand import NoSuchDeadLetter, NoSuchHeldEvent, NotItsTurn, NotReplayable
from services.chassis.supervisor.settings import home_folder
from services.chassis.terminal import not_there

TRIES: Final = 3
T = TypeVar("T")


class RelayAway(RuntimeError):
    """Rows wait in the outbox and nobody sends them."""


REFUSALS: Final = (NoSuchDeadLetter, NoSuchHeldEvent, NotItsTurn, NotReplayable)


def run(service: str, work: Callable[[Database], Awaitable[None]]) -> int:
    """0; else why not on stderr, and 3 where there is no database, 1 for anything else that is foreseen."""

    async def whole() -> None:
        db = Database(DatabaseSettings(url=database_url(service), pool_size=1), "grid-replay")
        try:
            await work(db)
        finally:
            await db.close()

    try:
        asyncio.run(whole())
    except (*REFUSALS, RelayAway, SQLAlchemyError, OSError) as error:
        return failed(error)
    return 0


def failed(error: Exception) -> int:
    """Tell a foreseen failure in one line; the exit code: 3 where there is no database to work on, else 1."""
    told = not_there(error, home_folder())
    sys.stderr.write(f"grid: {told or _plain(error)}\n")
    return FAILED if told is None else NOT_RUNNING


def _plain(error: Exception) -> str:
    """Without what SQLAlchemy says about itself."""
    return str(error.orig).strip() if isinstance(error, DBAPIError) else str(error)


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

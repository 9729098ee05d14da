"""Files nobody names: what a crash, a full disk or a reporter who never came back has left behind."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.chassis.housekeeping.chore import Turn
from services.chassis.pictures.store import PictureStore

Named = Callable[[AsyncConnection, Sequence[str]], Awaitable[set[str]]]
"""Which of these files (paths below its part of the store) somebody still needs."""


@dataclass(frozen=True, slots=True)
class LooseFiles:
    """The chore for one part of a store. Age is the file's own, by the clock of whoever keeps it: the database's does
    not stamp files."""

    name: str
    store: PictureStore
    below: str
    keep: timedelta
    named: Named
    every: timedelta

    async def do(self, turn: Turn) -> None:
        """Once through, a page at a time."""
        before = (turn.clock.now() - self.keep).timestamp()
        async for page in self.store.old(self.below, before):
            await turn.stand_aside()
            needed = await self.named(turn.connection, page)
            loose = [each for each in page if each not in needed]
            gone = await self.store.remove_old(self.below, loose, before)
            if gone:
                turn.told.removed(self.name, gone)


@dataclass(frozen=True, slots=True)
class Space:
    """Tells how much room is left, so that a full disk is seen coming."""

    folder: Path | None
    every: timedelta
    name: str = "space"

    async def do(self, turn: Turn) -> None:
        size = await turn.connection.execute(text("SELECT pg_database_size(current_database())"))
        free = await asyncio.to_thread(_free, self.folder) if self.folder is not None else None
        turn.told.space(free, size.scalar_one())


async def nobody(_connection: AsyncConnection, _files: Sequence[str]) -> set[str]:
    """For folders in which age alone decides."""
    return set()


def _free(folder: Path) -> int:
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free

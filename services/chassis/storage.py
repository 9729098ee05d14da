"""A disk that takes nothing more: how it shows, and how to ask whether there is room again.

Nothing is given up for it. Whoever asked gets 503 and asks again, workers stay at their batch, and `/readyz` says no
until there is room.
"""

from __future__ import annotations

import asyncio
import errno
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sqlalchemy import text

from services.chassis.clock import monotonic
from services.chassis.db import FULL_STATES, Database, sqlstate

NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS})
"""What the kernel says for a full disk, a full quota, a dying disk, and one made read-only for it."""
FOLDER_BYTES: Final = 1 << 20
GOOD_FOR_S: Final = 10.0
"""A disk that had room is believed for so long."""
BAD_FOR_S: Final = 2.0
_LITTLE_MEMORY: Final = text("SELECT set_config('work_mem', '64kB', true)")
_SPILL: Final = text("SELECT count(*) FROM (SELECT n FROM generate_series(1, 200000) AS n ORDER BY -n OFFSET 1) AS s")
"""Sorts about 4 MB in a temporary file on the database's disk; leaves nothing behind and writes no row."""


def out_of_room(error: BaseException) -> bool:
    """Whether this failed because a disk is full or broken, ours or the database's."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in NO_ROOM
    return sqlstate(error) in FULL_STATES


class DatabaseRoom:
    """Whether the database can still write. Asking costs it some milliseconds, so an answer is kept for a while."""

    def __init__(self, db: Database, clock: Callable[[], float] = monotonic) -> None:
        self._db = db
        self._clock = clock
        self._asked: float | None = None
        self._room = True

    async def there(self) -> bool:
        """Raises what the database raises when it is away altogether."""
        now = self._clock()
        if self._asked is None or now - self._asked >= (GOOD_FOR_S if self._room else BAD_FOR_S) or self._doubted():
            self._room, self._asked = await self._ask(), now
        return self._room

    def _doubted(self) -> bool:
        """Somebody has met a full disk since we asked."""
        return self._asked is not None and self._db.full_at is not None and self._db.full_at > self._asked

    async def _ask(self) -> bool:
        try:
            async with self._db.reading() as tx:
                await tx.execute(_LITTLE_MEMORY)
                await tx.execute(_SPILL)
        except Exception as error:
            if not out_of_room(error):
                raise
            return False
        return True


async def folder_has_room(folder: Path) -> bool:
    """Whether a little can be written there; a folder not made yet is made."""
    return await asyncio.to_thread(_can_write, folder)


def _can_write(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:  # has no name, so nothing is left of it
            probe.write(bytes(FOLDER_BYTES))
            probe.flush()
    except OSError as error:
        if not out_of_room(error):
            raise
        return False
    return True

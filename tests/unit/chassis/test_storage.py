"""What counts as a full disk, and how long an answer about room is believed."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from services.chassis.asgi.errors import database_problem, disk_problem
from services.chassis.db import Database, is_transient
from services.chassis.storage import BAD_FOR_S, GOOD_FOR_S, DatabaseRoom, folder_has_room, out_of_room

FULL = OperationalError("INSERT", {}, psycopg.errors.DiskFull())
DYING = OperationalError("INSERT", {}, psycopg.errors.IoError())
BUSY = OperationalError("INSERT", {}, psycopg.errors.LockNotAvailable())


@pytest.mark.parametrize("error", [FULL, DYING, OSError(errno.ENOSPC, "full"), OSError(errno.EDQUOT, "quota")])
def test_a_full_disk_is_weather(error: Exception) -> None:
    assert out_of_room(error)
    assert is_transient(error)


@pytest.mark.parametrize("error", [BUSY, OSError(errno.ENOENT, "no file"), ConnectionResetError(), ValueError("x")])
def test_other_errors_are_not_a_full_disk(error: Exception) -> None:
    assert not out_of_room(error)


def test_a_full_disk_is_told_as_such() -> None:
    for problem in (database_problem(FULL), disk_problem(OSError(errno.ENOSPC, "full"))):
        assert (problem.status, problem.code) == (503, "storage_full")
        assert int(problem.headers["retry-after"]) >= 10
    assert database_problem(BUSY).code == "unavailable"
    with pytest.raises(FileNotFoundError):
        disk_problem(FileNotFoundError(errno.ENOENT, "no file"))


class Disk:
    """A database whose disk is full or not, and who asked."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.asked = 0
        self.full_at: float | None = None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Any]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        yield self

    async def execute(self, _statement: object) -> None:
        """Any statement works."""


@pytest.mark.anyio
async def test_an_answer_is_kept_for_a_while_unless_somebody_doubts_it() -> None:
    disk, now = Disk(), [100.0]
    room = DatabaseRoom(cast("Database", disk), lambda: now[0])
    assert await room.there()
    assert await room.there()
    assert disk.asked == 1

    disk.error, disk.full_at = FULL, 101.0  # a transaction has met it
    now[0] = 102.0
    assert not await room.there()
    disk.error = None
    now[0] += BAD_FOR_S / 2
    assert not await room.there()
    now[0] += BAD_FOR_S
    assert await room.there()
    asked = disk.asked
    now[0] += GOOD_FOR_S / 2
    assert await room.there()
    assert disk.asked == asked


@pytest.mark.anyio
async def test_a_database_that_is_away_is_not_called_full() -> None:
    disk = Disk()
    disk.error = OperationalError("SELECT", {}, psycopg.errors.AdminShutdown())
    with pytest.raises(OperationalError):
        await DatabaseRoom(cast("Database", disk)).there()


@pytest.mark.anyio
async def test_a_folder_is_asked_without_leaving_anything(tmp_path: Path) -> None:
    assert await folder_has_room(tmp_path / "media")
    assert list((tmp_path / "media").iterdir()) == []

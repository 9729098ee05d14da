"""The loop that keeps house for one service: one process at a time, told by the lock its connection holds."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.chassis.clock import Clock
from services.chassis.db import Database, grid_now, is_transient
from services.chassis.housekeeping.chore import Chore, Stopped, Turn
from services.chassis.housekeeping.metrics import HouseMetrics
from services.chassis.telemetry import logger

LOOK_S: Final = 5.0
"""Seconds between two looks at the database's clock: a clock that jumps is followed at once."""
AGAIN: Final = timedelta(minutes=1)
"""A chore that failed is tried again after this."""
STATEMENT_S: Final = 300
"""Longer than for live work: checking or moving a whole week is one statement."""

_log = logger(__name__)
_LOCK: Final = text("SELECT pg_try_advisory_lock(:space, 0)")
_PATIENCE: Final = text(f"SELECT set_config('statement_timeout', '{STATEMENT_S}s', false)")


class Housekeeper:
    """The chores of one service, in their order; the first one also runs at once when a process takes over."""

    def __init__(
        self,
        db: Database,
        schema: str,
        chores: Sequence[Chore],
        told: HouseMetrics,
        clock: Clock,
        *,
        batch: int,
        look_s: float = LOOK_S,
    ) -> None:
        self._db = db
        self._schema = schema
        self._chores = tuple(chores)
        self._told = told
        self._clock = clock
        self._batch = batch
        self._look_s = look_s
        self._space = zlib.crc32(f"housekeeping of {schema}".encode()) & 0x7FFF_FFFF
        self._due: dict[str, datetime] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. A database that is away, or full, only makes chores late; a chore's fault is an alarm."""
        while not stop.is_set():
            try:
                async with self._db.session() as connection:
                    await self._keep(connection, stop)
            except Exception as exc:
                if not is_transient(exc):
                    raise
                _log.warning("housekeeping.database_away", schema=self._schema, error=repr(exc)[:300])
            finally:
                self._told.lost()
            await _sleep(self._look_s, stop)

    async def _keep(self, connection: AsyncConnection, stop: asyncio.Event) -> None:
        await connection.execute(_PATIENCE)
        while not (await connection.execute(_LOCK, {"space": self._space})).scalar_one():
            await _sleep(self._look_s, stop)
            if stop.is_set():
                return
        self._told.owns()
        self._due = {}
        turn = Turn(connection, self._schema, self._batch, self._told, self._clock, stop)
        while not stop.is_set():
            for chore in self._chores:
                if not stop.is_set() and self._is_due(chore, await grid_now(connection)):
                    await self._do(chore, turn)
            await _sleep(self._look_s, stop)

    def _is_due(self, chore: Chore, now: datetime) -> bool:
        """Also when the clock was set back behind all it has been told so far."""
        due = self._due.get(chore.name, now)
        return due <= now or due - now > chore.every

    async def _do(self, chore: Chore, turn: Turn) -> None:
        began = await grid_now(turn.connection)
        try:
            await chore.do(turn)
        except Stopped:
            return
        except Exception as exc:
            self._told.failed(chore.name)
            if turn.connection.invalidated or turn.connection.closed:
                raise
            _log.error("housekeeping.failed", schema=self._schema, chore=chore.name, error=repr(exc)[:500])
            self._due[chore.name] = began + min(AGAIN, chore.every)
        else:
            self._due[chore.name] = began + chore.every
            self._told.done(chore.name, self._clock.now().timestamp())


async def _sleep(seconds: float, stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return

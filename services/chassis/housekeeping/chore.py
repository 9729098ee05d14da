"""What a chore is, and what it gets to work with."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from services.chassis.clock import Clock, monotonic
from services.chassis.db import sql
from services.chassis.housekeeping.metrics import HouseMetrics

LIVE_S: Final = 0.2
"""Live events that wait longer for the relay go first."""
AWAY_S: Final = 30.0
"""Events that wait longer wait for the broker, not for us; it must not keep a full disk from being cleared."""
MOST_ASIDE_S: Final = 5.0
_PAUSE_S: Final = 0.1
_OLDEST: Final = """
  SELECT coalesce(extract(epoch FROM directory.grid_now() - created_at), 0) FROM (
    SELECT created_at FROM @schema.outbox WHERE published_at IS NULL ORDER BY id LIMIT 1) o"""


class Stopped(Exception):
    """The process is asked to end; what is left is done by the next round."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One round's means. Every statement on `connection` is a transaction of its own, and the connection holds the
    lock: whoever loses it can do nothing more."""

    connection: AsyncConnection
    schema: str
    batch: int
    told: HouseMetrics
    clock: Clock
    stop: asyncio.Event

    async def stand_aside(self) -> None:
        """Let live work go first; call it between two batches. Raises Stopped."""
        until = monotonic() + MOST_ASIDE_S
        while not self.stop.is_set():
            waits = (await self.connection.execute(sql(_OLDEST, self.schema))).scalar_one_or_none()
            if waits is None or not LIVE_S < waits < AWAY_S or monotonic() >= until:
                return
            await asyncio.sleep(_PAUSE_S)
        raise Stopped


class Chore(Protocol):
    """Something to be done now and then. It may be broken off between any two statements and begins anew."""

    @property
    def name(self) -> str:
        """Its name in metrics and logs."""
        ...

    @property
    def every(self) -> timedelta:
        """How often, by the database's clock."""
        ...

    async def do(self, turn: Turn) -> None:
        """Once. Whatever it raises is logged and counted, and it is tried again soon."""
        ...

"""The database's time without asking it for every request: the process clock plus how far the two are apart."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

from services.chassis.clock import Clock
from services.chassis.db import Database, grid_now, is_transient
from services.chassis.telemetry import logger

_EVERY_S = 1.0


class DatabaseClock:
    """Good to about a second; whatever is written takes its time from the database itself."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._ahead = timedelta()

    def now(self) -> datetime:
        """The business's present moment, UTC."""
        return self._clock.now() + self._ahead

    async def refresh(self) -> None:
        """Compare once. May raise database errors."""
        async with self._db.reading() as tx:
            self._ahead = await grid_now(tx) - self._clock.now()

    async def run(self, stop: asyncio.Event) -> None:
        """Compare each second until `stop`; while the database is away the last difference stands."""
        while not stop.is_set():
            try:
                await self.refresh()
            except Exception as error:
                if not is_transient(error):
                    raise
                logger("intake").warning("clock_unchecked", error=type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _EVERY_S)

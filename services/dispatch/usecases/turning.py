"""Lists kept up with time: cases enter and leave them when a limit nears or passes, though nobody does anything."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from services.chassis.db import grid_now, is_transient
from services.chassis.telemetry import logger
from services.chassis.watchdog.pulse import Pulse
from services.chassis.watchdog.weather import Weather
from services.dispatch.store import turning
from services.dispatch.store.columns import standing_row
from services.dispatch.usecases.ground import Ground

EVERY_S: Final = 0.25
BATCH: Final = 50
"""The relay lives in the same process: nothing here may take long."""
AREAS: Final = 20
"""Areas whose oldest cases are looked for in one round."""
_RETRY_S: Final = 1.0


class KeepingLists:
    """One loop of one process; where several run, one of them does it. It may be broken off anywhere."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.pulse = Pulse("lists", Weather(ground.db).excuse)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. While the database is away lists simply stand still."""
        while not stop.is_set():
            self.pulse.turn()
            pause = EVERY_S
            try:
                if await self.once():
                    pause = 0.0
            except Exception as error:
                if not is_transient(error):
                    raise
                logger("lists").warning("lists_wait", error=type(error).__name__)
                pause = _RETRY_S
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)

    async def once(self) -> bool:
        """One transaction; answers whether there may be more at once."""
        async with self._ground.db.transaction() as tx:
            if not await turning.take_turn(tx):
                return False
            found = await turning.due_cases(tx, BATCH)
            now, rows = await grid_now(tx), {}
            for case in found:
                book = await self._ground.directory.rulebook(case.rulebook)
                rows[case.case_id] = standing_row(case, book.calendar, max(now, case.last_at))
            await turning.rewrite(tx, rows)
            await turning.fold(tx)
            await turning.settle_oldest(tx, AREAS)
        return len(found) >= BATCH

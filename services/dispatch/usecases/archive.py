"""Closed cases whose time has come are put away, in small transactions that yield to live work."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from services.chassis.db import grid_now
from services.chassis.housekeeping import Turn
from services.dispatch.store.closed import long_closed, rulebooks_of_closed
from services.dispatch.store.locks import lock_cases
from services.dispatch.store.write import save
from services.dispatch.usecases.deciding import Cause, carry_out
from services.dispatch.usecases.ground import Ground
from services.governance.acts import Archive, Around
from services.governance.rulebook import Rulebook

BATCH: Final = 200
_ALONE: Final = Around()


class Archiving:
    """A chore of dispatch's housekeeping. It can be broken off anywhere: what is archived is no longer found."""

    name = "archive"
    every = timedelta(hours=1)

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def do(self, turn: Turn) -> None:
        """Every rulebook has its own waiting time, and a case keeps the rulebook it was opened under."""
        for version in await rulebooks_of_closed(turn.connection):
            rulebook = await self._ground.directory.rulebook(version)
            while await self._some(rulebook):
                await turn.stand_aside()

    async def _some(self, rulebook: Rulebook) -> bool:
        """One transaction; answers whether there may be more."""
        async with self._ground.db.transaction() as tx:
            ids = await long_closed(tx, rulebook.version, timedelta(days=rulebook.settings.archive_days), BATCH)
            cases, now = await lock_cases(tx, ids), await grid_now(tx)
            steps = [
                step
                for case in cases.values()
                for step in carry_out(case, Archive(), rulebook, now, _ALONE, ids=self._ground.ids, cause=Cause())
            ]
            await save(tx, steps, {})
        return len(ids) == BATCH and bool(steps)

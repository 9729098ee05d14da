"""Search rows made anew, a moment behind the cases: in small transactions, and never in the way of live events."""

from __future__ import annotations

import asyncio
from typing import Final

from services.chassis.clock import monotonic
from services.chassis.db import Database, is_transient
from services.chassis.directory import DirectoryCache
from services.chassis.telemetry import logger
from services.chassis.watchdog.pulse import Pulse
from services.dispatch.store import Tx
from services.dispatch.store.recomputes import waits
from services.dispatch.store.search_rows import Row, search_row
from services.dispatch.store.search_todo import Waiting, keep, note_forgotten, waiting

BATCH: Final = 100
EVERY_S: Final = 0.5
RETRY_S: Final = 2.0
LIVE_S: Final = 0.2
"""Where live events wait longer for the relay, a long list of notes waits for them."""


async def index_some(tx: Tx, directory: DirectoryCache, most: int = BATCH) -> int:
    """One batch within `tx`; how many notes it took."""
    waited = await waiting(tx, most)
    if waited is None:
        return 0
    await keep(tx, waited, await asyncio.to_thread(_rows, waited, directory))
    return len(waited.notes)


def _rows(waited: Waiting, directory: DirectoryCache) -> list[Row]:
    known = directory.current()
    return [
        search_row(case, waited.said.get(case.case_id, ()), waited.acted.get(case.case_id, ()), known)
        for case in waited.cases
    ]


class Indexing:
    """A part of the relay's process; of several such processes one is at it at a time."""

    def __init__(self, db: Database, directory: DirectoryCache) -> None:
        self._db = db
        self._directory = directory
        self.pulse = Pulse("search")

    async def run(self, stop: asyncio.Event) -> None:
        """Until stopped; a database that is away is waited for."""
        looked = False
        while not stop.is_set():
            pause = EVERY_S
            try:
                if not looked:
                    async with self._db.transaction() as tx:
                        await note_forgotten(tx)
                    looked = True
                pause = await self._round()
            except Exception as error:
                if not is_transient(error):
                    raise
                logger("search").warning("search_waits", error=type(error).__name__)
                pause = RETRY_S
            self.pulse.turn()
            await _sleep(pause, stop)

    async def _round(self) -> float:
        """One batch; how long to wait before the next. A long list takes half of the time at most."""
        began = monotonic()
        async with self._db.transaction() as tx:
            done = await index_some(tx, self._directory)
        if done < BATCH:
            return EVERY_S
        self.pulse.did(done)
        async with self._db.reading() as tx:
            live = await waits(tx)
        return EVERY_S if live > LIVE_S else monotonic() - began


async def _sleep(seconds: float, stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return

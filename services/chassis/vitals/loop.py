"""The loop that asks every probe, and says whether the database answers at all."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

from services.chassis.db import Database, Tx, is_transient
from services.chassis.telemetry import Metrics, logger

EVERY_S: Final = 10.0

_log = logger(__name__)


class Probe(Protocol):
    """One question to the database whose answer becomes metrics."""

    async def read(self, tx: Tx) -> None:
        """Ask in `tx`, a read-only view, and set the metrics."""
        ...


class Vitals:
    """Asks all probes every ten seconds, in one view of the database."""

    def __init__(self, db: Database, probes: Sequence[Probe], metrics: Metrics) -> None:
        self._db = db
        self._probes = tuple(probes)
        self._up = metrics.gauge("grid_database_up", "1 while the database answered the last question, else 0")

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; a database that is away shows as `grid_database_up` 0, any other fault ends the process."""
        while not stop.is_set():
            await self.look()
            try:
                async with asyncio.timeout(EVERY_S):
                    await stop.wait()
            except TimeoutError:
                continue

    async def look(self) -> None:
        """Ask once."""
        try:
            async with self._db.reading() as tx:
                for probe in self._probes:
                    await probe.read(tx)
        except Exception as error:
            if not is_transient(error):
                raise
            self._up.set(0)
            _log.warning("vitals.skipped", error=repr(error)[:300])
        else:
            self._up.set(1)

"""The firing loop: claims due timers by the database's clock, in batches, and sleeps until the next is due.

A step of the database's clock would fire everything at once, so a jump ahead of the steady clock pauses the firing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from services.chassis.db import Database, grid_now, is_transient
from services.chassis.ids import IdSource
from services.chassis.outbox import OutboxTables
from services.chassis.telemetry import Metrics, logger
from services.chassis.watchdog.pulse import Pulse
from services.chassis.watchdog.weather import Weather
from services.escalation.settings import TimerSettings
from services.escalation.store.timers import seconds_to_next
from services.escalation.usecases.fire import fire_due

RETRY_S = 0.5


class JumpGuard:
    """Compares the database's clock with the steady one; after a step ahead it asks for a pause."""

    def __init__(
        self, settings: TimerSettings, steady: Callable[[], float], told: Callable[[float], None] = lambda _: None
    ) -> None:
        self._settings = settings
        self._steady = steady
        self._told = told
        self._last: tuple[float, datetime] | None = None
        self._until = 0.0

    def clear(self, database_now: datetime) -> bool:
        """Whether firing may go on; to be asked each tick with the database's time."""
        steady = self._steady()
        if self._last is not None:
            ahead = (database_now - self._last[1]).total_seconds() - (steady - self._last[0])
            if ahead > self._settings.jump_s:
                self._until = steady + self._settings.jump_pause_s
                self._told(ahead)
                logger("timers").error("clock_jumped", ahead_s=round(ahead, 1), pause_s=self._settings.jump_pause_s)
        self._last = (steady, database_now)
        return steady >= self._until


class TimerLoop:
    """Fires until told to stop; a database that is away only makes firings late."""

    def __init__(
        self,
        db: Database,
        outbox: OutboxTables,
        ids: IdSource,
        settings: TimerSettings,
        metrics: Metrics,
        steady: Callable[[], float],
    ) -> None:
        self._db = db
        self._outbox = outbox
        self._ids = ids
        self._settings = settings
        self._jumps = metrics.counter("grid_clock_jumps", "Steps ahead of the database's clock that paused the firing")
        self._jump = metrics.gauge("grid_clock_jump_seconds", "How far the last of them went")
        self._guard = JumpGuard(settings, steady, self._jumped)
        self.pulse = Pulse("timers", Weather(db).excuse)
        self._fired = metrics.counter("grid_timers_fired_total", "Timer rungs fired")
        self._late = metrics.histogram("grid_timer_lateness_seconds", "From due to commit of the firing")

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; only weather is survived, any other fault ends the process."""
        while not stop.is_set():
            self.pulse.turn()
            try:
                pause = await self._tick()
            except Exception as error:
                if not is_transient(error):
                    raise
                logger("timers").warning("database_away", error=str(error))
                pause = RETRY_S
            if pause:
                await _sleep(stop, pause)

    def _jumped(self, seconds: float) -> None:
        self._jumps.inc()
        self._jump.set(seconds)

    async def _tick(self) -> float:
        """Fire one batch; answers how long to sleep, 0 while more may be due."""
        async with self._db.transaction() as tx:
            clear = self._guard.clear(await grid_now(tx))
            self.pulse.waits(None if clear else "the clock of the database to settle")
            if not clear:
                return RETRY_S
            fired = await fire_due(tx, self._outbox, self._ids, self._settings.batch)
            next_in = None if fired.more or fired.standby else await seconds_to_next(tx)
        self._fired.inc(fired.count)
        self.pulse.waits("its turn: another process fires" if fired.standby else None)
        self.pulse.has(1 if next_in is not None and next_in < 0 else 0)
        if fired.count:
            self.pulse.did(fired.count)
        for late in fired.lateness_s:
            self._late.observe(late)
        if fired.more:
            return 0.0
        wanted = self._settings.max_tick_s if next_in is None else next_in
        return min(max(wanted, self._settings.min_tick_s), self._settings.max_tick_s)


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return

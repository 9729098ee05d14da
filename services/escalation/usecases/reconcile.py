"""Compares all timers with the clocks of all cases, mends what differs and counts it: none is expected.

Small transactions with pauses between them: a comparison of a million cases must not make one firing late. One process
does it, whoever has the turn; broken off anywhere it begins anew with the next.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final
from uuid import UUID

from services.chassis.db import Database, grid_now, is_transient
from services.chassis.telemetry import Metrics, logger
from services.chassis.watchdog.pulse import Pulse
from services.chassis.watchdog.weather import Weather
from services.escalation.settings import TimerCheckSettings
from services.escalation.store import checks
from services.escalation.store.checks import MOST_NAMED, Case, Difference, Found

_NOBODY: Final = UUID(int=0)
LOOK_S: Final = 2.0
"""How soon a comparison that somebody asks for is begun."""
RETRY_S: Final = 1.0


class Reconciler:
    """At each start, then every so often, and whenever it is asked for. A database that is away only delays it."""

    def __init__(
        self, db: Database, settings: TimerCheckSettings, metrics: Metrics, steady: Callable[[], float]
    ) -> None:
        self._db = db
        self._settings = settings
        self._steady = steady
        self._next: float | None = None
        self.pulse = Pulse("timer checks", Weather(db).excuse)
        self._mended = metrics.counter(
            "grid_timer_repairs_total", "Timers that were not armed as they must be", ["what"]
        )
        for what in ("missing", "surplus", "moved"):
            self._mended.labels(what)
        self._checks = metrics.counter("grid_timer_checks_total", "Comparisons of all timers with the cases' clocks")
        self._stepless = metrics.gauge(
            "grid_cases_without_step", "Overdue cases for which nothing will happen by itself"
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        while not stop.is_set():
            self.pulse.turn()
            pause = LOOK_S
            try:
                if await self._wanted() and await self.once(stop) is not None:
                    self._next = self._steady() + self._settings.every_s
            except Exception as error:
                if not is_transient(error):
                    raise
                logger("timers").warning("timer_check_waits", error=type(error).__name__)
                pause = RETRY_S
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)

    async def _wanted(self) -> bool:
        if self._next is None or self._steady() >= self._next:
            return True
        async with self._db.reading() as tx:
            return await checks.asked_for(tx) is not None

    async def once(self, stop: asyncio.Event) -> Found | None:
        """One whole comparison; None: another process is at it, or `stop` came between."""
        async with self._db.session() as turn:
            if not await checks.take_turn(turn):
                return None
            async with self._db.transaction() as tx:
                number = await checks.begin(tx)
            found = Found()
            async for ids in self._pages():
                began = self._steady()
                await self._page(number, ids, found)
                self.pulse.turn()
                worked = self._steady() - began
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), worked * (1 / self._settings.share - 1))
                if stop.is_set():
                    return None
            async with self._db.transaction() as tx:
                await checks.note(tx, number, found)
                await checks.end(tx, number)
        self._checks.inc()
        self._stepless.set(found.stepless)
        return found

    async def _pages(self) -> AsyncIterator[Sequence[str]]:
        """All live cases, then those that are not and have timers all the same."""
        last: UUID | None = _NOBODY
        while last is not None:
            async with self._db.reading() as tx:
                live = await checks.live_cases(tx, last, self._settings.batch)
            last = live[-1] if live else None
            if live:
                yield [str(one) for one in live]
        after: str | None = ""
        while after is not None:
            async with self._db.reading() as tx:
                seen, over = await checks.armed_cases(tx, after, self._settings.batch)
            after = seen[-1] if seen else None
            if over:
                yield over

    async def _page(self, number: int, ids: Sequence[str], found: Found) -> None:
        async with self._db.reading() as tx:
            cases = await checks.compare(tx, ids, await grid_now(tx))
        for case in cases:
            _count(case, found)
        wrong = [case.case_id for case in cases if checks.differences(case)]
        if wrong:
            await self._mend(number, wrong, found)

    async def _mend(self, number: int, ids: Sequence[str], found: Found) -> None:
        """Look again while nobody else can move them: what has been put right meanwhile is no difference."""
        async with self._db.transaction() as tx:
            await checks.hold(tx, ids)
            cases = await checks.compare(tx, ids, await grid_now(tx))
            wrong = [case for case in cases if checks.differences(case)]
            mended = [one for case in wrong for one in checks.differences(case)]
            await checks.mend(tx, wrong)
            _add(mended, found)
            await checks.note(tx, number, found, mended)
        for one in mended:
            self._mended.labels(one.what).inc()
            clock, rev, rung = one.point
            told = {"case_id": one.case_id, "clock_id": clock, "rev": rev, "rung": rung, "due_at": str(one.due_at)}
            logger("timers").error("timer_mended", what=one.what, **told)


def _count(case: Case, found: Found) -> None:
    found.cases += case.case_no is not None
    found.unheard += not case.heard
    found.armed += len(case.armed)
    found.overdue += case.late
    if case.late and case.heard and not case.wanted and not case.acting:
        found.stepless += 1
        if len(found.stepless_cases) < MOST_NAMED and case.case_no is not None:
            found.stepless_cases.append(case.case_no)


def _add(mended: Sequence[Difference], found: Found) -> None:
    for one in mended:
        setattr(found, one.what, getattr(found, one.what) + 1)

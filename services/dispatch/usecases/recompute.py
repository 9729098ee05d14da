"""Due times counted anew after a calendar has changed: in small transactions, behind a cursor, after live work.

A job may be broken off anywhere and goes on at its cursor. The cases of a page, their facts and the cursor are one
transaction; a page gone through twice changes nothing the second time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from schemas.rulebook import load_calendar
from services.chassis.clock import monotonic
from services.chassis.db import Tx, grid_now
from services.chassis.housekeeping import Turn
from services.dispatch.store import recomputes
from services.dispatch.store.locks import lock_cases
from services.dispatch.store.near import near_cases
from services.dispatch.store.recomputes import Job
from services.dispatch.store.write import Step, save
from services.dispatch.usecases.around import around_case
from services.dispatch.usecases.deciding import Cause, carry_out
from services.dispatch.usecases.ground import Ground
from services.governance.acts import Around, Recompute
from services.governance.case import Case
from services.governance.rulebook import Rulebook
from services.governance.worktime import CalendarChange

LIVE_S: Final = 0.2
"""Live events that wait longer for the relay go first."""
SETTLE_S: Final = 5.0
"""After so long every process counts by the new calendar: each looks for one every second."""
PAUSE_S: Final = 0.05

Told = Callable[[Job, str], None]
"""Hears how far a job is, and what it waits for: 'work', 'live' or 'processes'."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How gentle: cases in one transaction, cases a second at most, seconds until it stands aside by itself."""

    batch: int = 20
    per_second: float = 100.0
    most_s: float | None = None


class Recomputing:
    """Goes through the jobs, one at a time and one process at a time."""

    def __init__(self, ground: Ground, pace: Pace, told: Told, *, settle_s: float = SETTLE_S) -> None:
        self._ground = ground
        self._pace = pace
        self._told = told
        self._settle_s = settle_s
        self._changes: dict[tuple[int, str, str], CalendarChange] = {}

    async def run(self, stop: asyncio.Event) -> bool:
        """Until no job is left; False where another process is at it. Raises database errors: call it again."""
        until = monotonic() + self._pace.most_s if self._pace.most_s is not None else None
        async with self._ground.db.session() as session:
            if not await recomputes.take_turn(session):
                return False
            while (job := await self._first()) is not None and not _over(stop, until):
                await self._settled(job, stop)
                await self._through(job, stop, until)
        return True

    async def _first(self) -> Job | None:
        async with self._ground.db.reading() as tx:
            return next(iter(await recomputes.unfinished(tx)), None)

    async def _settled(self, job: Job, stop: asyncio.Event) -> None:
        async with self._ground.db.reading() as tx:
            age = (await grid_now(tx) - job.asked_at).total_seconds()
        if age < self._settle_s:
            self._told(job, "processes")
            await _sleep(self._settle_s - age, stop)
        await self._ground.directory.refresh()

    async def _through(self, job: Job, stop: asyncio.Event, until: float | None) -> None:
        began, done = monotonic(), 0
        while not _over(stop, until):
            await self._stand_aside(job, stop)
            looked = await self._page(job)
            if looked is None:
                return
            job, done = looked, done + self._pace.batch
            self._told(job, "work")
            await _sleep(began + done / self._pace.per_second - monotonic(), stop)

    async def _stand_aside(self, job: Job, stop: asyncio.Event) -> None:
        """Let live work go first, however long it takes."""
        while not stop.is_set():
            async with self._ground.db.reading() as tx:
                if await recomputes.waits(tx) <= LIVE_S:
                    return
            self._told(job, "live")
            await _sleep(PAUSE_S, stop)

    async def _page(self, job: Job) -> Job | None:
        """One transaction; None: nothing is left of the job."""
        async with self._ground.db.transaction() as tx:
            places = await recomputes.next_page(tx, job.id, self._pace.batch)
            if not places:
                await recomputes.end(tx, job.id)
                return None
            cases = await lock_cases(tx, [place.id for place in places])
            steps = await self._steps(tx, job, list(cases.values()))
            await save(tx, steps, {})
            changed = len({step.after.case_id for step in steps})
            looked, changed = await recomputes.move_on(tx, job.id, places[-1], len(places), changed)
        return replace(job, looked=looked, changed=changed)

    async def _steps(self, tx: Tx, job: Job, cases: Sequence[Case]) -> list[Step]:
        now, directory = await grid_now(tx), self._ground.directory.current()
        beside = await near_cases(tx, cases)
        asked = []
        for case in cases:
            book = await self._ground.directory.rulebook(case.rulebook)
            around = around_case(directory, case, now, beside.get(case.case_id, ()), book=book)
            asked.append((case, Recompute(await self._change(tx, job, book)), book, around))

        def decide() -> list[Step]:
            return [step for each in asked for step in self._asked(*each, now)]

        return await asyncio.to_thread(decide)

    def _asked(self, case: Case, command: Recompute, book: Rulebook, around: Around, now: datetime) -> list[Step]:
        return carry_out(case, command, book, now, around, ids=self._ground.ids, cause=Cause())

    async def _change(self, tx: Tx, job: Job, book: Rulebook) -> CalendarChange:
        """From the calendar before the job to the one that the rulebook has now."""
        key = (job.id, book.calendar.id, book.calendar.revision)
        if key not in self._changes:
            before = load_calendar(book.calendar.id, await recomputes.calendar_texts(tx, job.before))
            self._changes[key] = CalendarChange.between(before, book.calendar)
        return self._changes[key]


class Abandoned:
    """A chore of dispatch's housekeeping: jobs that nobody is going through, a while at a time."""

    name = "recompute"
    every = timedelta(seconds=15)

    def __init__(self, ground: Ground, per_second: float) -> None:
        self._pace = Pace(batch=5, per_second=per_second, most_s=60.0)
        self._ground = ground

    async def do(self, turn: Turn) -> None:
        """What is left then waits for the next round; whoever else is at it keeps it."""
        if await recomputes.unfinished(turn.connection):
            await Recomputing(self._ground, self._pace, _quietly).run(turn.stop)


def _quietly(_job: Job, _now: str) -> None:
    """The chore tells nobody but the metrics of housekeeping."""


def _over(stop: asyncio.Event, until: float | None) -> bool:
    return stop.is_set() or (until is not None and monotonic() >= until)


async def _sleep(seconds: float, stop: asyncio.Event) -> None:
    """Not at all where there is no time left, but let others run."""
    try:
        async with asyncio.timeout(max(0.0, seconds)):
            await stop.wait()
    except TimeoutError:
        return

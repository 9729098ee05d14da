"""Comparing many cases: read in portions, lived again by as many processes as there are processors, put together in
the order of the cases whatever the order in which the portions were ready."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context

from services.chassis.db import Database
from services.dispatch.store.recorded import Period, Selection, calendar_states, facts_of_cases, rulebook_texts
from services.dispatch.whatif.compare import Pair, answer, compare
from services.dispatch.whatif.library import Library, Shelf, UnknownDays, library_of
from services.dispatch.whatif.model import Compared, Verdict
from services.dispatch.whatif.record import Record, Stored, record_of, until

PORTION = 200
ALONE = 2 * PORTION  # so few cases are not worth starting processes
AHEAD = 2  # portions read for each process before the first is waited for
Told = Callable[[int], None]
"""Told how many more cases have been compared."""


@dataclass(frozen=True, slots=True)
class Span:
    """Which cases, and until when they are looked at."""

    case_ids: tuple[str, ...]
    end: datetime


def span_of(selection: Selection, period: Period) -> Span:
    """To the end of the period, or to the last thing that happened to one of the cases."""
    end = period.until or selection.last_at or period.since
    return Span(selection.case_ids, end)


async def shelf_of(db: Database, street: str, changed: str, name: str, days: Mapping[str, str] | None) -> Shelf:
    """The street's rulebooks and all calendars there have been, beside the changed rulebook."""
    async with db.reading() as tx:
        return Shelf.of(await rulebook_texts(tx, street), await calendar_states(tx), changed, name, days)


async def compare_all(db: Database, span: Span, shelf: Shelf, told: Told) -> list[Compared]:
    """The answer for every case, in their order."""
    portions = [span.case_ids[at : at + PORTION] for at in range(0, len(span.case_ids), PORTION)]
    compared: list[Compared] = []
    with _workers(len(span.case_ids)) as (pool, many):
        waiting: deque[asyncio.Future[list[Compared]]] = deque()
        for portion in portions:
            async with db.reading() as tx:
                rows = await facts_of_cases(tx, portion)
            loop = asyncio.get_running_loop()
            waiting.append(loop.run_in_executor(pool, compare_portion, shelf, span.end, rows))
            if len(waiting) >= AHEAD * many:
                compared += await _next(waiting, told)
        while waiting:
            compared += await _next(waiting, told)
    return compared


async def compare_again(
    db: Database, case_id: str, shelf: Shelf, end: datetime
) -> tuple[Compared, Pair | None, Record]:
    """One case in full, to be explained."""
    async with db.reading() as tx:
        (rows,) = await facts_of_cases(tx, [case_id])
    record = until(record_of(rows), end)
    library = library_of(shelf)
    return *compare(record, library.own(record.rulebook), library.changed, end), record


def compare_portion(shelf: Shelf, end: datetime, portion: Sequence[Sequence[Stored]]) -> list[Compared]:
    """What one process does."""
    library = library_of(shelf)
    return [one for rows in portion if (one := _compared(library, end, rows)) is not None]


def _compared(library: Library, end: datetime, rows: Sequence[Stored]) -> Compared | None:
    record = until(record_of(rows), end)
    if not record.asks:
        return None  # it was reported, but not taken in before the end
    try:
        return compare(record, library.own(record.rulebook), library.changed, end)[0]
    except UnknownDays as error:
        return answer(record, Verdict.NOT_REPRODUCIBLE, f"unknown:{error}")


async def _next(waiting: deque[asyncio.Future[list[Compared]]], told: Told) -> list[Compared]:
    done = await waiting.popleft()
    told(len(done))
    return done


@contextmanager
def _workers(cases: int) -> Iterator[tuple[Executor | None, int]]:
    """A pool, or the loop's own thread for a few cases."""
    many = len(os.sched_getaffinity(0))
    if cases <= ALONE or many < 2:
        yield None, 1
        return
    with ProcessPoolExecutor(many, mp_context=get_context("spawn")) as pool:
        yield pool, many

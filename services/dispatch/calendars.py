"""`grid calendar load|check|show|recompute`: the working calendar from a terminal."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tomllib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from schemas.calendars import read_calendar
from schemas.rulebook import UnknownCalendar
from schemas.rulebook_faults import RulebookFileError
from schemas.rulebook_file import CalendarFile
from services.chassis.audit import by_hand
from services.chassis.db import grid_now, is_transient
from services.chassis.directory.read import read_calendars
from services.chassis.serve import ExitCode
from services.chassis.terminal import unreadable
from services.dispatch.settings import DispatchSettings
from services.dispatch.store import recomputes
from services.dispatch.store.recomputes import Job
from services.dispatch.usecases.calendars import AlreadyConfirmed, Loaded, load_year
from services.dispatch.usecases.ground import Ground
from services.dispatch.usecases.recompute import Pace, Recomputing
from services.governance.worktime import DayKind

AGAIN_S: Final = 2.0
BEHIND_LIVE_WORK: Final = 10  # nice
SHOWN_DAYS: Final = 12
WARN_DAYS: Final = 120


def calendar_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of `calendar`."""
    verbs = parser.add_subparsers(dest="verb", required=True)
    load = verbs.add_parser("load", help="keep one year's file as a new revision and count running deadlines anew")
    load.add_argument("file", type=Path, help="the year's file, TOML")
    load.add_argument("--later", action="store_true", help="only keep it; dispatch's housekeeping counts anew")
    check = verbs.add_parser("check", help="check a year's file and say what it would change; writes nothing")
    check.add_argument("file", type=Path, help="the year's file, TOML")
    verbs.add_parser("show", help="the years that are kept, what each rests on, and jobs that are not done")
    verbs.add_parser("recompute", help="go on with jobs that were broken off")


async def run_calendar(base: Ground, asked: argparse.Namespace) -> int:
    """One verb; what is wrong with a file goes to stderr, a line each."""
    try:
        return await _VERBS[asked.verb](base, asked)
    except RulebookFileError as error:
        sys.stderr.writelines(f"{line}\n" for line in error.told("en-US"))
    except (OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"grid calendar: {unreadable(asked.file, error)}\n")
    except (AlreadyConfirmed, UnknownCalendar) as error:
        sys.stderr.write(f"grid calendar: {error}\n")
    return ExitCode.FAILED


async def _load(base: Ground, asked: argparse.Namespace) -> int:
    text = await asyncio.to_thread(asked.file.read_text, "utf-8")
    async with base.db.transaction() as tx:
        loaded = await load_year(tx, text, asked.file.name, by_hand())
    _tell_loaded(loaded)
    if loaded.job is None or asked.later:
        return ExitCode.OK
    return await _recompute(base, asked)


async def _check(base: Ground, asked: argparse.Namespace) -> int:
    """As `load`, in a transaction that is taken back."""
    text = await asyncio.to_thread(asked.file.read_text, "utf-8")
    file = read_calendar(text, asked.file.name)
    try:
        async with base.db.transaction() as tx:
            loaded = await load_year(tx, text, asked.file.name, by_hand())
            jobs = await recomputes.unfinished(tx)
            raise _TakenBack
    except _TakenBack:
        _say(f"{asked.file.name}: {_year_line(file)}")
    _tell_loaded(loaded, would="would be ")
    mine = next((job for job in jobs if job.id == loaded.job), None)
    if mine is not None:
        _say(f"{mine.total} open cases with a limit on working time beyond {mine.since:%Y-%m-%d} would be looked at")
    return ExitCode.OK


async def _show(base: Ground, _: argparse.Namespace) -> int:
    async with base.db.reading() as tx:
        revisions, (_digest, texts) = await recomputes.calendar_revisions(tx), await read_calendars(tx)
        jobs = await recomputes.unfinished(tx)
        today = (await grid_now(tx)).date()
    days_left = _confirmed_days(texts.values(), today)
    table = Table("file", "revision", "calendar", "year", "confirmed", "holidays", "make-up days", "rests on")
    for name, text in texts.items():
        raw = CalendarFile.model_validate(_toml(text))
        days = [(row.kind, sum(1 for _ in row.dates())) for row in raw.days]
        free, made_up = (sum(n for kind, n in days if kind is wanted) for wanted in (DayKind.HOLIDAY, DayKind.WORKDAY))
        rests = f"{raw.source} {raw.notice or ''}".strip()
        sure = "yes" if raw.confirmed else "no"
        table.add_row(name, str(revisions[name]), raw.calendar, str(raw.year), sure, str(free), str(made_up), rests)
    Console().print(table)
    if days_left is not None and days_left < WARN_DAYS:
        _say(f"the last confirmed year ends in {days_left} days: load the next notice when it is out")
    for job in jobs:
        _say(f"job {job.id} of {job.asked_at:%Y-%m-%d %H:%M} by {job.asked_by}: {job.looked} of {job.total} looked at")
    return ExitCode.OK


async def _recompute(base: Ground, _: argparse.Namespace) -> int:
    """In the foreground, at a low priority; Ctrl-C leaves the rest to housekeeping or to the next call."""
    async with base.db.reading() as tx:  # where there is none to begin with, nobody waits for it
        await grid_now(tx)
    os.nice(BEHIND_LIVE_WORK)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    with _Screen() as screen:
        work = Recomputing(base, Pace(per_second=DispatchSettings().recompute_per_s), screen.at)
        while not await _attempt(work, stop):
            if stop.is_set():
                break
            await asyncio.sleep(AGAIN_S)
    async with base.db.reading() as tx:
        left = await recomputes.unfinished(tx)
    _say(screen.told())
    if left:
        _say(f"{len(left)} not done: it goes on by itself, or with `grid calendar recompute`")
    return ExitCode.OK


async def _attempt(work: Recomputing, stop: asyncio.Event) -> bool:
    """False: try again. Somebody else at it, or a database that is away, is only waited for."""
    try:
        return await work.run(stop)
    except Exception as error:
        if not is_transient(error):
            raise
        sys.stderr.write("waiting for the database\n")
        return False


class _TakenBack(Exception):
    """Ends a transaction that was only for looking."""


class _Screen:
    """A progress bar on a terminal, a line now and then elsewhere."""

    _WORDS: Final = {
        "work": "",
        "live": "waiting: live work goes first",
        "processes": "waiting until every process has the calendar",
    }

    def __init__(self) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[now]}"),
        )
        self._progress = Progress(
            *columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(file=sys.stderr)
        )
        self._task = self._progress.add_task("deadlines", total=None, now="")
        self._last: dict[int, Job] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def at(self, job: Job, now: str) -> None:
        """One more page, or something to wait for."""
        self._last[job.id] = job
        self._progress.update(
            self._task, total=max(job.total, job.looked), completed=job.looked, now=self._WORDS.get(now, now)
        )

    def told(self) -> str:
        """The figures of every job gone through."""
        looked, changed = (sum(getattr(job, name) for job in self._last.values()) for name in ("looked", "changed"))
        return f"{looked} cases looked at, {changed} changed"


def _tell_loaded(loaded: Loaded, would: str = "") -> None:
    if not loaded.new:
        _say(f"{loaded.name}: says what is kept already; nothing changes")
        return
    _say(f"{loaded.name}: {would}kept as a new revision")
    for calendar, change in loaded.changes.items():
        if change.days:
            _say(f"  {calendar}: hours differ on {_days(change.days)}")
        if change.confirmed:
            _say(f"  {calendar}: confirmed now: {', '.join(str(year) for year in sorted(change.confirmed))}")
    if loaded.job is None:
        _say("  no running deadline can move")


def _confirmed_days(texts: Iterable[str], today: date) -> int | None:
    """Days until the end of the last confirmed year; None: none is confirmed."""
    files = [CalendarFile.model_validate(_toml(text)) for text in texts]
    last = max((file.year for file in files if file.confirmed), default=None)
    return (date(last, 12, 31) - today).days if last is not None else None


def _days(days: Sequence[date]) -> str:
    shown = ", ".join(day.isoformat() for day in days[:SHOWN_DAYS])
    return shown + (f" and {len(days) - SHOWN_DAYS} more" if len(days) > SHOWN_DAYS else "")


def _year_line(file: CalendarFile) -> str:
    rests = f"rests on {file.notice} of {file.published}" if file.confirmed else "provisional"
    return f"{file.calendar} {file.year}, {rests}, {sum(1 for row in file.days for _ in row.dates())} days"


def _toml(text: str) -> dict[str, object]:
    return tomllib.loads(text.removeprefix("\ufeff"))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


_VERBS: dict[str, Callable[[Ground, argparse.Namespace], Awaitable[int]]] = {
    "load": _load,
    "check": _check,
    "show": _show,
    "recompute": _recompute,
}
CALENDAR_HELP: Final = "the working calendar: load a year's notice, check one, show what is kept"

"""`grid feed` and `grid history`: the feed from a terminal."""

from __future__ import annotations

import argparse
import asyncio
import math
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from services.chassis.clock import LOCAL, SystemClock
from services.chassis.db import grid_now
from services.chassis.directory import Directory
from services.chassis.directory.files import read_street
from services.chassis.ids import SystemIds
from services.chassis.serve import ExitCode
from services.chassis.settings import DispatchHttpSettings
from services.dispatch.feed.history import Era, write_history
from services.dispatch.feed.people import Streets
from services.dispatch.feed.play import FeedPlan, Played, play
from services.dispatch.settings import DispatchSettings
from services.dispatch.usecases.ground import Ground

FIELD = ("GW", "GS")
DESKS = ("CS", "IC", "DP", "DC", "HU", "MU", "VF", "DI", "SL")


def feed_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of `feed`."""
    parser.add_argument("--per-minute", type=_above_zero, default=6.0, help="reports a minute, on average (default 6)")
    parser.add_argument("--minutes", type=_above_zero, help="stop after so long; default: until Ctrl-C")
    parser.add_argument("--reports", type=_count, help="stop after so many reports")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same matters")
    parser.add_argument("--people", action="store_true", help="people act too, some late, some returning")
    parser.add_argument(
        "--pace", type=_above_zero, default=5.0, help="seconds between two rounds of people (default 5)"
    )
    parser.add_argument("--patient", action="store_true", help="wait while the system is away instead of ending")


def history_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of `history`."""
    parser.add_argument("--days", type=_count, default=60, help="how many days back (default 60)")
    parser.add_argument("--per-day", type=_count, default=45, help="rows a working day, on average (default 45)")
    parser.add_argument("--seed", type=int, default=1, help="same seed and day, same rows")
    parser.add_argument("--out", type=Path, required=True, help="the CSV file to write")


def _above_zero(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0, such as 6 or 0.5")
    return number


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)


async def run_feed(base: Ground, asked: argparse.Namespace) -> int:
    """Play until the plan ends or somebody presses Ctrl-C."""
    directory = await base.directory.refresh()
    now = await _now(base)
    reporters, desks = (_holders(directory, roles, now) for roles in (FIELD, DESKS))
    if not reporters:
        sys.stderr.write("grid feed: there is no sample street here; `grid up` loads one\n")
        return ExitCode.NOT_READY
    settings = DispatchSettings()
    plan = FeedPlan(
        streets=Streets(settings.intake_url, f"http://127.0.0.1:{DispatchHttpSettings().port}"),
        reporters=reporters,
        desks=desks,
        password=await asyncio.to_thread(_password, settings.sample_dir),
        seed=asked.seed,
        per_minute=asked.per_minute,
        minutes=asked.minutes,
        reports=asked.reports,
        people=asked.people,
        pace_s=asked.pace,
        patient=asked.patient,
    )
    return await _played(plan)


def _holders(directory: Directory, roles: Sequence[str], now: datetime) -> list[str]:
    """Logins of the sample's people who hold one of these posts."""
    return sorted(
        account.login
        for account in directory.accounts.values()
        if account.sample and any(post.role.value in roles for post in directory.posts_of(account.account_id, now))
    )


def _password(folder: Path) -> str:
    """The public password of the sample's accounts."""
    return read_street(folder).password or ""


async def _played(plan: FeedPlan) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    tell = _teller(sys.stderr.isatty())
    try:
        played = await play(plan, SystemClock(), SystemIds(), stop, tell)
    except httpx.ConnectError as error:
        where = error.request.url.copy_with(raw_path=b"/")
        sys.stderr.write(f"\ngrid feed: nobody answers at {where}; `grid status` shows what runs\n")
        return ExitCode.NOT_READY
    except httpx.HTTPStatusError as error:
        sys.stderr.write(f"\ngrid feed: {error.request.method} {error.request.url}: {error.response.text[:500]}\n")
        return ExitCode.FAILED
    except httpx.HTTPError as error:
        sys.stderr.write(f"\ngrid feed: {error or type(error).__name__}\n")
        return ExitCode.FAILED
    sys.stdout.write(f"{played.line()}\n")
    return ExitCode.OK


def _teller(live: bool) -> Callable[[Played], None]:
    def tell(played: Played) -> None:
        if live:
            sys.stderr.write(f"\r{played.line()}")
            sys.stderr.flush()

    return tell


async def run_history(base: Ground, asked: argparse.Namespace) -> int:
    """Write the days that went before today."""
    directory = await base.directory.refresh()
    street = next((one.code for one in directory.streets.values() if one.sample), None)
    if street is None:
        sys.stderr.write("grid history: there is no sample street here\n")
        return ExitCode.NOT_READY
    now = await _now(base)
    rulebook = await base.directory.current_rulebook(street, now)
    era = Era(until=now.astimezone(LOCAL).date(), days=asked.days, per_day=asked.per_day, seed=asked.seed)
    count = await asyncio.to_thread(write_history, asked.out, directory, rulebook, era)
    since = era.until - timedelta(days=era.days)
    sys.stdout.write(f"{count} rows of {since} to {era.until - timedelta(days=1)} in {asked.out}\n")
    return ExitCode.OK


async def _now(base: Ground) -> datetime:
    async with base.db.reading() as tx:
        return await grid_now(tx)


FEED_COMMANDS: dict[str, Callable[[Ground, argparse.Namespace], Awaitable[int]]] = {
    "feed": run_feed,
    "history": run_history,
}
ARGUMENTS: Sequence[tuple[str, str, Callable[[argparse.ArgumentParser], None]]] = (
    ("feed", "play a believable stream of reports into the sample street", feed_arguments),
    ("history", "write the sample's days before today as a file to import", history_arguments),
)

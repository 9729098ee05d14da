"""`python -m services.dispatch serve|worker|relay|sample|count|calendar|what-if|…`; `--help` lists them all."""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence

from schemas.labels import LANGUAGES, Labels
from services.chassis.serve import ExitCode, run
from services.chassis.settings import DispatchHttpSettings, HomeSettings
from services.chassis.terminal import not_there
from services.dispatch.app import build_relay, build_server, build_worker, ground, make_app
from services.dispatch.areas import (
    CELLS_HELP,
    PLACES_HELP,
    cells_arguments,
    places_arguments,
    run_cells,
    run_places,
)
from services.dispatch.calendars import CALENDAR_HELP, calendar_arguments, run_calendar
from services.dispatch.feed.command import ARGUMENTS, FEED_COMMANDS
from services.dispatch.imports import load_sample
from services.dispatch.settings import DispatchSettings
from services.dispatch.store.imports import COUNT_BY, agreement, count_cases, unknown_units
from services.dispatch.store.queues import QUEUES
from services.dispatch.usecases.ground import Ground
from services.dispatch.whatif.arguments import WHATIF_ARGUMENTS, WHATIF_COMMANDS

_UNDER = {"what-if": "rulebook "}
"""Commands that `grid` has in a group."""
_PROCESSES = {"serve": build_server, "worker": build_worker, "relay": build_relay}


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 done, 1 failed, 2 wrong words, 69 something is missing."""
    asked = _parser().parse_args(arguments)
    if asked.command in _PROCESSES:
        return run(_PROCESSES[asked.command])
    if asked.command == "openapi":
        _say(json.dumps(make_app(DispatchHttpSettings(), None).openapi(), ensure_ascii=False, indent=2))
        return ExitCode.OK
    if asked.command == "check":
        return _check()
    return asyncio.run(_once(_COMMANDS[asked.command], asked))


def _parser() -> argparse.ArgumentParser:
    return parsers()[0]


def parsers() -> tuple[argparse.ArgumentParser, Mapping[str, argparse.ArgumentParser]]:
    """The whole command line, and each command's own."""
    parser = argparse.ArgumentParser(prog="python -m services.dispatch", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="HTTP: console, desks, cases")
    commands.add_parser("worker", help="consume reports, timers and commands")
    commands.add_parser("relay", help="carry events to Kafka")
    commands.add_parser("openapi", help="print the API description")
    commands.add_parser("check", help="say whether the parts fit together; needs no database")
    commands.add_parser("sample", help="load the sample street; again changes nothing")
    count = commands.add_parser("count", help="count cases", prog="grid count")
    count.add_argument("--by", default=",".join(COUNT_BY), help=f"some of {', '.join(COUNT_BY)}, comma separated")
    count.add_argument("--source", help="only cases of this source")
    count.add_argument("--csv", action="store_true", help="for programs")
    same = commands.add_parser("agreement", help="imported unit against the rulebook's choice, by category")
    same.add_argument("--csv", action="store_true", help="for programs")
    own = (
        ("calendar", CALENDAR_HELP, calendar_arguments),
        ("cells", CELLS_HELP, cells_arguments),
        ("places", PLACES_HELP, places_arguments),
    )
    for name, text, add in (*ARGUMENTS, *WHATIF_ARGUMENTS, *own):
        add(commands.add_parser(name, help=text, prog=f"grid {_UNDER.get(name, '')}{name}"))
    return parser, commands.choices


def _check() -> int:
    """What can be known without database and broker: the application builds, every list has its words."""
    make_app(DispatchHttpSettings(), None).openapi()
    missing = [f"{lang}: queue.{queue.id}" for lang in LANGUAGES for queue in QUEUES if not _has_word(lang, queue.id)]
    sys.stderr.writelines(f"no word for {each}\n" for each in missing)
    return ExitCode.FAILED if missing else ExitCode.OK


def _has_word(lang: str, queue_id: str) -> bool:
    return f"queue.{queue_id}" in Labels(lang)


async def _once(command: Callable[[Ground, argparse.Namespace], Awaitable[int]], asked: argparse.Namespace) -> int:
    base = ground("dispatch-command")
    try:
        return await command(base, asked)
    except Exception as error:
        told = not_there(error, HomeSettings().home)
        if told is None:
            raise
        sys.stderr.write(f"grid {asked.command}: {told}\n")
        return ExitCode.NOT_READY
    finally:
        await base.db.close()


async def _sample(base: Ground, _: argparse.Namespace) -> int:
    fresh = await load_sample(base.db, DispatchSettings().sample_dir, base.ids)
    _say("sample street loaded" if fresh else "sample street is up to date")
    return ExitCode.OK


async def _count(base: Ground, asked: argparse.Namespace) -> int:
    by = [name.strip() for name in asked.by.split(",") if name.strip()]
    unknown = [name for name in by if name not in COUNT_BY]
    if unknown or not by:
        sys.stderr.write(f"--by takes some of {', '.join(COUNT_BY)}, not {', '.join(unknown) or 'nothing'}\n")
        return ExitCode.USAGE
    async with base.db.reading() as tx:
        counts = await count_cases(tx, by, asked.source)
    _table(counts.header, counts.rows, as_csv=asked.csv)
    return ExitCode.OK


async def _agreement(base: Ground, asked: argparse.Namespace) -> int:
    async with base.db.reading() as tx:
        rows = await agreement(tx)
        strangers = await unknown_units(tx)
    told = [(r.category, r.rows, r.named, r.same, f"{r.same / r.named:.2f}" if r.named else "") for r in rows]
    _table(["category", "rows", "with_unit", "same", "share"], told, as_csv=asked.csv)
    if strangers and not asked.csv:
        _say("\nunits that the directory does not know:")
        _table(["unit", "rows"], [(s.unit, s.rows) for s in strangers], as_csv=False)
    return ExitCode.OK


def _table(names: Sequence[str], rows: Sequence[Sequence[object]], *, as_csv: bool) -> None:
    """CSV, or columns for people."""
    if as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
        return
    cells = [list(names), *([("-" if cell is None else str(cell)) for cell in row] for row in rows)]
    widths = [max(len(row[n]) for row in cells) for n in range(len(names))]
    for row in cells:
        _say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


_COMMANDS: dict[str, Callable[[Ground, argparse.Namespace], Awaitable[int]]] = {
    "sample": _sample,
    "count": _count,
    "agreement": _agreement,
    "calendar": run_calendar,
    "cells": run_cells,
    "places": run_places,
    **FEED_COMMANDS,
    **WHATIF_COMMANDS,
}

if __name__ == "__main__":
    raise SystemExit(main())

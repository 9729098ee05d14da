"""`grid cells check|load|show` and `grid places check|load`: a street's cells and named places from files."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from schemas.labels import LANGUAGES, Labels
from services.chassis.coordinates import Crs
from services.chassis.directory.areas import EVER
from services.chassis.directory.model import Directory
from services.chassis.directory.read import read_head
from services.chassis.directory.survey.cells import CellSurvey, survey_cells
from services.chassis.directory.survey.faults import LET_PASS, Fault, FaultKind, FaultyFile, stopping
from services.chassis.directory.survey.keeping import keep_cells
from services.chassis.directory.survey.keeping_places import keep_places
from services.chassis.directory.survey.places import PlaceSurvey, survey_places
from services.chassis.serve import ExitCode
from services.chassis.terminal import unreadable
from services.dispatch.usecases.ground import Ground

Asked = argparse.Namespace
_ENCODINGS = ("utf-8-sig", "gb18030")


def cells_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of `cells`."""
    verbs = parser.add_subparsers(dest="verb", required=True)
    check = verbs.add_parser("check", help="check a file of cells and tell every fault; writes nothing")
    load = verbs.add_parser("load", help="keep a file of cells, which hold from a day on")
    for verb in (check, load):
        _file_arguments(verb, "GeoJSON FeatureCollection of polygons, one a cell (单元网格)")
        verb.add_argument(
            "--from", dest="day", type=_day, default=None, metavar="DATE", help="first day, 2026-12-01; default: today"
        )
    verbs.add_parser("show", help="which cells hold since when, and what is planned")


def places_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of `places`."""
    verbs = parser.add_subparsers(dest="verb", required=True)
    check = verbs.add_parser("check", help="check a file of named places and tell every fault; writes nothing")
    load = verbs.add_parser("load", help="keep a file of named places beside those that are there")
    for verb in (check, load):
        _file_arguments(verb, "CSV (UTF-8 or GB18030) or GeoJSON of points")
    load.add_argument(
        "--replace", action="store_true", help="remove all other places of the communities that the file names"
    )


def _file_arguments(parser: argparse.ArgumentParser, kinds: str) -> None:
    parser.add_argument("file", type=Path, help=kinds)
    parser.add_argument("--crs", type=Crs, default=Crs.WGS84, choices=list(Crs), help="datum of the coordinates")
    parser.add_argument(
        "--allow",
        type=FaultKind,
        action="append",
        default=[],
        choices=sorted(LET_PASS),
        help="let a kind of fault pass that is true of the street; may be given again",
    )
    parser.add_argument("--lang", choices=LANGUAGES, default=LANGUAGES[0], help="language of what is told")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day such as 2026-12-01") from error


async def run_cells(base: Ground, asked: Asked) -> int:
    """One verb; every fault goes to stderr, a line each."""
    return await _run(_CELLS[asked.verb], base, asked)


async def run_places(base: Ground, asked: Asked) -> int:
    """One verb; every fault goes to stderr, a line each."""
    return await _run(_PLACES[asked.verb], base, asked)


async def _run(verb: Callable[[Ground, Asked], Awaitable[int]], base: Ground, asked: Asked) -> int:
    try:
        return await verb(base, asked)
    except FaultyFile as refused:
        _tell(refused.faults, asked)
        sys.stderr.write(f"{len(refused.faults)} faults, nothing was loaded\n")
    except OSError as error:
        sys.stderr.write(f"grid {asked.command}: {unreadable(asked.file, error)}\n")
    except UnicodeDecodeError:
        sys.stderr.write(
            f"grid {asked.command}: {asked.file}: text neither in UTF-8 nor in GB18030; save it in one of them\n"
        )
    return ExitCode.FAILED


# --- cells ----------------------------------------------------------------------------------------------------------
async def _check_cells(base: Ground, asked: Asked) -> int:
    survey, _ = await _surveyed(base, asked)
    _tell(survey.faults, asked)  # those that were let pass
    _say(f"{asked.file.name}: {len(survey.cells)} cells of {len(survey.communities)} communities, nothing to mend")
    return ExitCode.OK


async def _load_cells(base: Ground, asked: Asked) -> int:
    survey, today = await _surveyed(base, asked)
    async with base.db.transaction() as tx:
        kept = await keep_cells(tx, survey, asked.day or today, today)
    _tell(survey.faults, asked)  # those that were let pass
    told = f"{kept.new} new, {kept.changed} changed, {kept.same} as before, {kept.ended} ended"
    when = "today" if kept.since <= today else f"from {kept.since} 00:00 on, by itself"
    _say(f"{asked.file.name}: {len(survey.cells)} cells hold {when}: {told}")
    return ExitCode.OK


async def _surveyed(base: Ground, asked: Asked) -> tuple[CellSurvey, date]:
    """The file's survey and today's date. Raises FaultyFile."""
    directory, today = await _here(base)
    text = await asyncio.to_thread(_text, asked.file)
    survey = await asyncio.to_thread(survey_cells, text, directory, asked.day or today, asked.crs)
    _stop_at(survey.faults, asked)
    return survey, today


async def _show_cells(base: Ground, _: Asked) -> int:
    directory, today = await _here(base)
    counts: dict[tuple[str, date, date | None], int] = {}
    for version in directory.history.versions:
        key = (version.cell.community, version.since, version.until)
        counts[key] = counts.get(key, 0) + 1
    table = Table("community", "name", "since", "until", "cells", "")
    for (community, since, until), n in sorted(counts.items(), key=lambda item: (item[0][0], item[0][1])):
        state = "planned" if since > today else "ended" if until is not None and until <= today else ""
        first = "always" if since == EVER else since.isoformat()
        table.add_row(community, directory.name_of(community), first, until.isoformat() if until else "", str(n), state)
    Console().print(table)
    return ExitCode.OK


# --- places ---------------------------------------------------------------------------------------------------------
async def _check_places(base: Ground, asked: Asked) -> int:
    survey = await _surveyed_places(base, asked)
    _say(f"{asked.file.name}: {len(survey.places)} places, nothing to mend")
    return ExitCode.OK


async def _load_places(base: Ground, asked: Asked) -> int:
    survey = await _surveyed_places(base, asked)
    async with base.db.transaction() as tx:
        kept = await keep_places(tx, survey.places, replacing=asked.replace)
    _say(f"{asked.file.name}: {kept.written} places new or changed, {kept.same} as before, {kept.removed} removed")
    return ExitCode.OK


async def _surveyed_places(base: Ground, asked: Asked) -> PlaceSurvey:
    directory, _ = await _here(base)
    text = await asyncio.to_thread(_text, asked.file)
    survey = await asyncio.to_thread(survey_places, text, asked.file.name, directory, asked.crs)
    _stop_at(survey.faults, asked)
    return survey


# --- both -----------------------------------------------------------------------------------------------------------
async def _here(base: Ground) -> tuple[Directory, date]:
    directory = await base.directory.refresh()
    async with base.db.reading() as tx:
        return directory, (await read_head(tx)).day


def _text(file: Path) -> str:
    """What the file says. Raises OSError, and UnicodeDecodeError when it is text in no encoding known here."""
    raw = file.read_bytes()
    try:
        return raw.decode(_ENCODINGS[0])
    except UnicodeDecodeError:
        return raw.decode(_ENCODINGS[1])


def _stop_at(faults: Sequence[Fault], asked: Asked) -> None:
    left = stopping(faults, asked.allow)
    if left:
        raise FaultyFile(left)


def _tell(faults: Sequence[Fault], asked: Asked) -> None:
    labels = Labels(asked.lang)
    sys.stderr.writelines(f"{fault.told(labels)}\n" for fault in faults)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


_CELLS: Mapping[str, Callable[[Ground, Asked], Awaitable[int]]] = {
    "check": _check_cells,
    "load": _load_cells,
    "show": _show_cells,
}
_PLACES: Mapping[str, Callable[[Ground, Asked], Awaitable[int]]] = {"check": _check_places, "load": _load_places}
CELLS_HELP: Final = "the street's cells (单元网格): check a file, keep it from a day on, show what holds"
PLACES_HELP: Final = "named places (小区, 楼栋, 街巷 …): check a file, keep it"

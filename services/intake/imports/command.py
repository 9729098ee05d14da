"""`grid import FILE --mapping M`: arguments, saved mappings, trial, progress, refused rows, the figures at the end."""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from schemas.labels import LANGUAGES, Labels
from services.chassis.db import Database, grid_now, is_transient
from services.chassis.directory import Directory, DirectoryCache, UnknownRulebook
from services.chassis.ids import SystemIds
from services.chassis.serve import ExitCode
from services.chassis.settings import DatabaseSettings, HomeSettings, LogSettings
from services.chassis.telemetry import configure_logging
from services.chassis.terminal import not_there
from services.governance.rulebook import Rulebook
from services.intake.imports import saved
from services.intake.imports.drafts import Clocks, Translation
from services.intake.imports.job import Importer
from services.intake.imports.mapping import ImportMapping, MappingRefused
from services.intake.imports.refusals import BadRows
from services.intake.imports.refused import FileRefused
from services.intake.imports.rows import encoding_of, header_of, read_rows
from services.intake.imports.saved import Stopped
from services.intake.imports.screen import Screen, figures, unknown_units
from services.intake.imports.sheets import WORKBOOK
from services.intake.imports.trial import Trial
from services.intake.store import imports as store
from services.intake.store.imports import JobRunning
from services.intake.usecases.identity import vault_sealer
from services.intake.usecases.place import home_of
from services.intake.usecases.refusal import Refusal

_CHUNK = 1 << 20

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


class NothingThere(Exception):
    """There is no database to import into; the words say what to do."""


@app.command()
def import_file(
    file: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="The file of cases (CSV or Excel .xlsx).")
    ] = None,
    mapping: Annotated[
        str | None, typer.Option(help="Which column is what: a file (see deploy/import/), or the name of a saved one.")
    ] = None,
    clock: Annotated[
        Clocks, typer.Option(help="history: own times and outcomes, no clocks; now: new reports, clocks start now.")
    ] = Clocks.HISTORY,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing; tell on standard output what would become of every row.")
    ] = False,
    errors: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Where refused rows go; default: FILE.errors beside the file.")
    ] = None,
    save_mapping: Annotated[
        str | None, typer.Option(metavar="NAME", help="Keep the mapping under this name; no file is needed for that.")
    ] = None,
    list_mappings: Annotated[bool, typer.Option("--list-mappings", help="Names of the saved mappings.")] = False,
    show_mapping: Annotated[str | None, typer.Option(metavar="NAME", help="Print a saved mapping.")] = None,
    lang: Annotated[str, typer.Option(help=f"Language of reasons: {' or '.join(LANGUAGES)}.")] = LANGUAGES[0],
) -> None:
    """Import a file of cases. Safe to run twice, goes on where it was stopped. Exit code 0: to the end of the file."""
    configure_logging("intake-import", LogSettings().level)
    try:
        if lang not in LANGUAGES:
            raise Stopped(f"--lang must be one of {', '.join(LANGUAGES)}")
        if list_mappings or show_mapping is not None:
            asyncio.run(_on_database(lambda db: saved.show(db, show_mapping)))
            return
        if mapping is None or (file is None and save_mapping is None):
            raise Stopped("give a file and --mapping, or --mapping and --save-mapping; --help tells more")
        asked = Asked(file, mapping, save_mapping, clock, Labels(lang), errors, dry_run)
        asyncio.run(_on_database(lambda db: _asked(db, asked)))
    except NothingThere as error:
        sys.stderr.write(f"grid import: {error}\n")
        raise typer.Exit(ExitCode.NOT_READY) from None
    except (Stopped, MappingRefused, FileRefused, JobRunning) as error:
        sys.stderr.write(f"grid import: {error}\n")
        raise typer.Exit(ExitCode.FAILED) from None


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for."""

    file: Path | None
    mapping: str
    save_as: str | None
    clock: Clocks
    labels: Labels
    errors: Path | None
    dry_run: bool


def run_import(words: list[str]) -> int:
    """The command with its arguments; answers the exit code."""
    try:
        app(words, prog_name="grid import")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else ExitCode.OK
    return ExitCode.OK


async def _on_database(work: Callable[[Database], Awaitable[None]]) -> None:
    db = Database(DatabaseSettings(), "intake-import")
    try:
        await _reach(db)
        await work(db)
    except Exception as error:
        if not is_transient(error):
            raise
        raise Stopped("the database does not answer; run the same command again to go on") from error
    finally:
        await db.close()


async def _reach(db: Database) -> None:
    """Raises NothingThere before anything is begun, so that it is not told as a break in the middle."""
    try:
        async with db.reading() as tx:
            await grid_now(tx)
    except Exception as error:
        told = not_there(error, HomeSettings().home)
        if told is None:
            raise
        raise NothingThere(told) from error


async def _asked(db: Database, asked: Asked) -> None:
    mapping, text = await saved.find(db, asked.mapping)
    if asked.save_as is not None:
        await saved.keep(db, asked.save_as, text)
    file = asked.file
    if file is None:
        return
    encoding = encoding_of(file, mapping)
    if asked.dry_run:
        await _on_trial(db, file, mapping, asked.clock, encoding, asked.labels)
        return
    ending = "xlsx" if encoding == WORKBOOK else "csv"
    bad = BadRows(asked.errors or file.with_name(f"{file.name}.errors.{ending}"), asked.labels)
    async with store.alone(db):
        await _with_database(db, file, mapping, asked.clock, encoding, bad)


async def _on_trial(
    db: Database, file: Path, mapping: ImportMapping, clock: Clocks, encoding: str, labels: Labels
) -> None:
    ids = SystemIds()
    async with db.reading() as tx:
        now = await grid_now(tx)
    directory, rulebook = await _rules(db, now)
    trial = Trial(Translation(ids.uuid7(), mapping, clock, rulebook, directory, ids), labels)
    await trial.run(db, read_rows(file, mapping, encoding, now))
    told = ", ".join(f"{outcome} {count}" for outcome, count in trial.counts.items())
    sys.stderr.write(f"{file.name}: {told}; nothing was written\n")


async def _with_database(
    db: Database, file: Path, mapping: ImportMapping, clock: Clocks, encoding: str, bad: BadRows
) -> None:
    ids = SystemIds()
    header = header_of(file, mapping, encoding)
    async with db.transaction() as tx:
        now = await grid_now(tx)
        sha256 = await asyncio.to_thread(_sha256, file)
        job = await store.open_job(tx, ids.uuid7(), sha256, file.name, mapping.system, clock.value)
    directory, rulebook = await _rules(db, now)
    translation = Translation(job.job_id, mapping, clock, rulebook, directory, ids)
    total = sum(1 for _ in read_rows(file, mapping, encoding, now))
    bad.begin(header, again=job.cursor > 0)
    with Screen(file.name, total, job.cursor, bad) as screen:
        importer = Importer(db, ids, translation, screen, vault_sealer(HomeSettings().home))
        done = await importer.run(read_rows(file, mapping, encoding, now), job)
    bad.end()
    figures(file, total, done, bad.path if done.refused else None)
    unknown_units(importer.unknown.rows)


async def _rules(db: Database, now: datetime) -> tuple[Directory, Rulebook]:
    cache = DirectoryCache(db)
    directory = await cache.refresh()
    try:
        return directory, await cache.current_rulebook(home_of((), directory).street, now)
    except (Refusal, UnknownRulebook):
        raise Stopped("no street with a rulebook is loaded yet: start the system once, or load a street") from None


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as handle:
        while chunk := handle.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()

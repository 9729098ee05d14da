"""`grid import FILE --mapping M.toml`: arguments, progress, the file of bad rows, the figures at the end."""

from __future__ import annotations

import asyncio
import hashlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from schemas.labels import LANGUAGES, Labels
from services.chassis.db import Database, grid_now, is_transient
from services.chassis.directory import DirectoryCache, UnknownRulebook
from services.chassis.ids import SystemIds
from services.chassis.serve import ExitCode
from services.chassis.settings import DatabaseSettings, HomeSettings, LogSettings
from services.chassis.telemetry import configure_logging
from services.intake.imports.drafts import Clocks, Translation
from services.intake.imports.job import Importer
from services.intake.imports.mapping import ImportMapping, MappingRefused, read_mapping
from services.intake.imports.rows import FileRefused, encoding_of, read_rows
from services.intake.imports.screen import BadRows, Screen, figures, unknown_units
from services.intake.store import imports as store
from services.intake.store.imports import JobRunning
from services.intake.usecases.identity import vault_sealer
from services.intake.usecases.place import home_of
from services.intake.usecases.refusal import Refusal

_CHUNK = 1 << 20

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


class Stopped(Exception):
    """The import cannot begin; the message says why and what to do."""


@app.command()
def import_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The file of cases (CSV).")],
    mapping: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="Which column is what; see deploy/import/.")
    ],
    clock: Annotated[
        Clocks, typer.Option(help="history: own times and outcomes, no clocks; now: new reports, clocks start now.")
    ] = Clocks.HISTORY,
    errors: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Where bad rows go; default: FILE.errors.csv beside the file.")
    ] = None,
    lang: Annotated[str, typer.Option(help=f"Language of reasons: {' or '.join(LANGUAGES)}.")] = LANGUAGES[0],
) -> None:
    """Import a file of cases. Safe to run twice, goes on where it was stopped. Exit code 0: to the end of the file."""
    configure_logging("intake-import", LogSettings().level)
    try:
        if lang not in LANGUAGES:
            raise Stopped(f"--lang must be one of {', '.join(LANGUAGES)}")
        bad = BadRows(errors or file.with_name(f"{file.name}.errors.csv"), Labels(lang))
        asyncio.run(_import(file, read_mapping(mapping), clock, bad))
    except (Stopped, MappingRefused, FileRefused, JobRunning) as error:
        sys.stderr.write(f"grid import: {error}\n")
        raise typer.Exit(ExitCode.FAILED) from None


def run_import(words: list[str]) -> int:
    """The command with its arguments; answers the exit code."""
    try:
        app(words, prog_name="grid import")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else ExitCode.OK
    return ExitCode.OK


async def _import(file: Path, mapping: ImportMapping, clock: Clocks, bad: BadRows) -> None:
    encoding = encoding_of(file, mapping)
    db = Database(DatabaseSettings(), "intake-import")
    try:
        async with store.alone(db):
            await _with_database(db, file, mapping, clock, encoding, bad)
    except Exception as error:
        if not is_transient(error):
            raise
        raise Stopped("the database does not answer; run the same command again to go on") from error
    finally:
        await db.close()


async def _with_database(
    db: Database, file: Path, mapping: ImportMapping, clock: Clocks, encoding: str, bad: BadRows
) -> None:
    ids, cache = SystemIds(), DirectoryCache(db)
    directory = await cache.refresh()
    async with db.transaction() as tx:
        now = await grid_now(tx)
        sha256 = await asyncio.to_thread(_sha256, file)
        job = await store.open_job(tx, ids.uuid7(), sha256, file.name, mapping.system, clock.value)
    try:
        home = home_of((), directory)
        rulebook = await cache.current_rulebook(home.street, now)
    except (Refusal, UnknownRulebook):
        raise Stopped("no street with a rulebook is loaded yet: start the system once, or load a street") from None
    translation = Translation(job.job_id, mapping, clock, rulebook, directory, ids)
    total = sum(1 for _ in read_rows(file, mapping, encoding, now))
    bad.begin(again=job.cursor > 0)
    with Screen(file.name, total, job.cursor, bad) as screen:
        importer = Importer(db, ids, translation, screen, vault_sealer(HomeSettings().home))
        done = await importer.run(read_rows(file, mapping, encoding, now), job)
    figures(file, total, done, bad.path if done.refused else None)
    unknown_units(importer.unknown.rows)


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as handle:
        while chunk := handle.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()

"""What the person at the terminal sees."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from services.intake.imports.refusals import BadRows
from services.intake.imports.rows import BadRow
from services.intake.store.imports import Job

_UNITS_SHOWN = 20


class Screen:
    """A progress bar on a terminal, a line now and then elsewhere."""

    def __init__(self, name: str, total: int, start: int, bad: BadRows) -> None:
        self._bad = bad
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[now]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(file=sys.stderr),
        )
        self._task = self._progress.add_task(name, total=total, completed=start, now="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def bad(self, row: BadRow) -> None:
        self._bad.write(row)

    def at(self, job: Job) -> None:
        self._progress.update(self._task, completed=job.cursor, now=f"bad {job.refused}" if job.refused else "")

    def waiting(self, why: str) -> None:
        words = {"live": "waiting: live reports go first", "database": "waiting for the database"}
        self._progress.update(self._task, now=words[why])


def figures(file: Path, total: int, job: Job, bad: Path | None) -> None:
    """The summary; it always adds up to the rows of the file."""
    table = Table(title=f"{file.name}: {total} rows", show_header=False)
    for name, count in (("accepted", job.accepted), ("already there", job.known), ("refused", job.refused)):
        table.add_row(name, str(count))
    out = Console(file=sys.stdout)
    out.print(table)
    if bad is not None:
        out.print(
            f"refused rows with reason and remedy, to be corrected and imported from there: {bad}", soft_wrap=True
        )


def unknown_units(rows: Mapping[tuple[str, str], int]) -> None:
    """The units nobody here knows, most rows first."""
    if not rows:
        return
    table = Table("unit", "name", "rows", title=f"units unknown to the directory: {len(rows)}")
    ranked = sorted(rows.items(), key=lambda item: (-item[1], item[0]))
    for (code, name), count in ranked[:_UNITS_SHOWN]:
        table.add_row(code, name, str(count))
    if len(ranked) > _UNITS_SHOWN:
        table.add_row("…", f"{len(ranked) - _UNITS_SHOWN} more", "")
    Console(file=sys.stdout).print(table)

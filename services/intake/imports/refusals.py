"""The file of refused rows: each as it stands in the file, with why it was not taken and what to do about it.

Its own rows are corrected in place and imported from it: the columns behind theirs are passed over.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from openpyxl import Workbook

from schemas.labels import Labels
from services.intake.imports.rows import FORMULA, BadRow

WHY = ("line", "field", "reason", "remedy", "code")
_NUMBER = frozenset("0123456789.-+")


class BadRows:
    """A CSV beside the file, and at the end a workbook where the file is one. Made only when a row is bad."""

    def __init__(self, path: Path, labels: Labels) -> None:
        self.path = path
        self.header: Sequence[str] = ()
        self._labels = labels
        self._workbook = path.suffix == ".xlsx"
        self._kept = path.with_suffix(".csv") if self._workbook else path
        self._lines: set[int] = set()
        self._fresh = True

    def begin(self, header: Sequence[str], *, again: bool) -> None:
        """Forget an earlier run's file, unless this run goes on where that one stopped. `header`: the file's own."""
        self.header = header
        whole = self._whole() if again and self._kept.exists() else []
        self.path.unlink(missing_ok=True)
        self._kept.unlink(missing_ok=True)
        for row in whole:
            self._append(row)
        self._lines = {int(row[len(header)]) for row in whole}

    def write(self, row: BadRow) -> None:
        """Add one row; it is in the file when this returns. One that is there already is left alone."""
        if row.line in self._lines:
            return
        self._lines.add(row.line)
        self._append([*map(harmless, self._fitting(row.cells)), str(row.line), row.field, *self._why(row), row.reason])

    def end(self) -> None:
        """The last row has been written."""
        if not (self._workbook and self._kept.exists()):
            return
        book = Workbook(write_only=True)
        sheet = book.create_sheet()
        with self._kept.open(encoding="utf-8-sig", newline="") as handle:
            for row in csv.reader(handle):
                sheet.append(row)
        book.save(self.path)
        self._kept.unlink()

    def _why(self, row: BadRow) -> tuple[str, str]:
        texts = (self._labels.text(f"import.{part}.{row.reason}") for part in ("reason", "remedy"))
        reason, remedy = texts
        return (f"{reason}：{harmless(row.value)}" if row.value else reason), remedy

    def _fitting(self, cells: Sequence[str]) -> list[str]:
        """As many cells as there are columns; what is too much stays together in the last."""
        width = len(self.header)
        if len(cells) > width > 0:
            return [*cells[: width - 1], ",".join(cells[width - 1 :])]
        return [*cells, *[""] * (width - len(cells))]

    def _append(self, row: Sequence[str]) -> None:
        mode = "w" if self._fresh else "a"
        with self._kept.open(mode, encoding="utf-8-sig" if self._fresh else "utf-8", newline="") as handle:
            writer = csv.writer(handle)
            if self._fresh:
                writer.writerow((*self.header, *WHY))
            writer.writerow(row)
        self._fresh = False

    def _whole(self) -> list[list[str]]:
        """What a run that was killed has left, without a line that it did not finish."""
        width = len(self.header) + len(WHY)
        with self._kept.open(encoding="utf-8-sig", newline="", errors="replace") as handle:
            rows = list(csv.reader(handle))[1:]
        return [row for row in rows if len(row) == width and row[len(self.header)].isdigit() and row[-1]]


def harmless(value: str) -> str:
    """A spreadsheet must not take a value for a formula; numbers stay numbers."""
    return f"'{value}" if value[:1] in FORMULA and not set(value) <= _NUMBER else value

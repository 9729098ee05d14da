"""Excel workbooks row by row, as texts like those of a CSV. What would blow up in memory is refused before."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from services.intake.imports.refused import FileRefused

WORKBOOK = "xlsx"
COLUMNS_MOST = 500
_ZIP, _OLD = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_PARTS_MOST = 2_000
_UNPACKED_MOST = 1 << 30
_STRINGS_MOST = 128 << 20  # all texts of a workbook are held at once
_RATIO_MOST = 400
_SMALL = 1 << 20
_FAULTS = (zipfile.BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, EOFError, OSError)


def is_workbook(path: Path) -> bool:
    """By its first bytes, whatever it is called. Raises FileRefused for the Excel of before 2007."""
    with path.open("rb") as handle:
        begin = handle.read(4)
    if begin == _OLD:
        raise FileRefused(f"{path}: an .xls of before 2007; save it as .xlsx or CSV UTF-8")
    return begin == _ZIP


def check_workbook(path: Path) -> None:
    """Raises FileRefused for what is no workbook, or holds more than could be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise FileRefused(f"{path}: the workbook is damaged; open it in Excel and save it again") from error
    if "xl/workbook.xml" not in {part.filename for part in parts}:
        raise FileRefused(f"{path}: no Excel workbook (.xlsx) and no CSV")
    unpacked = sum(part.file_size for part in parts)
    packed = max(1, sum(part.compress_size for part in parts))
    strings = sum(part.file_size for part in parts if part.filename.lower().endswith("sharedstrings.xml"))
    blown_up = unpacked > _SMALL and unpacked / packed > _RATIO_MOST
    if len(parts) > _PARTS_MOST or unpacked > _UNPACKED_MOST or strings > _STRINGS_MOST or blown_up:
        raise FileRefused(f"{path}: unpacks to {unpacked >> 20} MiB; save it as CSV UTF-8, or in several files")


def sheet_lines(path: Path, sheet: str | None) -> Iterator[tuple[int, list[str]]]:
    """Row number and cells of every row that is not empty, the header first; `sheet` None: the first sheet.

    Raises FileRefused for a workbook that breaks off, or has no such sheet.
    """
    try:
        book = load_workbook(path, read_only=True, data_only=True, keep_links=False)
    except _FAULTS as error:
        raise FileRefused(f"{path}: the workbook is damaged; open it in Excel and save it again") from error
    try:
        if sheet is not None and sheet not in book.sheetnames:
            raise FileRefused(f"{path}: no sheet {sheet!r}; there are {', '.join(book.sheetnames)}")
        if not book.worksheets:
            raise FileRefused(f"{path}: the workbook has no sheet with rows")
        chosen = book[sheet] if sheet is not None else book.worksheets[0]
        chosen.reset_dimensions()  # what it says of its own size may be wrong
        for number, row in enumerate(chosen.iter_rows(values_only=True), 1):
            cells = [_text(value) for value in islice(row, COLUMNS_MOST)]
            while cells and not cells[-1]:
                cells.pop()
            if cells:
                yield number, cells
    except _FAULTS as error:
        raise FileRefused(f"{path}: the workbook is damaged; open it in Excel and save it again") from error
    finally:
        book.close()


def _text(value: object) -> str:
    """A cell as a CSV would have it: times in ISO form, whole numbers without a point."""
    match value:
        case None:
            return ""
        case bool():
            return "1" if value else "0"
        case float() if value.is_integer():
            return str(int(value))
        case datetime():
            return value.replace(microsecond=0).isoformat(" ")
        case date() | time():
            return value.isoformat()
    return str(value)

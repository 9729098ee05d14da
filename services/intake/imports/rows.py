"""Reading a file row by row: every row is either good, or bad for a reason that names its field."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from services.chassis.coordinates import inside_china
from services.governance.cycle import Nature
from services.intake.imports.mapping import ImportMapping
from services.intake.imports.refused import FileRefused
from services.intake.imports.sheets import WORKBOOK, check_workbook, is_workbook, sheet_lines

TEXT_MOST = 2000
CODE_MOST = 200
_CHUNK = 1 << 20
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""
_YES, _NO = ("1", "是", "true", "TRUE", "True"), ("0", "否", "false", "FALSE", "False")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the row says happened; None where the file leaves it open."""

    closed: bool
    overdue: bool
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class GoodRow:
    """One checked row in the file's own codes and words."""

    line: int
    id: str
    occurred_at: datetime
    street: str
    street_name: str | None
    community: str | None
    community_name: str | None
    category: str
    category_name: str | None
    category_path: str
    unit: str | None
    unit_name: str | None
    nature: Nature
    text: str
    place: str
    point: tuple[float, float] | None
    outcome: Outcome | None
    cells: tuple[str, ...] = ()  # as they stand in the file


@dataclass(frozen=True, slots=True)
class BadRow:
    """Why a row cannot be taken. `reason` is an id of the word list (`import.reason.…`, `import.remedy.…`)."""

    line: int
    field: str
    reason: str
    value: str = ""
    cells: tuple[str, ...] = ()


Row = GoodRow | BadRow


class _Wrong(Exception):
    def __init__(self, field: str, reason: str, value: str = "") -> None:
        super().__init__(field, reason)
        self.field = field
        self.reason = reason
        self.value = value


def encoding_of(path: Path, mapping: ImportMapping) -> str:
    """The first of the mapping's encodings that reads the whole file, or that it is a workbook. Raises FileRefused."""
    if is_workbook(path):
        check_workbook(path)
        return WORKBOOK
    for encoding in mapping.encodings:
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            with path.open("rb") as handle:
                while chunk := handle.read(_CHUNK):
                    decoder.decode(chunk)
                decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return encoding
    raise FileRefused(f"{path}: none of the encodings {', '.join(mapping.encodings)} fits")


def read_rows(path: Path, mapping: ImportMapping, encoding: str, latest: datetime) -> Iterator[Row]:
    """All rows in order. `latest`: no row may claim a later time. Raises FileRefused for a wrong header."""
    lines = sheet_lines(path, mapping.sheet) if encoding == WORKBOOK else _csv_lines(path, mapping, encoding)
    header = _header(path, lines)
    missing = [name for name in mapping.columns.headers() if name not in header]
    if missing:
        raise FileRefused(f"{path}: columns are missing: {', '.join(missing)}; the file has {', '.join(header)}")
    checker = _Checker(mapping, latest)
    for line, cells in lines:
        if isinstance(cells, str):
            yield BadRow(line, "", "broken_line", cells)
        elif cells:
            if encoding == WORKBOOK:  # empty cells at the end of a row are not written
                cells += [""] * (len(header) - len(cells))
            yield checker.check(line, header, cells)


def header_of(path: Path, mapping: ImportMapping, encoding: str) -> list[str]:
    """The names of the file's columns. Raises FileRefused for a file without any."""
    lines = sheet_lines(path, mapping.sheet) if encoding == WORKBOOK else _csv_lines(path, mapping, encoding)
    return _header(path, lines)


def _header(path: Path, lines: Iterator[tuple[int, list[str] | str]]) -> list[str]:
    first = next(lines, None)
    if first is None or isinstance(first[1], str):
        raise FileRefused(f"{path}: the file is empty, or its first line cannot be read")
    return [name.strip() for name in first[1]]


def _csv_lines(path: Path, mapping: ImportMapping, encoding: str) -> Iterator[tuple[int, list[str] | str]]:
    """Line number and cells; a text instead of cells says why a line cannot be read."""
    with path.open(encoding=encoding, newline="") as handle:
        reader = csv.reader(handle, delimiter=mapping.delimiter, strict=True)
        while True:
            line = reader.line_num + 1
            try:
                yield line, next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield line, str(error)


class _Checker:
    """Checks one row after the other; remembers the ids it has seen."""

    def __init__(self, mapping: ImportMapping, latest: datetime) -> None:
        self._mapping = mapping
        self._latest = latest
        self._seen: dict[str, int] = {}

    def check(self, line: int, header: list[str], cells: list[str]) -> Row:
        kept = tuple(cells)
        if len(cells) != len(header):
            return BadRow(line, "", "cell_count", f"{len(cells)}/{len(header)}", kept)
        try:
            return self._good(line, dict(zip(header, map(_plain, cells), strict=True)), kept)
        except _Wrong as wrong:
            return BadRow(line, wrong.field, wrong.reason, wrong.value[:CODE_MOST], kept)

    def _good(self, line: int, cells: Mapping[str, str], kept: tuple[str, ...]) -> GoodRow:
        columns = self._mapping.columns
        names = [self._text(cells, column) for column in (*columns.category_parents, columns.category_name)]
        return GoodRow(
            line=line,
            id=self._id(line, cells),
            occurred_at=self._moment(cells, self._mapping.columns.occurred_at),
            street=self._needed(cells, columns.street),
            street_name=self._text(cells, columns.street_name),
            community=self._text(cells, columns.community),
            community_name=self._text(cells, columns.community_name),
            category=self._needed(cells, columns.category),
            category_name=self._text(cells, columns.category_name),
            category_path="/".join(name for name in names if name),
            unit=self._text(cells, columns.unit) or self._text(cells, columns.unit_name),
            unit_name=self._text(cells, columns.unit_name),
            nature=self._nature(cells),
            text=self._text(cells, columns.text, TEXT_MOST) or "",
            place=self._text(cells, columns.place) or "",
            point=self._point(cells),
            outcome=self._outcome(cells),
            cells=kept,
        )

    # --- fields -----------------------------------------------------------------------------------------------------
    def _text(self, cells: Mapping[str, str], column: str | None, most: int = CODE_MOST) -> str | None:
        value = cells[column] if column is not None else ""
        if column is None or value in self._mapping.empty:
            return None
        if len(value) > most:
            raise _Wrong(column, "too_long", value)
        if any(ord(sign) < 32 and sign not in "\t\r\n" for sign in value):
            raise _Wrong(column, "control_character")
        return value

    def _needed(self, cells: Mapping[str, str], column: str) -> str:
        value = self._text(cells, column)
        if value is None:
            raise _Wrong(column, "missing")
        return value

    def _id(self, line: int, cells: Mapping[str, str]) -> str:
        column = self._mapping.columns.id
        value = self._needed(cells, column)
        first = self._seen.setdefault(value, line)
        if first != line:
            raise _Wrong(column, "id_twice", value)
        return value

    def _moment(self, cells: Mapping[str, str], column: str) -> datetime:
        value = self._needed(cells, column)
        at = self._mapping.moment(value)
        if at is None:
            raise _Wrong(column, "not_a_time", value)
        if at > self._latest:
            raise _Wrong(column, "in_the_future", value)
        return at

    def _nature(self, cells: Mapping[str, str]) -> Nature:
        column = self._mapping.columns.nature
        value = self._text(cells, column)
        if value is None:
            return self._mapping.nature_otherwise
        known = self._mapping.nature.get(value)
        if known is None:
            raise _Wrong(column or "", "unknown_nature", value)
        return known

    def _point(self, cells: Mapping[str, str]) -> tuple[float, float] | None:
        columns = self._mapping.columns
        raw_lng, raw_lat = self._text(cells, columns.lng), self._text(cells, columns.lat)
        if raw_lng is None and raw_lat is None:
            return None
        lng, lat = _number(columns.lng, raw_lng), _number(columns.lat, raw_lat)
        if not inside_china(lng, lat):
            raise _Wrong(columns.lng or "", "position_impossible", f"{lng},{lat}")
        return lng, lat

    def _outcome(self, cells: Mapping[str, str]) -> Outcome | None:
        columns = self._mapping.columns
        in_time, overdue, open_late = (
            self._flag(cells, column)
            for column in (columns.closed_in_time, columns.closed_overdue, columns.open_overdue)
        )
        if (in_time, overdue, open_late).count(True) > 1:
            raise _Wrong(columns.closed_in_time or "", "outcome_contradicts")
        if in_time is None and overdue is None and open_late is None:
            return None
        closed = bool(in_time or overdue)
        return Outcome(closed, bool(overdue or open_late), self._closed_at(cells) if closed else None)

    def _closed_at(self, cells: Mapping[str, str]) -> datetime | None:
        column = self._mapping.columns.closed_at
        if column is None or self._text(cells, column) is None:
            return None
        return self._moment(cells, column)

    def _flag(self, cells: Mapping[str, str], column: str | None) -> bool | None:
        value = self._text(cells, column)
        if value is None:
            return None
        if value not in _YES and value not in _NO:
            raise _Wrong(column or "", "not_a_flag", value)
        return value in _YES


def _number(column: str | None, value: str | None) -> float:
    try:
        return float(value or "")
    except ValueError:
        raise _Wrong(column or "", "not_a_number", value or "") from None


def _plain(cell: str) -> str:
    """Without spaces around it, and without the sign that keeps a spreadsheet from taking it for a formula."""
    text = cell.strip()
    return text[1:] if text[:1] == "'" and text[1:2] in FORMULA else text

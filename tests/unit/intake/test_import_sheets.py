"""Excel files and times as people write them: read row by row, and bombs refused before they are unpacked."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from schemas.labels import LANGUAGES, Labels
from services.intake.imports.mapping import ImportMapping
from services.intake.imports.moments import written
from services.intake.imports.refusals import BadRows, harmless
from services.intake.imports.refused import FileRefused
from services.intake.imports.rows import BadRow, GoodRow, Row, encoding_of, header_of, read_rows

SCHEMAS = Path(__file__).resolve().parents[3] / "schemas" / "labels"
LATEST = datetime(2026, 6, 1, tzinfo=UTC)
COLUMNS = {
    "id": "编号",
    "occurred_at": "时间",
    "street": "街道",
    "category": "类别",
    "text": "内容",
    "closed_in_time": "办结",
}
MAPPING = ImportMapping.model_validate({"system": "example", "columns": COLUMNS})
HEADER = tuple(COLUMNS.values())


def book(path: Path, *rows: tuple[object, ...], sheet: str = "Sheet") -> Path:
    made = Workbook()
    made.active.title = sheet
    for row in rows:
        made.active.append(row)
    made.save(path)
    return path


def rows(path: Path, mapping: ImportMapping = MAPPING) -> list[Row]:
    return list(read_rows(path, mapping, encoding_of(path, mapping), LATEST))


def test_a_workbook_reads_as_a_csv_does(tmp_path: Path) -> None:
    when = datetime(2026, 3, 6, 9, 30)
    good = rows(
        book(
            tmp_path / "a.xlsx", HEADER, (7, when, 104, "806", "灯不亮", True), (), (8.0, 46087.5, 104, 806, None, "否")
        )
    )
    assert all(isinstance(row, GoodRow) for row in good)
    first, second = good
    assert isinstance(first, GoodRow)
    assert isinstance(second, GoodRow)
    assert (first.line, first.id, first.street, first.category, first.text) == (2, "7", "104", "806", "灯不亮")
    assert first.occurred_at == datetime(2026, 3, 6, 1, 30, tzinfo=UTC)
    assert first.outcome is not None
    assert first.outcome.closed
    assert (second.line, second.id) == (4, "8"), "empty rows are passed over, numbers stay those of the sheet"
    assert second.occurred_at == datetime(2026, 3, 6, 4, tzinfo=UTC), "days since 1899"
    assert second.outcome is not None
    assert not second.outcome.closed


def test_another_sheet_by_name(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", HEADER, (1, "2026-03-06", 1, 1), sheet="三月")
    named = MAPPING.model_copy(update={"sheet": "三月"})
    assert len(rows(path, named)) == 1
    with pytest.raises(FileRefused, match="三月"):
        rows(path, MAPPING.model_copy(update={"sheet": "四月"}))


def test_a_row_wider_than_its_header(tmp_path: Path) -> None:
    (bad,) = rows(book(tmp_path / "a.xlsx", HEADER, (1, "2026-03-06", 1, 1, "", 1, "too much")))
    assert isinstance(bad, BadRow)
    assert (bad.line, bad.reason) == (2, "cell_count")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04 no archive", "damaged"),
        (b"\xd0\xcf\x11\xe0old", "save it as"),
    ],
)
def test_what_is_no_workbook(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(content)
    with pytest.raises(FileRefused, match=said):
        encoding_of(path, MAPPING)


@pytest.mark.parametrize("part", ["xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"])
def test_a_bomb_is_not_unpacked(tmp_path: Path, part: str) -> None:
    path = book(tmp_path / "a.xlsx", HEADER)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open(f"bomb/{part}", "w") as handle:
        for _ in range(160):
            handle.write(bytes(1 << 20))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(FileRefused, match="MiB"):
        encoding_of(path, MAPPING)


def test_an_archive_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    with pytest.raises(FileRefused, match="no Excel workbook"):
        encoding_of(path, MAPPING)


def test_a_sheet_that_breaks_off(tmp_path: Path) -> None:
    path, broken = book(tmp_path / "a.xlsx", HEADER, (1, "2026-03-06", 1, 1)), tmp_path / "b.xlsx"
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(broken, "w") as out:
        for part in whole.infolist():
            content = whole.read(part)
            out.writestr(part.filename, content[:-40] if "sheet1" in part.filename else content)
    with pytest.raises(FileRefused, match="damaged"):
        rows(broken)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026年3月6日9时5分", (2026, 3, 6, 9, 5, 0)),
        ("2026年3月6日 下午4:41", (2026, 3, 6, 16, 41, 0)),
        ("2026年03月06日星期五 上午 10点半", (2026, 3, 6, 10, 30, 0)),
        ("2026 年 3 月 6 日", (2026, 3, 6, 0, 0, 0)),
        ("2026.3.6 16：41：26", (2026, 3, 6, 16, 41, 26)),
        ("2026/3/6 12:05 AM", (2026, 3, 6, 0, 5, 0)),
        ("2026-03-06T16:41:26", (2026, 3, 6, 16, 41, 26)),
        ("２０２６年３月６日晚上8点", (2026, 3, 6, 20, 0, 0)),
        ("2026年3月6号中午12点", (2026, 3, 6, 12, 0, 0)),
        ("46087", (2026, 3, 6, 0, 0, 0)),
        ("46087.6954861111", (2026, 3, 6, 16, 41, 30)),
        ("2026年2月30日", None),
        ("2026-03-06 25:00", None),
        ("昨天下午", None),
        ("20260306", None),
        ("12345", None),
        ("3月6日", None),
        ("", None),
    ],
)
def test_times_as_people_write_them(text: str, wanted: tuple[int, ...] | None) -> None:
    assert written(text) == (datetime(*wanted) if wanted else None)  # type: ignore[arg-type]


# --- the file of refused rows -----------------------------------------------------------------------------------------
def test_every_reason_has_a_remedy_in_both_languages() -> None:
    for file in (SCHEMAS / f"{lang}.json" for lang in LANGUAGES):
        words = json.loads(file.read_text("utf-8"))
        reasons = {key.rpartition(".")[2] for key in words if key.startswith("import.reason.")}
        assert reasons
        assert reasons == {key.rpartition(".")[2] for key in words if key.startswith("import.remedy.")}


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_refused_rows_can_be_corrected_where_they_stand(tmp_path: Path, ending: str) -> None:
    """Written, killed, gone on with, corrected, read again: each once, and nothing that a spreadsheet would run."""
    path = tmp_path / f"a.errors.{ending}"
    formula = ("=cmd()", "昨天", "104", "-806", "@x", "")
    bad, other = BadRow(2, "时间", "not_a_time", "昨天", formula), BadRow(5, "街道", "missing", "", ("9", "", "", "1"))
    file = BadRows(path, Labels("zh-CN"))
    file.begin(HEADER, again=False)
    file.write(bad)
    again = BadRows(path, Labels("zh-CN"))
    again.begin(HEADER, again=True)
    for row in (bad, other, other):
        again.write(row)
    again.end()
    if ending == "xlsx":
        sheet = load_workbook(path).active
        lines = [[cell.value or "" for cell in row] for row in sheet.iter_rows()]
        assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "inlineStr"}, "no formula"
        assert not path.with_suffix(".csv").exists()
    else:
        lines = [line.split(",") for line in path.read_text("utf-8-sig").splitlines()]
    assert tuple(lines[0]) == (*HEADER, "line", "field", "reason", "remedy", "code")
    assert [(row[6], row[7], row[10]) for row in lines[1:]] == [("2", "时间", "not_a_time"), ("5", "街道", "missing")]
    assert lines[1][:5] == ["'=cmd()", "昨天", "104", "-806", "'@x"]
    assert "昨天" in lines[1][8]
    assert "2026" in lines[1][9]
    encoding = encoding_of(path, MAPPING)
    assert header_of(path, MAPPING, encoding)[:6] == list(HEADER)
    found = list(read_rows(path, MAPPING, encoding, LATEST))
    assert [row.reason for row in found if isinstance(row, BadRow)] == ["not_a_time", "missing"], "still not corrected"


def test_a_line_that_was_not_finished_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "a.errors.csv"
    file = BadRows(path, Labels("en-US"))
    file.begin(HEADER, again=False)
    bad, other = (BadRow(n, "时间", "missing", "", ("1", "", "", "", "", "")) for n in (2, 3))
    file.write(bad)
    file.write(other)
    path.write_bytes(path.read_bytes()[:-20])
    again = BadRows(path, Labels("en-US"))
    again.begin(HEADER, again=True)
    again.write(bad)
    again.write(other)
    assert [line.split(",")[6] for line in path.read_text("utf-8-sig").splitlines()[1:]] == ["2", "3"]


@pytest.mark.parametrize(
    ("value", "kept"), [("=1", "'=1"), ("-5.3", "-5.3"), ("-", "-"), ("-x", "'-x"), ("+86", "+86")]
)
def test_what_a_spreadsheet_would_run(value: str, kept: str) -> None:
    assert harmless(value) == kept

"""Files of cases: the mapping is checked, and every row is good or bad for a named reason."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.governance.cycle import Nature
from services.intake.imports.drafts import digest
from services.intake.imports.mapping import ImportMapping, MappingRefused, first_rule, read_mapping
from services.intake.imports.rows import BadRow, FileRefused, GoodRow, Outcome, Row, encoding_of, read_rows

DEPLOY = Path(__file__).resolve().parents[3] / "deploy" / "import"
LATEST = datetime(2026, 1, 1, tzinfo=UTC)
HEADER = "no,when,street,class,class_name,who,kind,lng,lat,ok,late,open,end"
GOOD = "7,2018-02-08 16:41:26,104,806,路灯,局,投诉,113.06,23.69,1,0,0,2018-02-09 08:00:00"
MAPPING = """
system = "example"
[columns]
id = "no"
occurred_at = "when"
street = "street"
category = "class"
category_name = "class_name"
unit = "who"
nature = "kind"
lng = "lng"
lat = "lat"
closed_in_time = "ok"
closed_overdue = "late"
open_overdue = "open"
closed_at = "end"
[nature]
"投诉" = "complaint"
"""


@pytest.fixture
def mapping(tmp_path: Path) -> ImportMapping:
    file = tmp_path / "m.toml"
    file.write_text(MAPPING, "utf-8")
    return read_mapping(file)


def rows(tmp_path: Path, mapping: ImportMapping, *lines: str, encoding: str = "utf-8") -> list[Row]:
    file = tmp_path / "f.csv"
    file.write_text("\n".join((HEADER, *lines)) + "\n", encoding)
    return list(read_rows(file, mapping, encoding_of(file, mapping), LATEST))


def test_good_row(tmp_path: Path, mapping: ImportMapping) -> None:
    (row,) = rows(tmp_path, mapping, GOOD)
    assert isinstance(row, GoodRow)
    assert (row.line, row.id, row.nature, row.unit) == (2, "7", Nature.COMPLAINT, "局")
    assert row.occurred_at == datetime(2018, 2, 8, 8, 41, 26, tzinfo=UTC)
    assert row.point == (113.06, 23.69)
    assert row.outcome == Outcome(True, False, datetime(2018, 2, 9, tzinfo=UTC))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_encodings(tmp_path: Path, mapping: ImportMapping, encoding: str) -> None:
    (row,) = rows(tmp_path, mapping, GOOD, encoding=encoding)
    assert isinstance(row, GoodRow)
    assert row.category_name == "路灯"


@pytest.mark.parametrize(
    ("old", "new", "field", "reason"),
    [
        ("2018-02-08 16:41:26", "昨天", "when", "not_a_time"),
        ("2018-02-08 16:41:26", "2099-02-08 16:41:26", "when", "in_the_future"),
        ("7,", ",", "no", "missing"),
        (",806,", ",-,", "class", "missing"),
        ("投诉", "骂人", "kind", "unknown_nature"),
        ("113.06", "x", "lng", "not_a_number"),
        ("113.06", "1", "lng", "position_impossible"),
        (",1,0,0", ",1,1,0", "ok", "outcome_contradicts"),
        (",1,0,0", ",2,0,0", "ok", "not_a_flag"),
        (",1,0,0", ",1,0", "", "cell_count"),
        ("2018-02-09 08:00:00", "later", "end", "not_a_time"),
        ("路灯", "路" * 201, "class_name", "too_long"),
        ("路灯", "路\x07灯", "class_name", "control_character"),
    ],
)
def test_bad_rows(tmp_path: Path, mapping: ImportMapping, old: str, new: str, field: str, reason: str) -> None:
    assert old in GOOD
    other = GOOD.replace("7,", "8,", 1)
    bad, good = rows(tmp_path, mapping, GOOD.replace(old, new, 1), other)
    assert isinstance(bad, BadRow)
    assert (bad.line, bad.field, bad.reason) == (2, field, reason)
    assert isinstance(good, GoodRow)


def test_same_id_twice(tmp_path: Path, mapping: ImportMapping) -> None:
    first, second = rows(tmp_path, mapping, GOOD, GOOD)
    assert isinstance(first, GoodRow)
    assert second == BadRow(3, "no", "id_twice", "7", tuple(GOOD.split(",")))


def test_empty_fields_are_nothing(tmp_path: Path, mapping: ImportMapping) -> None:
    (row,) = rows(tmp_path, mapping, "7,2018-02-08 16:41:26,104,806,-,-,-,,,-,-,-,-")
    assert isinstance(row, GoodRow)
    assert (row.unit, row.point, row.outcome, row.category_name) == (None, None, None, None)


def test_broken_quotes_are_one_bad_row(tmp_path: Path, mapping: ImportMapping) -> None:
    good, bad = rows(tmp_path, mapping, GOOD, '"8,2018')
    assert isinstance(good, GoodRow)
    assert isinstance(bad, BadRow)
    assert (bad.line, bad.reason) == (3, "broken_line")


def test_missing_column_refuses_the_file(tmp_path: Path, mapping: ImportMapping) -> None:
    file = tmp_path / "f.csv"
    file.write_text("no,when\n1,2\n", "utf-8")
    with pytest.raises(FileRefused, match="street"):
        list(read_rows(file, mapping, "utf-8", LATEST))


def test_no_encoding_fits(tmp_path: Path, mapping: ImportMapping) -> None:
    file = tmp_path / "f.csv"
    file.write_bytes(b"no\xff\xff\x00\xff")
    with pytest.raises(FileRefused, match="gb18030"):
        encoding_of(file, mapping)


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('street = "street"', "", "columns.street"),
        ('system = "example"', 'system = "Ex ample"', "system"),
        ('lat = "lat"', "", "columns"),
        ('"complaint"', '"rage"', "nature"),
        ("[nature]", "[[categories]]\nname='('\ncode='1'\n[nature]", "categories"),
        ("[columns]", "[columns", "TOML|table|column"),
    ],
)
def test_mapping_names_its_mistake(tmp_path: Path, old: str, new: str, where: str) -> None:
    assert old in MAPPING
    file = tmp_path / "m.toml"
    file.write_text(MAPPING.replace(old, new), "utf-8")
    with pytest.raises(MappingRefused, match=where):
        read_mapping(file)


def test_digest_tells_rows_apart_but_not_lines(tmp_path: Path, mapping: ImportMapping) -> None:
    (one,) = rows(tmp_path, mapping, GOOD)
    _, other = rows(tmp_path, mapping, "x,2018-02-08 16:41:26,104,806,,,,,,,,,", GOOD)
    (changed,) = rows(tmp_path, mapping, GOOD.replace("104", "105"))
    assert isinstance(one, GoodRow)
    assert isinstance(other, GoodRow)
    assert isinstance(changed, GoodRow)
    assert one.line != other.line
    assert digest(one) == digest(other) != digest(changed)


@pytest.mark.parametrize("file", sorted(DEPLOY.glob("*.toml")), ids=lambda file: file.stem)
def test_shipped_mappings_are_sound(file: Path) -> None:
    assert read_mapping(file).system == file.stem


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("市政设施/公用部件/路灯", "P0137"),
        ("市容环卫/占道经营/店外经营", "0405"),
        ("市容环卫/车辆乱停放/非机动车乱停放", "0410"),
        ("甲/乙/丙", None),
    ],
)
def test_shipped_mapping_finds_classes_by_name(name: str, code: str | None) -> None:
    rule = first_rule(read_mapping(DEPLOY / "pingshan.toml").categories, name)
    assert (rule.code if rule else None) == code

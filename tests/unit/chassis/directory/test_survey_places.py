"""A file of named places: every fault at once, the cell by pin or by name, initials in every likely reading."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from schemas.labels import LANGUAGES, Labels
from services.chassis.coordinates import Crs, from_wgs84
from services.chassis.directory.readings import MOST, initials
from services.chassis.directory.survey.faults import FaultKind
from services.chassis.directory.survey.places import PlaceSurvey, survey_places
from tests.support.areas import directory, features, middle

MADE = features(2, 3)
THERE = directory(MADE, MADE)
CODE = MADE[0]["properties"]["code"]
LNG, LAT = middle(MADE[0])
HEADING = "id,name,kind,cell,lng,lat"


def survey(*lines: str, heading: str = HEADING, crs: Crs = Crs.WGS84) -> PlaceSurvey:
    return survey_places("\n".join((heading, *lines)) + "\n", "places.csv", THERE, crs)


def told(found: PlaceSurvey) -> list[tuple[FaultKind, str]]:
    return [(fault.kind, fault.where) for fault in found.faults]


def test_places_with_pin_or_cell_or_both() -> None:
    found = survey(
        f"a,重庆路小区,小区,,{LNG},{LAT}",
        f"b,东门3栋,楼栋,{CODE},,",
        f"c,东门巷,街巷,{CODE},{LNG + 0.0001},{LAT}",
        f",钟楼,地标,,{LNG},{LAT}",
    )
    assert found.faults == []
    assert [place.cell for place in found.places] == [CODE] * 4
    assert found.places[0].initials.split()[0] == "cqlxq"
    assert (found.places[1].lng, found.places[1].lat) == pytest.approx((LNG, LAT), abs=0.002), "stands in its cell"
    assert found.places[3].place_id.startswith("p")
    again = survey(f",钟楼,地标,,{LNG},{LAT}")
    assert again.places[0].place_id == found.places[3].place_id, "the same place has the same id in every file"


def test_a_file_with_chinese_headings_and_quotes() -> None:
    found = survey(f'"东门,小区",小区,{LNG},{LAT}', heading="\ufeff名称,类型,经度,纬度")
    assert [place.name for place in found.places] == ["东门,小区"]


def test_geojson_points() -> None:
    feature = {
        "type": "Feature",
        "properties": {"name": "东门", "kind": "路口"},
        "geometry": {"type": "Point", "coordinates": [LNG, LAT, 3.5]},
    }
    line = {**feature, "geometry": {"type": "LineString", "coordinates": [[LNG, LAT], [LNG, LAT]]}}
    text = json.dumps({"type": "FeatureCollection", "features": [feature]})
    assert [place.cell for place in survey_places(text, "a.geojson", THERE, Crs.WGS84).places] == [CODE]
    text = json.dumps({"type": "FeatureCollection", "features": [line]})
    assert FaultKind.NOT_A_POINT in [f.kind for f in survey_places(text, "a.geojson", THERE, Crs.WGS84).faults]


FAR = middle(MADE[5])


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (f"a,,小区,,{LNG},{LAT}", FaultKind.NO_NAME),
        (f"a,{'长' * 61},小区,,{LNG},{LAT}", FaultKind.TOO_LONG),
        (f"a,东门,market,,{LNG},{LAT}", FaultKind.KIND),
        ("a,东门,小区,,,", FaultKind.NO_PLACE),
        ("a,东门,小区,441802001001999,,", FaultKind.UNKNOWN_CELL),
        ("a,东门,小区,,113.5,23.5", FaultKind.OUTSIDE_CELLS),
        (f"a,东门,小区,{CODE},{FAR[0]},{FAR[1]}", FaultKind.FAR_FROM_CELL),
        ("a,东门,小区,,x,23.5", FaultKind.NOT_NUMBERS),
        (f"a,东门,小区,,{LNG},", FaultKind.NOT_NUMBERS),
        ("a,东门,小区,,nan,nan", FaultKind.NOT_NUMBERS),
        (f"a,东门,小区,,{LAT},{LNG}", FaultKind.SWAPPED),
        ("a,东门,小区,,2549000,432000", FaultKind.IN_METRES),
        ("a,东门,小区,,3,23", FaultKind.OUTSIDE_CHINA),
        (f"a/b,东门,小区,,{LNG},{LAT}", FaultKind.CODE_FORMAT),
    ],
)
def test_one_fault_of_a_line(line: str, kind: FaultKind) -> None:
    found = survey(f"ok,西门,小区,,{LNG},{LAT}", line)
    assert [fault.kind for fault in found.faults] == [kind]
    assert found.faults[0].where.startswith("#3")
    assert found.places == []


def test_all_faults_come_at_once() -> None:
    found = survey(f"a,,x,,{LNG},{LAT}", f"b,东门,小区,,{LNG},{LAT}", f"b,西门,小区,,{LNG},{LAT}", ",南门,小区,9,,")
    assert told(found) == [
        (FaultKind.NO_NAME, "#2"),
        (FaultKind.KIND, "#2"),
        (FaultKind.PLACE_TWICE, "#4 西门"),
        (FaultKind.UNKNOWN_CELL, "#5 南门"),
    ]
    for lang in LANGUAGES:
        assert all("{" not in fault.told(Labels(lang)) for fault in found.faults)


@pytest.mark.parametrize(
    ("text", "kind"),
    [("", FaultKind.NOTHING_IN_IT), (f"{HEADING}\n", FaultKind.NOTHING_IN_IT), ("a,b\n1,2\n", FaultKind.NO_COLUMN)],
)
def test_a_table_that_is_none(text: str, kind: FaultKind) -> None:
    assert [fault.kind for fault in survey_places(text, "p.csv", THERE, Crs.WGS84).faults] == [kind]


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("crs", [Crs.GCJ02, Crs.BD09])
def test_pins_of_another_datum_are_recognised(crs: Crs, named: bool) -> None:
    def lines() -> Sequence[str]:
        pins = [(feature["properties"]["code"], from_wgs84(*middle(feature), crs)) for feature in MADE]
        return [f"p{n},地{n},小区,{code if named else ''},{x},{y}" for n, (code, (x, y)) in enumerate(pins * 2)]

    (suspected,) = [fault for fault in survey(*lines()).faults if fault.kind is FaultKind.DATUM] or [None]
    assert suspected is not None
    assert suspected.values["crs"] == crs
    right = survey(*lines(), crs=crs)
    assert (right.faults, len(right.places)) == ([], 12)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("东门小区2栋", ["dmxq2d"]),
        ("重庆路", ["cql"]),
        ("银行", ["yh"]),
        ("A座 3-2号", ["az32h"]),
        ("云溪", ["yx", "yq"]),
        ("，", []),
    ],
)
def test_initials(name: str, wanted: list[str]) -> None:
    found = initials(name).split()
    assert found[: len(wanted)] == wanted
    assert len(found) <= MOST


def test_a_name_of_many_readings_stays_short() -> None:
    assert len(initials("重曾单解盖仇朴乐行朝" * 5).split()) == MOST

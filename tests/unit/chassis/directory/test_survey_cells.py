"""A file of cells with every mistake there is: all are told at once, each with where, what and what to do."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import pytest

from schemas.labels import LANGUAGES, Labels
from services.chassis.coordinates import Crs, from_wgs84, wgs84_to_gcj02
from services.chassis.directory.model import Place
from services.chassis.directory.survey.cells import CellSurvey, survey_cells
from services.chassis.directory.survey.faults import LET_PASS, Fault, FaultKind, stopping
from tests.support.areas import Feature, collection, directory, features, middle, shifted

DAY = date(2026, 12, 1)
MADE = features(4, 6)


def survey(made: Sequence[Feature], crs: Crs = Crs.WGS84, known: Sequence[Feature] = ()) -> CellSurvey:
    return survey_cells(collection(made), directory(MADE, known), DAY, crs)


def kinds(found: CellSurvey) -> list[FaultKind]:
    return sorted(fault.kind for fault in found.faults)


def copy(made: Sequence[Feature] = MADE) -> list[Feature]:
    again: list[Feature] = json.loads(json.dumps(list(made)))
    return again


def ring(feature: Feature) -> list[list[float]]:
    found: list[list[float]] = feature["geometry"]["coordinates"][0]
    return found


def test_a_sound_file_has_nothing_to_mend() -> None:
    found = survey(MADE)
    assert found.faults == []
    assert [cell.code for cell in found.cells] == [feature["properties"]["code"] for feature in MADE]
    assert found.communities == {feature["properties"]["grid"][:12] for feature in MADE}


def test_real_exports_wrap_single_polygons_and_write_codes_as_numbers() -> None:
    made = copy()
    made[0]["geometry"] = {"type": "MultiPolygon", "coordinates": [made[0]["geometry"]["coordinates"]]}
    made[1]["properties"]["code"] = int(made[1]["properties"]["code"])
    made[2]["properties"]["code"] = float(made[2]["properties"]["code"])
    for at in ring(made[3]):
        at.append(12.5)  # a height
    found = survey(made)
    assert found.faults == []
    assert [cell.code for cell in found.cells[:3]] == [feature["properties"]["code"] for feature in MADE[:3]]


def spoil_bowtie(feature: Feature) -> None:
    points = ring(feature)
    points[1], points[2] = points[2], points[1]


def spoil_swapped(feature: Feature) -> None:
    feature["geometry"]["coordinates"] = [[[lat, lng] for lng, lat in ring(feature)]]


def spoil_metres(feature: Feature) -> None:
    feature["geometry"]["coordinates"] = [[[lng * 4000, lat * 100_000] for lng, lat in ring(feature)]]


def spoil_abroad(feature: Feature) -> None:
    feature["geometry"]["coordinates"] = [[[lng - 110, lat] for lng, lat in ring(feature)]]


def hole(feature: Feature) -> list[list[float]]:
    lng, lat = middle(feature)
    tiny = 0.0002
    return [[lng, lat], [lng, lat + tiny], [lng + tiny, lat + tiny], [lng, lat]]


def spoil_parts(feature: Feature) -> None:
    rings = feature["geometry"]["coordinates"]
    far = [[[lng + 1, lat] for lng, lat in rings[0]]]
    feature["geometry"] = {"type": "MultiPolygon", "coordinates": [rings, far]}


FIRST = f"#1 {MADE[0]['properties']['code']}"
Spoil = Callable[[Feature], Any]


def props(**values: object) -> Spoil:
    return lambda feature: feature["properties"].update(values)


@pytest.mark.parametrize(
    ("spoil", "kind", "where"),
    [
        (lambda f: f.update(geometry=None), FaultKind.NO_GEOMETRY, FIRST),
        (lambda f: f["geometry"].update(coordinates=[]), FaultKind.NO_GEOMETRY, FIRST),
        (lambda f: f.update(geometry={"type": "LineString", "coordinates": [[1, 2]]}), FaultKind.NOT_A_POLYGON, FIRST),
        (spoil_parts, FaultKind.SEVERAL_PARTS, FIRST),
        (lambda f: f["geometry"]["coordinates"].append(hole(f)), FaultKind.HOLE, FIRST),
        (lambda f: ring(f).pop(), FaultKind.BAD_RING, FIRST),
        (lambda f: ring(f).__setitem__(1, ["113.1", "23.1"]), FaultKind.NOT_NUMBERS, FIRST),
        (lambda f: ring(f).__setitem__(1, [float("nan"), 23.1]), FaultKind.NOT_NUMBERS, FIRST),
        (spoil_metres, FaultKind.IN_METRES, FIRST),
        (spoil_swapped, FaultKind.SWAPPED, FIRST),
        (spoil_abroad, FaultKind.OUTSIDE_CHINA, FIRST),
        (spoil_bowtie, FaultKind.CROSSES_ITSELF, FIRST),
        (props(code="12345"), FaultKind.CODE_FORMAT, "#1 12345"),
        (props(code=None), FaultKind.CODE_FORMAT, "#1 1-1单元"),
        (props(code=MADE[1]["properties"]["code"]), FaultKind.CODE_TWICE, f"#2 {MADE[1]['properties']['code']}"),
        (props(name=" "), FaultKind.NO_NAME, FIRST),
        (props(grid="4418020010010"), FaultKind.GRID_FORMAT, FIRST),
        (props(grid="44180200100177"), FaultKind.UNKNOWN_GRID, FIRST),
        (props(grid="44180200199901", code="441802001999001"), FaultKind.UNKNOWN_COMMUNITY, "#1 441802001999001"),
        (props(grid="44180200100201"), FaultKind.OTHER_COMMUNITY, FIRST),
    ],
)
def test_each_mistake_is_told_where_it_is(spoil: Spoil, kind: FaultKind, where: str) -> None:
    made = copy()
    spoil(made[0])
    found = survey(made)
    assert (kind, where) in [(fault.kind, fault.where) for fault in found.faults]
    assert found.cells == [], "nothing of a file with a mistake is loaded"


def test_a_border_that_crosses_itself_is_shown_on_the_spot() -> None:
    made = copy()
    spoil_bowtie(made[7])
    (fault,) = [fault for fault in survey(made).faults if fault.kind is FaultKind.CROSSES_ITSELF]
    lng, lat = fault.values["lng"], fault.values["lat"]
    assert abs(float(str(lng)) - middle(MADE[7])[0]) < 0.004
    assert abs(float(str(lat)) - middle(MADE[7])[1]) < 0.004


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("{", FaultKind.NOT_JSON),
        ("[]", FaultKind.NOT_A_COLLECTION),
        ('{"features": [1]}', FaultKind.NOT_A_COLLECTION),
        ('{"type": "FeatureCollection", "features": []}', FaultKind.NOTHING_IN_IT),
    ],
)
def test_a_file_that_is_none(text: str, kind: FaultKind) -> None:
    assert kinds(survey_cells(text, directory(MADE), DAY, Crs.WGS84)) == [kind]


@pytest.mark.parametrize(
    ("name", "sound"),
    [("urn:ogc:def:crs:OGC:1.3:CRS84", True), ("urn:ogc:def:crs:EPSG::4490", True), ("EPSG:4547", False)],
)
def test_a_file_that_names_its_system(name: str, sound: bool) -> None:
    raw = json.loads(collection(MADE)) | {"crs": {"type": "name", "properties": {"name": name}}}
    found = survey_cells(json.dumps(raw), directory(MADE), DAY, Crs.WGS84)
    assert kinds(found) == ([] if sound else [FaultKind.OTHER_CRS])


def test_overlaps_are_told_in_pairs_with_their_area() -> None:
    made = copy()
    shared = ring(made[0])[2]  # the corner that it has in common with three others
    moved = [shared[0] + 0.0005, shared[1]]
    ring(made[0])[2] = moved
    overlaps = [fault for fault in survey(made).faults if fault.kind is FaultKind.OVERLAP]
    assert {fault.where for fault in overlaps} == {FIRST}
    assert all(100 < int(str(fault.values["m2"])) < 20_000 for fault in overlaps)


def test_two_drawings_of_one_border_are_no_fault() -> None:
    """A corner a few centimetres off leaves strips between the neighbours that nobody means."""
    made = copy()
    for feature in made[:3]:
        for at in ring(feature):
            at[0] += 2e-7
    assert survey(made).faults == []


def test_a_gap_is_told_with_its_area_and_a_point_inside() -> None:
    made = [feature for n, feature in enumerate(MADE) if n != 8]  # a cell in the middle is missing
    (gap,) = survey(made).faults
    assert gap.kind is FaultKind.GAP
    assert 100_000 < int(str(gap.values["m2"])) < 250_000
    assert (gap.values["lng"], gap.values["lat"]) == pytest.approx(middle(MADE[8]), abs=0.002)
    assert stopping([gap], [FaultKind.GAP]) == []
    assert survey(made).cells, "what a person may let pass is read all the same"


def test_cells_of_the_community_beside_are_not_overlapped_and_leave_no_gap() -> None:
    first, rest = MADE[:6], MADE[6:]  # one community, and the other three that stay
    assert survey(first, known=rest).faults == []
    wide = copy(first)
    for at in ring(wide[2]):
        at[0] += 0.001
    found = survey(wide, known=rest)
    assert FaultKind.OVERLAP_BESIDE in kinds(found)


def test_ground_that_had_a_cell_and_has_none_now_is_told() -> None:
    fewer = [feature for feature in MADE if not feature["properties"]["code"].endswith("006")]
    found = survey(fewer, known=MADE)
    assert kinds(found) == [FaultKind.LOST_GROUND]
    assert 10 < float(str(found.faults[0].values["share"])) < 25


def test_a_new_grid_comes_along_with_its_name() -> None:
    made = copy()
    for feature in made[:2]:
        feature["properties"] |= {"grid": "44180200100109", "grid_name": "新网格", "branch": "新网格党支部"}
    found = survey(made)
    assert found.faults == []
    assert [(grid.code, grid.name, grid.branch) for grid in found.grids] == [
        ("44180200100109", "新网格", "新网格党支部")
    ]


# --- the datum ------------------------------------------------------------------------------------------------------
def pins() -> list[Place]:
    return [
        Place(f"p{n}", f"{n}", "小区", feature["properties"]["code"], *middle(feature), f"{n}")
        for n, feature in enumerate(MADE)
    ]


def suspicion(found: CellSurvey) -> Fault | None:
    return next((fault for fault in found.faults if fault.kind is FaultKind.DATUM), None)


@pytest.mark.parametrize("crs", [Crs.GCJ02, Crs.BD09])
@pytest.mark.parametrize("known", ["older cells", "neighbours", "places"])
def test_a_file_of_another_datum_is_recognised_by_what_is_known(crs: Crs, known: str) -> None:
    file = MADE[6:12] if known == "neighbours" else MADE
    drawn = shifted(file, lambda lng, lat: from_wgs84(lng, lat, crs))
    street = {
        "older cells": directory(MADE, MADE),
        "neighbours": directory(MADE, [*MADE[:6], *MADE[12:]]),
        "places": directory(MADE, (), pins()),
    }[known]
    fault = suspicion(survey_cells(collection(drawn), street, DAY, Crs.WGS84))
    assert fault is not None
    assert fault.values["crs"] == crs
    assert 450 < int(str(fault.values["shift"])) < 1500
    assert int(str(fault.values["then"])) < 5
    read_right = survey_cells(collection(drawn), street, DAY, crs)
    assert read_right.faults == []
    assert read_right.cells


def test_a_file_that_is_right_but_said_to_be_another_datum_is_recognised_too() -> None:
    fault = suspicion(survey(MADE, Crs.GCJ02, known=MADE))
    assert fault is not None
    assert fault.values["crs"] == Crs.WGS84


def test_with_nothing_to_compare_with_nothing_is_suspected() -> None:
    drawn = shifted(MADE, wgs84_to_gcj02)
    assert survey(drawn).faults == []


def test_redrawn_cells_in_the_right_datum_are_not_suspected() -> None:
    redrawn = features(4, 6, seed=9)
    found = survey(redrawn, known=MADE)
    assert suspicion(found) is None


# --- words ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_kind_of_fault_has_words_and_a_remedy(lang: str) -> None:
    labels = Labels(lang)
    assert all(f"areas.fault.{kind}" in labels and f"areas.remedy.{kind}" in labels for kind in FaultKind)
    made = copy()
    spoil_bowtie(made[7])
    made[0]["properties"]["name"] = ""
    told = [fault.told(labels) for fault in survey([*made, *shifted(made[20:21], wgs84_to_gcj02)], known=MADE).faults]
    assert len(told) >= 4
    assert all("{" not in line for line in told)


def test_only_what_may_be_true_of_a_street_can_be_let_pass() -> None:
    broken = Fault(FaultKind.CROSSES_ITSELF, "#1")
    assert stopping([broken], list(FaultKind)) == [broken]
    assert FaultKind.CODE_TWICE not in LET_PASS

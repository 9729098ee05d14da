"""The sample street is whole: areas tile, people hold what the roster says, and its script still makes it."""

from __future__ import annotations

import csv
import json
import runpy
import tomllib
from collections import Counter
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from pypinyin import Style, lazy_pinyin
from shapely.geometry import Point, shape
from shapely.ops import unary_union

from schemas.rulebook import read_rulebook

DEPLOY = Path(__file__).parents[3] / "deploy"
FOLDER = DEPLOY / "sample" / "fengcheng"


def table(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def cells() -> Mapping[str, Any]:
    features = json.loads((FOLDER / "cells.geojson").read_text("utf-8"))["features"]
    return {f["properties"]["code"]: (f["properties"], shape(f["geometry"])) for f in features}


def test_cells_tile_without_gap_or_overlap(cells: Mapping[str, Any]) -> None:
    shapes = [area for _, area in cells.values()]
    whole = unary_union(shapes)
    assert all(area.is_valid for area in shapes)
    assert sum(a.intersection(b).area for a, b in combinations(shapes, 2)) == 0
    assert whole.geom_type == "Polygon"
    assert len(whole.interiors) == 0


def test_codes_and_sizes(cells: Mapping[str, Any]) -> None:
    by_grid = Counter(names["grid"] for names, _ in cells.values())
    assert len(by_grid) == 18
    assert set(by_grid.values()) <= {2, 3}
    for code, (names, _) in cells.items():
        assert len(code) == 15
        assert len(names["grid"]) == 14
        assert code[:12] == names["grid"][:12]


def test_grids_are_the_sum_of_their_cells(cells: Mapping[str, Any]) -> None:
    features = json.loads((FOLDER / "grids.geojson").read_text("utf-8"))["features"]
    for feature in features:
        mine = unary_union([area for names, area in cells.values() if names["grid"] == feature["properties"]["code"]])
        assert shape(feature["geometry"]).symmetric_difference(mine).area < 1e-12


def test_places_lie_in_their_cells(cells: Mapping[str, Any]) -> None:
    rows = table("places.csv")
    assert len(rows) >= 300
    assert len({row["id"] for row in rows}) == len({row["name"] for row in rows}) == len(rows)
    assert {row["kind"] for row in rows} == {"小区", "楼栋", "街巷", "门牌", "单位", "路口"}
    for row in rows:
        assert cells[row["cell"]][1].contains(Point(float(row["lng"]), float(row["lat"])))
        assert all(lazy_pinyin(row["name"], style=Style.FIRST_LETTER))


def test_units_are_those_of_the_rulebook() -> None:
    book = read_rulebook((DEPLOY / "rulebooks" / "fengcheng.toml").read_text("utf-8"))
    assert {row["code"]: row["name"] for row in table("units.csv")} == {c: u.name for c, u in book.units.items()}
    assert sum(row["kind"] == "member" for row in table("units.csv")) == 2


def test_everybody_is_on_the_roster() -> None:
    people, roster = table("people.csv"), table("roster.csv")
    grids = {row["area"] for row in people if row["role"] == "GS"}
    duties = {(row["area"], row["duty"]) for row in roster}
    assert len(grids) == 18
    for grid in grids:
        assert {(grid, duty) for duty in ("secretary", "worker", "deputy")} <= duties
    communities = {row["area"] for row in people if row["role"] == "CS"}
    assert len(communities) == 4
    for community in communities:
        assert {(community, "secretary"), (community, "liaison_leader")} <= duties
    assert {row["login"] for row in roster} <= {row["login"] for row in people}


def test_names_say_that_nobody_is_meant() -> None:
    names = {row["login"]: row["name"] for row in table("people.csv")}
    assert all(name[1] == "示" for name in names.values())
    assert len(set(names.values())) == len(names)


@pytest.mark.parametrize(
    ("login", "roles"),
    [
        ("wangge01", {"GW"}),
        ("zhibu01", {"GS"}),
        ("shequ01", {"CS"}),
        ("shouli", {"IC", "DP"}),
        ("zhiban", {"DC"}),
        ("zhifadui", {"HU"}),
        ("huanwei", {"HU"}),
        ("hecha", {"VF"}),
        ("quji", {"DI"}),
        ("lingdao", {"SL"}),
        ("admin", {"AD"}),
        ("audit", {"AU"}),
    ],
)
def test_accounts_that_people_are_told_of(login: str, roles: set[str]) -> None:
    assert {row["role"] for row in table("people.csv") if row["login"] == login} == roles


def test_the_street_says_it_is_a_sample() -> None:
    street = tomllib.loads((FOLDER / "street.toml").read_text("utf-8"))
    assert street["sample"] is True
    assert (FOLDER / street["rulebook"]).resolve().is_file()
    assert (FOLDER / street["calendars"]).resolve().is_dir()


def test_the_script_makes_exactly_these_files(tmp_path: Path) -> None:
    made = runpy.run_path(str(DEPLOY / "sample" / "make_fengcheng.py"))
    made["main"](tmp_path)
    assert {p.name: p.read_text("utf-8") for p in tmp_path.iterdir()} == {
        p.name: p.read_text("utf-8") for p in FOLDER.iterdir()
    }

"""Cells by day: which one holds a point, a code that has ended, a name of then."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from services.chassis.directory.areas import EVER, Cell, CellHistory, CellVersion, day_of
from services.chassis.directory.model import Directory, Place
from services.chassis.directory.placing import placed
from tests.support.areas import cell_of, directory, features, middle

OLD = [cell_of(feature) for feature in features(2, 3)]
NEW = [
    Cell(cell.code, f"新{cell.name}", cell.grid, cell.community, cell.geometry)
    for cell in OLD
    if not cell.code.endswith("003")
]
CHANGE = date(2026, 12, 1)
BEFORE = date(2026, 11, 30)
PIN = middle(features(2, 3)[2])  # in the cell that ends


@pytest.fixture
def history() -> CellHistory:
    ended = [CellVersion(cell, EVER, CHANGE) for cell in OLD]
    return CellHistory([*ended, *(CellVersion(cell, CHANGE, None) for cell in NEW)])


def street(history: CellHistory, day: date) -> Directory:
    plain = directory(features(2, 3))
    return Directory(**{**vars(plain), "history": history, "day": day, "cells": history.on(day).cells})


def test_a_day_begins_at_midnight_in_shanghai() -> None:
    assert day_of(datetime(2026, 11, 30, 15, 59, 59, tzinfo=UTC)) == BEFORE
    assert day_of(datetime(2026, 11, 30, 16, 0, tzinfo=UTC)) == CHANGE


def test_each_day_has_its_cells(history: CellHistory) -> None:
    there = street(history, BEFORE)
    old, new = there.cell_at(*PIN), there.cell_at(*PIN, CHANGE)
    assert old is not None
    assert (old.code[-3:], new) == ("003", None)
    assert there.cell_at(*middle(features(2, 3)[0]), CHANGE) == NEW[0]
    assert street(history, CHANGE).cell_at(*PIN) is None
    assert history.era(date(2020, 1, 1)) == history.era(BEFORE) != history.era(CHANGE)


def test_what_has_ended_keeps_its_name(history: CellHistory) -> None:
    there, ended = street(history, CHANGE), OLD[2].code
    assert there.name_of(ended) == OLD[2].name
    assert there.name_of(OLD[0].code) == f"新{OLD[0].name}"
    assert there.name_of(OLD[0].code, BEFORE) == OLD[0].name
    assert there.cell_then(ended) == OLD[2]
    assert there.cell_then("441802001009009") is None
    assert there.name_of("441802001001") == "001社区"


def test_a_cell_that_is_planned_is_known_by_name_and_holds_nothing_yet(history: CellHistory) -> None:
    planned = Cell("441802001001009", "将来", OLD[0].grid, OLD[0].community, OLD[2].geometry)
    more = CellHistory([*history.versions, CellVersion(planned, date(2027, 1, 1), None)])
    there = street(more, CHANGE)
    assert planned.code not in there.cells
    assert there.name_of(planned.code) == "将来"
    assert there.cell_at(*PIN, date(2027, 1, 1)) == planned


def test_the_cell_that_took_the_ground_over_stands_for_an_ended_one(history: CellHistory) -> None:
    heir = Cell("441802001001009", "合并", OLD[0].grid, OLD[0].community, OLD[2].geometry)
    merged = CellHistory([CellVersion(heir, CHANGE, None)]).on(CHANGE)
    assert merged.standing_for(OLD[2]) == heir
    assert merged.standing_for(OLD[4]) is None


def test_places_find_their_cell_of_the_day(history: CellHistory) -> None:
    first = features(2, 3)[0]
    told = Place("a", "甲", "小区", OLD[0].code, *middle(first), "j")
    gone = Place("b", "乙", "小区", OLD[2].code, *PIN, "y")
    strayed = Place("c", "丙", "小区", OLD[5].code, *middle(first), "b")  # told to a cell that is far from its pin
    bare = Place("d", "丁", "小区", OLD[1].code, None, None, "d")
    assert [place.cell for place in placed([told, gone, strayed, bare], history.on(CHANGE))] == [
        OLD[0].code,
        None,
        OLD[0].code,
        OLD[1].code,
    ]
    assert placed([gone], history.on(BEFORE))[0].cell == OLD[2].code


def test_places_come_nearest_first_and_by_grid() -> None:
    made = features(2, 6)
    places = [
        Place(f"p{n}", f"东门{n}", "小区", feature["properties"]["code"], *middle(feature), "dm")
        for n, feature in enumerate(made)
    ]
    there = directory(made, made, places)
    here = middle(made[7])
    near = [place.place_id for place in there.find_places("东门", near=here, limit=3)]
    assert near[0] == "p7"
    assert set(near[1:]) <= {"p1", "p6", "p8"}
    grid = made[3]["properties"]["grid"]
    assert {place.place_id for place in there.find_places("", grid=grid)} == {"p3", "p4", "p5"}
    assert [place.place_id for place in there.find_places("dm", cell=grid, limit=3)] == ["p3", "p4", "p5"]


def test_every_reading_of_a_name_is_found() -> None:
    place = Place("p", "云溪花苑", "小区", None, 113.05, 23.69, "yxhy yqhy")
    there = Directory(rev=1, places={"p": place})
    assert [len(there.find_places(words)) for words in ("yx", "YQH", "云溪", "hy", "xq")] == [1, 1, 1, 1, 0]

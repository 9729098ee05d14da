"""Where a report belongs."""

from __future__ import annotations

import json

import pytest

from schemas.api.intake import CellIn, PointIn
from services.chassis.directory.model import Cell, Community, Directory, Grid, Place, Street
from services.governance.acts import Post, Spot
from services.governance.cycle import Role
from services.intake.usecases.place import Home, home_of, locate
from services.intake.usecases.refusal import Refusal

STREET, COMMUNITY, GRID, CELL = "441802001", "441802001001", "44180200100101", "441802001001001"
HOME = Home(STREET, COMMUNITY, GRID)


def square(west: float, south: float, side: float) -> str:
    ring = [[west, south], [west + side, south], [west + side, south + side], [west, south + side], [west, south]]
    return json.dumps({"type": "Polygon", "coordinates": [ring]})


@pytest.fixture
def directory() -> Directory:
    def place(name: str, place_id: str) -> Place:
        return Place(place_id, name, "road", CELL, 113.065, 23.695, "dm")

    return Directory(
        rev=1,
        streets={STREET: Street(STREET, "凤城街道", True)},
        communities={COMMUNITY: Community(COMMUNITY, "云溪社区", STREET)},
        grids={GRID: Grid(GRID, "第一网格", COMMUNITY)},
        cells={CELL: Cell(CELL, "1", GRID, COMMUNITY, square(113.06, 23.69, 0.01))},
        places={"p1": place("东门", "p1"), "p2": place("西门", "p2"), "p3": place("西门", "p3")},
    )


def test_pin_inside(directory: Directory) -> None:
    found = locate(PointIn(lng=113.065, lat=23.695), "", directory, HOME)
    assert found.spot == Spot(STREET, COMMUNITY, GRID, CELL, 113.065, 23.695)
    assert not found.outside


def test_datum_decides_the_cell(directory: Directory) -> None:
    shifted = PointIn(lng=113.0612, lat=23.6995, crs="gcj02")  # 540 m off: inside by its numbers, outside in truth
    found = locate(shifted, "", directory, HOME)
    assert found.spot.cell is None
    assert found.fix is not None
    assert (found.fix.lng, found.fix.lat) == (113.0612, 23.6995)


def test_pin_outside_is_kept(directory: Directory) -> None:
    found = locate(PointIn(lng=113.5, lat=23.695), "", directory, HOME)
    assert found.outside
    assert (found.spot.street, found.spot.community, found.spot.cell, found.spot.lng) == (STREET, None, None, 113.5)


@pytest.mark.parametrize(("lng", "lat", "code"), [(0, 0, "position_impossible"), (23.69, 85.0, "position_swapped")])
def test_impossible_pin(directory: Directory, lng: float, lat: float, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        locate(PointIn(lng=lng, lat=lat), "", directory, HOME)
    assert refused.value.code == code


def test_cell_with_its_place(directory: Directory) -> None:
    found = locate(CellIn(cell=CELL), "东门", directory, HOME)
    assert (found.spot.cell, found.place_id, found.spot.lng) == (CELL, "p1", 113.065)


def test_unknown_cell(directory: Directory) -> None:
    with pytest.raises(Refusal, match="unknown_cell"):
        locate(CellIn(cell="9"), "", directory, HOME)


@pytest.mark.parametrize(("words", "cell"), [("东门", CELL), ("西门", None), ("不知道", None)])
def test_words_alone(directory: Directory, words: str, cell: str | None) -> None:
    found = locate(None, words, directory, HOME)
    assert found.spot.cell == cell
    assert found.spot.grid == GRID
    assert not found.outside


def test_home(directory: Directory) -> None:
    assert home_of((Post(Role.GRID_WORKER, GRID),), directory) == HOME
    assert home_of((Post(Role.COMMUNITY_SECRETARY, COMMUNITY),), directory) == Home(STREET, COMMUNITY)
    assert home_of((), directory) == Home(STREET)
    with pytest.raises(Refusal, match="no_street"):
        home_of((), Directory(rev=0))

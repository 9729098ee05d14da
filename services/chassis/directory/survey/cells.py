"""A file of cells, checked: codes against the directory, shapes against each other and what lies around them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from services.chassis.coordinates import Crs, to_wgs84
from services.chassis.directory.areas import Cell
from services.chassis.directory.model import Directory
from services.chassis.directory.survey.datum import References, datum_fault
from services.chassis.directory.survey.faults import LET_PASS, Fault, FaultKind
from services.chassis.directory.survey.features import Feature, read_features
from services.chassis.directory.survey.fitting import Named, ground_faults

_CELL = re.compile(r"\d{15}")
_GRID = re.compile(r"\d{14}")
COMMUNITY_DIGITS = 12
_PLACES_DECIMAL = 7  # of a degree, about a centimetre


@dataclass(frozen=True, slots=True)
class NewGrid:
    """A grid (网格) that the file brings along."""

    code: str
    name: str
    branch: str | None


@dataclass(frozen=True, slots=True)
class CellSurvey:
    """What a file says, in WGS-84, and everything that is wrong with it."""

    cells: Sequence[Cell]
    grids: Sequence[NewGrid]
    faults: Sequence[Fault]

    @property
    def communities(self) -> set[str]:
        """Those that the file speaks for: all of their cells are in it."""
        return {cell.community for cell in self.cells}


def survey_cells(text: str, directory: Directory, day: date, crs: Crs) -> CellSurvey:
    """Check a GeoJSON file of cells that shall hold from `day` on. Positions are read in `crs`."""
    features, faults = read_features(text, "Polygon")
    faults += _codes(features, directory)
    named = [feature for feature in features if feature.shape is not None]
    grids = {grid.code: grid for feature in features if (grid := _new_grid(feature, directory)) is not None}
    if named:
        faults += _together(named, directory, day, crs)
    sound = all(fault.kind in LET_PASS for fault in faults)
    cells = [_cell(each, each.shape, crs) for each in features if sound and each.shape is not None]
    return CellSurvey(cells, list(grids.values()), faults)


# --- codes ----------------------------------------------------------------------------------------------------------
def _codes(features: Sequence[Feature], directory: Directory) -> list[Fault]:
    faults: list[Fault] = []
    first: dict[str, int] = {}
    for feature in features:
        faults += _own_codes(feature, directory)
        code = feature.text("code")
        if code and code in first:
            faults.append(Fault(FaultKind.CODE_TWICE, feature.where, {"first": first[code]}))
        first.setdefault(code, feature.index)
    return faults


def _own_codes(feature: Feature, directory: Directory) -> list[Fault]:
    """Code, name, grid and community of one cell."""
    code, grid, where = feature.text("code"), feature.text("grid"), feature.where
    faults = [] if feature.text("name") else [Fault(FaultKind.NO_NAME, where)]
    if not _CELL.fullmatch(code):
        faults.append(Fault(FaultKind.CODE_FORMAT, where, {"code": code or "-"}))
    if not _GRID.fullmatch(grid):
        return [*faults, Fault(FaultKind.GRID_FORMAT, where, {"grid": grid or "-"})]
    community = grid[:COMMUNITY_DIGITS]
    if community not in directory.communities:
        faults.append(Fault(FaultKind.UNKNOWN_COMMUNITY, where, {"community": community}))
    elif grid not in directory.grids and not feature.text("grid_name"):
        faults.append(Fault(FaultKind.UNKNOWN_GRID, where, {"grid": grid}))
    if _CELL.fullmatch(code) and code[:COMMUNITY_DIGITS] != community:
        faults.append(Fault(FaultKind.OTHER_COMMUNITY, where, {"code": code, "grid": grid}))
    return faults


def _new_grid(feature: Feature, directory: Directory) -> NewGrid | None:
    code, name = feature.text("grid"), feature.text("grid_name")
    if not name or code in directory.grids:
        return None
    return NewGrid(code, name, feature.text("branch") or None)


# --- together -------------------------------------------------------------------------------------------------------
def _together(features: Sequence[Feature], directory: Directory, day: date, crs: Crs) -> list[Fault]:
    """Overlaps and gaps, and whether another datum would fit better."""
    communities = {feature.text("grid")[:COMMUNITY_DIGITS] for feature in features}
    streets = {community[:9] for community in communities}
    before = directory.cells_on(day).cells
    old = {code: cell for code, cell in before.items() if cell.community in communities}
    beside = {code: cell for code, cell in before.items() if code[:9] in streets and code not in old}
    old_shapes, beside_shapes = _shapes(old), _shapes(beside)
    own = [Named(feature.where, feature.text("code"), _at(feature.shape, crs)) for feature in features if feature.shape]
    faults = ground_faults(own, beside_shapes, old_shapes)
    pins = [
        (place.cell, (place.lng, place.lat))
        for place in directory.places.values()
        if place.cell and place.lng is not None and place.lat is not None and place.cell[:12] in communities
    ]
    raw = {feature.text("code"): feature.shape for feature in features if feature.shape is not None}
    suspected = datum_fault(raw, References(old_shapes, beside_shapes, pins), crs)
    return [*([suspected] if suspected else []), *faults]  # overlaps and lost ground may only follow from it


def _shapes(cells: Mapping[str, Cell]) -> dict[str, BaseGeometry]:
    return {code: shapely.from_geojson(cell.geometry) for code, cell in cells.items()}


def _at(shape: BaseGeometry, crs: Crs) -> BaseGeometry:
    """The shape in WGS-84. Neighbours share their corners exactly before, and so they do afterwards."""
    if crs in (Crs.WGS84, Crs.CGCS2000):
        return shape
    moved: BaseGeometry = shapely.transform(shape, lambda corners: np.array([_moved(at, crs) for at in corners]))
    return moved


def _moved(at: Sequence[float], crs: Crs) -> tuple[float, float]:
    lng, lat = to_wgs84(float(at[0]), float(at[1]), crs)
    return round(lng, _PLACES_DECIMAL), round(lat, _PLACES_DECIMAL)


def _cell(feature: Feature, shape: BaseGeometry, crs: Crs) -> Cell:
    grid = feature.text("grid")
    text = str(shapely.to_geojson(_at(shape, crs)))
    return Cell(feature.text("code"), feature.text("name"), grid, grid[:COMMUNITY_DIGITS], text)

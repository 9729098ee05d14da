"""Cells (单元网格) and their versions: grids are redrawn from a day on, and a case keeps the cell of its own day.

A version holds from 00:00 of its first day to 00:00 of the day it ends, both in Asia/Shanghai. All versions that hold
on one day make a `CellMap`, which finds points by an R-tree; coordinates are WGS-84 degrees, (longitude, latitude).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from services.chassis.clock import LOCAL

EVER = date.min
"""The first day of a cell that nothing older is known of."""

_HELD_BY_SHARE = 0.8  # a cell that holds so much of an ended one's ground stands for it


def day_of(at: datetime) -> date:
    """The day that people here have at a moment."""
    return at.astimezone(LOCAL).date()


@dataclass(frozen=True, slots=True)
class Cell:
    """The smallest area (单元网格). `geometry` is WGS-84 GeoJSON text of a polygon."""

    code: str  # 15 digits
    name: str
    grid: str
    community: str
    geometry: str


@dataclass(frozen=True, slots=True)
class CellVersion:
    """A cell as it is from `since` on, until (not including) `until`; None: no end is known."""

    cell: Cell
    since: date
    until: date | None

    def holds_on(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day < self.until)


class CellMap:
    """The cells of one day."""

    def __init__(self, cells: Mapping[str, Cell]) -> None:
        self.cells = cells

    def at(self, lng: float, lat: float) -> Cell | None:
        """The cell that holds a point; on a border the lower code's. None: outside all of them."""
        tree, codes, _ = self._index
        point: BaseGeometry = shapely.points(lng, lat)
        hits = tree.query(point, predicate="intersects")
        if len(hits) == 0:
            return None
        return self.cells[codes[int(hits[0]) if len(hits) == 1 else int(hits.min())]]

    def standing_for(self, old: Cell) -> Cell | None:
        """The cell that holds nearly all the ground of one that has ended. None: it was divided, or lies outside."""
        tree, codes, shapes = self._index
        ground = shapely.from_geojson(old.geometry)
        hits = tree.query(ground, predicate="intersects")
        shares = [(shapely.intersection(ground, shapes[i]).area / ground.area, codes[i]) for i in hits]
        share, code = max(shares, default=(0.0, ""))
        return self.cells[code] if share >= _HELD_BY_SHARE else None

    def shapes_of(self, codes: Sequence[str]) -> list[BaseGeometry]:
        """The polygons of known cells, in this order."""
        _, known, shapes = self._index
        where = {code: n for n, code in enumerate(known)}
        return [shapes[where[code]] for code in codes]

    def warm(self) -> None:
        """Make the index now, in whatever thread this is, so that no request has to."""
        _ = self._index

    @cached_property
    def _index(self) -> tuple[shapely.STRtree, list[str], Sequence[BaseGeometry]]:
        codes = sorted(self.cells)
        shapes = shapely.from_geojson(np.array([self.cells[code].geometry for code in codes], dtype=object))
        shapely.prepare(shapes)
        return shapely.STRtree(shapes), codes, shapes


class CellHistory:
    """Every version of every cell. Maps of a day are made when first asked for and kept."""

    def __init__(self, versions: Sequence[CellVersion] = ()) -> None:
        self.versions = tuple(versions)
        ends = {version.until for version in versions if version.until is not None}
        self._edges = sorted(ends | {version.since for version in versions})
        self._maps: dict[int, CellMap] = {}
        self._of: dict[str, list[CellVersion]] = {}
        for version in sorted(versions, key=lambda version: version.since):
            self._of.setdefault(version.cell.code, []).append(version)

    def era(self, day: date) -> int:
        """Days of the same era have the same cells."""
        return bisect_right(self._edges, day)

    def on(self, day: date) -> CellMap:
        """The cells of a day."""
        era = self.era(day)
        if era not in self._maps:
            self._maps[era] = CellMap({v.cell.code: v.cell for v in self.versions if v.holds_on(day)})
        return self._maps[era]

    def of(self, code: str, day: date | None = None, pin: tuple[float, float] | None = None) -> Cell | None:
        """The cell as it was on a day; if the code did not hold then, the last before it, or else the first after.

        A `pin` (WGS-84) that was put into the cell tells which of the versions begun by then is meant. Without a day
        the newest version. None: no such code was ever there.
        """
        versions = self._of.get(code)
        if not versions:
            return None
        begun = versions if day is None else [version for version in versions if version.since <= day]
        if pin is not None and len(begun) > 1:
            point = shapely.points(*pin)
            begun = [v for v in begun if shapely.from_geojson(v.cell.geometry).intersects(point)] or begun
        return (begun[-1] if begun else versions[0]).cell

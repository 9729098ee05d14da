"""Whether a file was drawn on a map of another datum than it is read in.

GCJ-02 and BD-09 lie some 500 to 900 m off, more than a cell is wide, and a file rarely says which it is. What is known
already does: the cells that were there before, those beside them, and the pins of named places. How far off the file
lies from them is measured in each datum; where another one fits at least three times better, and the one it is read
in is more than TOLERATED_M off, the file is suspected. With nothing to compare with nothing can be said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
import shapely
from shapely.geometry import Point, Polygon
from shapely.geometry.base import BaseGeometry

from services.chassis.coordinates import Crs, from_wgs84, metres_between
from services.chassis.directory.survey.faults import Fault, FaultKind

TOLERATED_M = 30.0
_TIMES_BETTER = 3.0
_FEWEST_PINS = 5
_SAMPLED = 400  # corners of the outline that are measured
_DEGREE_M = 111_195.0
_CANDIDATES = (Crs.WGS84, Crs.GCJ02, Crs.BD09)  # CGCS2000 is WGS-84 to less than a metre
NAMES: Mapping[Crs, str] = {Crs.WGS84: "WGS-84", Crs.GCJ02: "GCJ-02", Crs.BD09: "BD-09", Crs.CGCS2000: "CGCS2000"}

Position = tuple[float, float]


@dataclass(frozen=True, slots=True)
class References:
    """What is known in WGS-84: the cells of before and beside by code, and pins with the cell they are told to."""

    old: Mapping[str, BaseGeometry]
    beside: Mapping[str, BaseGeometry]
    pins: Sequence[tuple[str, Position]]


def datum_fault(raw: Mapping[str, BaseGeometry], known: References, crs: Crs) -> Fault | None:
    """The suspicion, with how far off the file is as read and how far in the better datum."""
    off = {candidate: misfit for candidate in _CANDIDATES if (misfit := _misfit(raw, known, candidate)) is not None}
    read = Crs.WGS84 if crs is Crs.CGCS2000 else crs
    if read not in off:
        return None
    best = min(off, key=lambda candidate: off[candidate])
    if best is read or off[read] < TOLERATED_M or off[best] * _TIMES_BETTER > off[read]:
        return None
    values = {
        "read": NAMES[crs],
        "best": NAMES[best],
        "crs": best.value,
        "shift": round(_shift(raw, read, best)),
        "off": round(off[read]),
        "then": round(off[best]),
    }
    return Fault(FaultKind.DATUM, "", values)


def _shift(raw: Mapping[str, BaseGeometry], read: Crs, best: Crs) -> float:
    """Metres between the two datums at the file's middle."""
    west, south, east, north = shapely.total_bounds(np.array(list(raw.values()), dtype=object))
    here = ((west + east) / 2, (south + north) / 2)
    return metres_between(*from_wgs84(*here, read), *from_wgs84(*here, best))


def _misfit(raw: Mapping[str, BaseGeometry], known: References, crs: Crs) -> float | None:
    """Metres that the file lies off, if it is drawn in `crs`; None: nothing to compare with."""
    measures: tuple[Callable[[], float | None], ...] = (
        lambda: _same_codes(raw, known.old, crs),
        lambda: _pins(raw, known.pins, crs),
        lambda: _outline(raw, known.old, known.beside, crs),
    )
    return next((metres for measure in measures if (metres := measure()) is not None), None)


def _same_codes(raw: Mapping[str, BaseGeometry], old: Mapping[str, BaseGeometry], crs: Crs) -> float | None:
    """Between the middles of the cells that keep their code; half of the street may be redrawn."""
    both = sorted(raw.keys() & old.keys())
    if not both or 2 * len(both) < len(raw):
        return None
    apart = []
    for code in both:
        mine, theirs = raw[code].centroid, old[code].centroid
        apart.append(metres_between(mine.x, mine.y, *from_wgs84(theirs.x, theirs.y, crs)))
    return median(apart)


def _pins(raw: Mapping[str, BaseGeometry], pins: Sequence[tuple[str, Position]], crs: Crs) -> float | None:
    """From each pin to the cell it is told to."""
    known = [(raw[code], from_wgs84(*at, crs)) for code, at in pins if code in raw]
    if len(known) < _FEWEST_PINS:
        return None
    away = [shape.distance(Point(at)) * _DEGREE_M for shape, at in known]
    return float(sum(away) / len(away))


def _outline(
    raw: Mapping[str, BaseGeometry],
    old: Mapping[str, BaseGeometry],
    beside: Mapping[str, BaseGeometry],
    crs: Crs,
) -> float | None:
    """From corners of the file's outline to the nearest border that is known, of which the lower quarter counts, since
    a file may touch what is known on one side only; and how deep it lies in cells that stay beside it."""
    if not old and not beside:
        return None
    own = shapely.union_all(np.array(list(raw.values()), dtype=object))
    known = _drawn(shapely.boundary(shapely.union_all(np.array([*old.values(), *beside.values()], dtype=object))), crs)
    corners = shapely.get_coordinates(shapely.boundary(own))
    step = max(1, len(corners) // _SAMPLED)
    away = np.sort(shapely.distance(shapely.points(corners[::step]), known)) * _DEGREE_M
    others = _drawn(shapely.union_all(np.array(list(beside.values()), dtype=object)), crs) if beside else Polygon()
    depth = shapely.intersection(own, others).area / own.length * _DEGREE_M
    return float(away[len(away) // 4] + depth)


def _drawn(shape: BaseGeometry, crs: Crs) -> BaseGeometry:
    """What is known, as a map of another datum shows it."""
    moved: BaseGeometry = shapely.transform(
        shape, lambda corners: np.array([from_wgs84(float(lng), float(lat), crs) for lng, lat in corners])
    )
    return moved

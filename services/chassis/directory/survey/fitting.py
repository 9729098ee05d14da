"""Cells against each other: overlaps, gaps, ground that was there before and is not any more.

Measured in metres on a plane laid through the file's middle, good to a fraction of a percent across a district. Borders
drawn twice never agree to the centimetre, so a strip is only a fault when it is larger than LEAST_M2 and on average
wider than LEAST_WIDTH_M.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from services.chassis.directory.survey.faults import Fault, FaultKind

LEAST_M2 = 1.0
LEAST_WIDTH_M = 0.5
LOST_M2 = 1000.0  # of a street's ground: less is a border drawn better
_DEGREE_M = 111_195.0  # of latitude, on the sphere that distances are measured on

Points = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Named:
    """One cell of the file, WGS-84."""

    where: str
    code: str
    shape: BaseGeometry


def ground_faults(
    own: Sequence[Named], beside: Mapping[str, BaseGeometry], old: Mapping[str, BaseGeometry]
) -> list[Fault]:
    """Faults of the file's cells among themselves and towards those that stay `beside` them; `old`: the cells whose
    place they take."""
    plane = _Plane.through([cell.shape for cell in own])
    shapes = plane.flat([cell.shape for cell in own])
    others = plane.flat(list(beside.values()))
    faults = list(_overlaps(own, shapes, plane))
    faults += _overlaps_beside(own, shapes, list(beside), others, plane)
    ground = shapely.union_all(np.concatenate([shapes, others]))
    faults += _gaps(ground, plane)
    if old:
        before = shapely.union_all(plane.flat(list(old.values())))
        faults += _lost(shapely.difference(before, ground), before, plane)
    return faults


@dataclass(frozen=True, slots=True)
class _Plane:
    """Degrees to metres and back."""

    east_m: float

    @classmethod
    def through(cls, shapes: Sequence[BaseGeometry]) -> _Plane:
        _, south, _, north = shapely.total_bounds(np.array(shapes, dtype=object))
        return cls(_DEGREE_M * math.cos(math.radians((south + north) / 2)))

    def flat(self, shapes: Sequence[BaseGeometry]) -> npt.NDArray[np.object_]:
        scale = np.array([self.east_m, _DEGREE_M])
        flat: npt.NDArray[np.object_] = shapely.transform(np.array(shapes, dtype=object), lambda xy: xy * scale)
        return flat

    def where(self, shape: BaseGeometry) -> dict[str, object]:
        """A point inside, in degrees, and the area."""
        point = shapely.point_on_surface(shape)
        lng, lat = point.x / self.east_m, point.y / _DEGREE_M
        return {"lng": round(lng, 6), "lat": round(lat, 6), "m2": max(1, round(shape.area))}


def _wide(shape: BaseGeometry) -> bool:
    """More than the strip that two drawings of one border leave."""
    return bool(shape.area > LEAST_M2 and 2 * shape.area > LEAST_WIDTH_M * shape.length)


def _overlaps(own: Sequence[Named], shapes: npt.NDArray[np.object_], plane: _Plane) -> Iterator[Fault]:
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pairs = first < second
    first, second = first[pairs], second[pairs]
    common = shapely.intersection(shapes[first], shapes[second])
    for a, b, shape in zip(first, second, common, strict=True):
        if _wide(shape):
            values = {"other": f"#{own[b].where.lstrip('#')}", **plane.where(shape)}
            yield Fault(FaultKind.OVERLAP, own[a].where, values)


def _overlaps_beside(
    own: Sequence[Named],
    shapes: npt.NDArray[np.object_],
    codes: Sequence[str],
    others: npt.NDArray[np.object_],
    plane: _Plane,
) -> Iterator[Fault]:
    if not codes:
        return
    mine, theirs = shapely.STRtree(others).query(shapes, predicate="intersects")
    common = shapely.intersection(shapes[mine], others[theirs])
    for a, b, shape in zip(mine, theirs, common, strict=True):
        if _wide(shape):
            yield Fault(FaultKind.OVERLAP_BESIDE, own[a].where, {"other": codes[b], **plane.where(shape)})


def _gaps(ground: BaseGeometry, plane: _Plane) -> Iterator[Fault]:
    """Ground that cells enclose and none of them holds."""
    for part in shapely.get_parts(ground):
        for ring in shapely.get_rings(part)[1:]:
            hole = Polygon(ring)
            if _wide(hole):
                yield Fault(FaultKind.GAP, "", plane.where(hole))


def _lost(lost: BaseGeometry, before: BaseGeometry, plane: _Plane) -> Iterator[Fault]:
    kept = shapely.union_all([part for part in shapely.get_parts(lost) if _wide(part)])
    if kept.area > LOST_M2:
        share = round(100 * kept.area / before.area, 1)
        yield Fault(FaultKind.LOST_GROUND, "", {**plane.where(kept), "share": share})

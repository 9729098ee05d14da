"""GeoJSON read without trust: each feature's properties and geometry, with every fault of its own.

Positions stay in the file's datum here. A single polygon wrapped as a MultiPolygon is taken as what it is.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import shapely
from shapely.geometry import Point, Polygon
from shapely.geometry.base import BaseGeometry

from services.chassis.coordinates import inside_china
from services.chassis.directory.survey.faults import Fault, FaultKind

_PLAIN_CRS = re.compile(r"(CRS84|EPSG:{1,2}(4326|4490|4214|4610))$", re.IGNORECASE)  # degrees, all of them
_FEWEST = 4  # positions of a closed ring
_AT = re.compile(r"^(?P<reason>[^\[]+)\[(?P<lng>\S+) (?P<lat>\S+)\]$")

Position = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature. `index` counts from 1, as people do; `shape` None: its geometry cannot be used."""

    index: int
    properties: Mapping[str, Any]
    shape: BaseGeometry | None

    @property
    def where(self) -> str:
        """For a person."""
        return f"#{self.index} {self.text('code') or self.text('name')}".rstrip()

    def text(self, name: str) -> str:
        """A property as trimmed text; codes written as numbers are taken by their digits."""
        value = self.properties.get(name)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return "" if value is None or isinstance(value, bool | dict | list) else str(value).strip()


def read_features(text: str, geometry: str) -> tuple[list[Feature], list[Fault]]:
    """The features of a FeatureCollection of Polygons or Points (`geometry`), and their own faults."""
    try:
        raw = json.loads(text)
    except ValueError as error:
        return [], [Fault(FaultKind.NOT_JSON, "", {"detail": str(error)})]
    listed = raw.get("features") if isinstance(raw, dict) else None
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        return [], [Fault(FaultKind.NOT_A_COLLECTION, "")]
    if not listed:
        return [], [Fault(FaultKind.NOTHING_IN_IT, "")]
    faults = list(_crs(raw.get("crs")))
    features = []
    for index, one in enumerate(listed, start=1):
        properties = one.get("properties")
        bare = Feature(index, properties if isinstance(properties, dict) else {}, None)
        found = one.get("geometry")
        shape, own = _polygon(found, bare) if geometry == "Polygon" else _point(found, bare)
        faults += own
        features.append(Feature(index, bare.properties, shape))
    return features, faults


def _crs(crs: Any) -> Iterator[Fault]:
    """Old files name their system; anything but degrees of longitude and latitude is no GeoJSON we can read."""
    if crs is None:
        return
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = str(properties.get("name")) if isinstance(properties, dict) else str(crs)
    if not _PLAIN_CRS.search(name):
        yield Fault(FaultKind.OTHER_CRS, "", {"crs": name})


def _polygon(geometry: Any, at: Feature) -> tuple[BaseGeometry | None, list[Fault]]:
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    rings = geometry.get("coordinates") if isinstance(geometry, dict) else None
    if kind == "MultiPolygon" and isinstance(rings, list) and rings:
        if len(rings) > 1:
            return _anyhow(geometry), [Fault(FaultKind.SEVERAL_PARTS, at.where, {"n": len(rings)})]
        kind, rings = "Polygon", rings[0]
    if kind is None or not rings:
        return None, [Fault(FaultKind.NO_GEOMETRY, at.where)]
    if kind != "Polygon" or not isinstance(rings, list):
        return None, [Fault(FaultKind.NOT_A_POLYGON, at.where, {"type": kind})]
    if len(rings) > 1:
        return _anyhow(geometry), [Fault(FaultKind.HOLE, at.where, {"n": len(rings) - 1})]
    ring = _positions(rings[0])
    if ring is None:
        return None, [Fault(FaultKind.NOT_NUMBERS, at.where)]
    if len(ring) < _FEWEST or ring[0] != ring[-1]:
        return None, [Fault(FaultKind.BAD_RING, at.where, {"n": len(ring)})]
    astray = _astray(ring, at.where)
    if astray is not None:
        return None, [astray]
    shape: BaseGeometry = Polygon(ring)
    reason = _AT.match(shapely.is_valid_reason(shape))
    if reason is not None:
        lng, lat = (round(float(reason[name]), 6) for name in ("lng", "lat"))
        return None, [Fault(FaultKind.CROSSES_ITSELF, at.where, {"lng": lng, "lat": lat, "reason": reason["reason"]})]
    return shape, []


def _anyhow(geometry: Mapping[str, Any]) -> BaseGeometry | None:
    """A shape that is refused, so that the ground it covers does not look like a gap as well."""
    shape: BaseGeometry | None = shapely.from_geojson(json.dumps(geometry), on_invalid="ignore")
    if shape is None or shape.is_empty or not shape.is_valid:
        return None
    west, south, east, north = shape.bounds
    return shape if inside_china(west, south) and inside_china(east, north) else None


def _point(geometry: Any, at: Feature) -> tuple[BaseGeometry | None, list[Fault]]:
    if geometry is None:
        return None, []
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind != "Point":
        return None, [Fault(FaultKind.NOT_A_POINT, at.where, {"type": kind or "?"})]
    pin = _positions([geometry.get("coordinates")])
    if pin is None:
        return None, [Fault(FaultKind.NOT_NUMBERS, at.where)]
    astray = _astray(pin, at.where)
    return (None, [astray]) if astray else (Point(pin[0]), [])


def _positions(raw: Any) -> list[Position] | None:
    """Pairs of finite numbers; heights are dropped. None: something else stands there."""
    if not isinstance(raw, list):
        return None
    found: list[Position] = []
    for one in raw:
        if not isinstance(one, list) or len(one) < 2 or not all(_number(part) for part in one[:2]):
            return None
        found.append((float(one[0]), float(one[1])))
    return found


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _astray(positions: Sequence[Position], where: str) -> Fault | None:
    """The first position that cannot be a place in China, and what it looks like."""
    return next((fault for lng, lat in positions if (fault := astray(lng, lat, where)) is not None), None)


def astray(lng: float, lat: float, where: str) -> Fault | None:
    """What a position that cannot be a place in China looks like: metres, latitude first, or elsewhere."""
    if inside_china(lng, lat):
        return None
    values = {"x": round(lng, 6), "y": round(lat, 6)}
    if abs(lng) > 180 or abs(lat) > 180:
        return Fault(FaultKind.IN_METRES, where, values)
    return Fault(FaultKind.SWAPPED if inside_china(lat, lng) else FaultKind.OUTSIDE_CHINA, where, values)

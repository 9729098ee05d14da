"""A file of named places, CSV or GeoJSON, checked: kinds, names, and the cell that each lies in."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import shapely
from shapely.geometry import Point

from services.chassis.coordinates import Crs, metres_between, to_wgs84
from services.chassis.directory.areas import Cell
from services.chassis.directory.model import Directory, Place
from services.chassis.directory.placing import BESIDE_DEG
from services.chassis.directory.readings import initials
from services.chassis.directory.survey.datum import NAMES
from services.chassis.directory.survey.faults import LET_PASS, Fault, FaultKind
from services.chassis.directory.survey.features import Feature, astray, read_features

NAME_MOST = 60
_DECIMALS = 7
_SUSPECT_FROM = 5  # pins outside every cell before another datum is thought of
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "编号"),
    "name": ("name", "名称", "地名"),
    "kind": ("kind", "类型", "类别"),
    "cell": ("cell", "单元网格", "网格编码"),
    "lng": ("lng", "经度"),
    "lat": ("lat", "纬度"),
}
_NEEDED = ("name", "kind")
_STRAY = frozenset({FaultKind.OUTSIDE_CELLS, FaultKind.FAR_FROM_CELL})


class PlaceKind(StrEnum):
    """What people name when they say where: the words of the file are these."""

    ESTATE = "小区"
    BUILDING = "楼栋"
    LANE = "街巷"
    DOORPLATE = "门牌"
    PREMISES = "单位"
    CROSSING = "路口"
    LANDMARK = "地标"


@dataclass(frozen=True, slots=True)
class PlaceSurvey:
    """What a file says, pins in WGS-84, and everything that is wrong with it."""

    places: Sequence[Place]
    faults: Sequence[Fault]


def survey_places(text: str, name: str, directory: Directory, crs: Crs) -> PlaceSurvey:
    """Check a file of places against the cells of the directory's day. `name` tells by its ending what the file is."""
    if name.lower().endswith((".geojson", ".json")):
        features, faults = read_features(text, "Point")
    else:
        features, faults = _table(text)
    places: list[Place] = []
    strays: list[Feature] = []
    seen: dict[str, str] = {}
    for feature in features:
        place, own = _place(feature, directory, crs)
        faults += own
        if any(fault.kind in _STRAY for fault in own):
            strays.append(feature)
        if place is None:
            continue
        if place.place_id in seen:
            faults.append(Fault(FaultKind.PLACE_TWICE, feature.where, {"first": seen[place.place_id]}))
        seen.setdefault(place.place_id, feature.where)
        places.append(place)
    faults += _suspected(strays, directory, crs)
    sound = all(fault.kind in LET_PASS for fault in faults)
    return PlaceSurvey(places if sound else [], faults)


# --- one place ------------------------------------------------------------------------------------------------------
def _place(feature: Feature, directory: Directory, crs: Crs) -> tuple[Place | None, list[Fault]]:
    """None where it has a fault."""
    name, kind, where = feature.text("name"), feature.text("kind"), feature.where
    faults = [] if name else [Fault(FaultKind.NO_NAME, where)]
    if len(name) > NAME_MOST:
        faults.append(Fault(FaultKind.TOO_LONG, where, {"most": NAME_MOST}))
    if kind not in list(PlaceKind):
        faults.append(Fault(FaultKind.KIND, where, {"kind": kind or "-", "kinds": " ".join(PlaceKind)}))
    pin = _pin(feature, crs)
    cell, wrong = _cell_of(feature, pin, directory)
    faults += wrong
    if faults or cell is None:
        return None, faults
    own_id = feature.text("id")
    if own_id and not _ID.fullmatch(own_id):
        return None, [Fault(FaultKind.CODE_FORMAT, where, {"code": own_id})]
    return _made(own_id or _id_of(name, kind, cell), name, kind, cell, pin), []


def _made(place_id: str, name: str, kind: str, cell: Cell, pin: tuple[float, float] | None) -> Place:
    """A place without a pin stands in the middle of its cell, so that it can be shown and be near."""
    if pin is None:
        middle = shapely.point_on_surface(shapely.from_geojson(cell.geometry))
        pin = round(middle.x, _DECIMALS), round(middle.y, _DECIMALS)
    return Place(place_id, name, kind, cell.code, *pin, initials(name))


def _pin(feature: Feature, crs: Crs) -> tuple[float, float] | None:
    if feature.shape is None:
        return None
    x, y = feature.shape.coords[0][:2]
    lng, lat = to_wgs84(float(x), float(y), crs)
    return round(lng, _DECIMALS), round(lat, _DECIMALS)


def _cell_of(
    feature: Feature, pin: tuple[float, float] | None, directory: Directory
) -> tuple[Cell | None, list[Fault]]:
    """The cell that is told, if the pin does not lie far from it; else the one that holds the pin."""
    told, where = feature.text("cell"), feature.where
    if told:
        cell = directory.cells.get(told)
        if cell is None:
            return None, [Fault(FaultKind.UNKNOWN_CELL, where, {"cell": told})]
        if pin is not None and not shapely.from_geojson(cell.geometry).dwithin(Point(pin), BESIDE_DEG):
            there = directory.cell_at(*pin)
            values = {"cell": told, "there": there.code if there else "-", "metres": round(BESIDE_DEG * 100_000)}
            return None, [Fault(FaultKind.FAR_FROM_CELL, where, values)]
        return cell, []
    if pin is None:
        return None, [Fault(FaultKind.NO_PLACE, where)] if not feature.properties.get("astray") else []
    found = directory.cell_at(*pin)
    return found, [] if found else [Fault(FaultKind.OUTSIDE_CELLS, where, {"x": pin[0], "y": pin[1]})]


def _id_of(name: str, kind: str, cell: Cell) -> str:
    """The same place of the same community has the same id in every file."""
    return "p" + hashlib.sha256(f"{name}\n{kind}\n{cell.community}".encode()).hexdigest()[:15]


# --- the file -------------------------------------------------------------------------------------------------------
def _table(text: str) -> tuple[list[Feature], list[Fault]]:
    """A CSV file as features; the index is the line, of which the first below the heading is 2."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    rows = [(reader.line_num, row) for row in reader if any(part.strip() for part in row)]
    if len(rows) < 2:
        return [], [Fault(FaultKind.NOTHING_IN_IT, "")]
    heading = [part.strip().lower() for part in rows[0][1]]
    at = {field: n for field, names in _COLUMNS.items() for n, title in enumerate(heading) if title in names}
    missing = [field for field in _NEEDED if field not in at]
    if missing:
        return [], [Fault(FaultKind.NO_COLUMN, "#1", {"columns": ", ".join(missing)})]
    features: list[Feature] = []
    faults: list[Fault] = []
    for line, row in rows[1:]:
        values = {field: row[n].strip() if n < len(row) else "" for field, n in at.items()}
        feature, own = _pinned(Feature(line, values, None))
        features.append(feature)
        faults += own
    return features, faults


def _pinned(bare: Feature) -> tuple[Feature, list[Fault]]:
    lng, lat = bare.text("lng"), bare.text("lat")
    if not lng and not lat:
        return bare, []
    try:
        x, y = float(lng), float(lat)
    except ValueError:
        x = y = math.nan
    number = math.isfinite(x) and math.isfinite(y)
    wrong = astray(x, y, bare.where) if number else Fault(FaultKind.NOT_NUMBERS, bare.where)
    if wrong is not None:
        return Feature(bare.index, {**bare.properties, "astray": True}, None), [wrong]
    return Feature(bare.index, bare.properties, Point(x, y)), []


def _suspected(strays: Sequence[Feature], directory: Directory, crs: Crs) -> Iterator[Fault]:
    """Many pins that lie where they should not, and in another datum most would lie right: that is told once."""
    if len(strays) < _SUSPECT_FROM:
        return
    for other in (Crs.WGS84, Crs.GCJ02, Crs.BD09):
        right = [feature for feature in strays if _fits(feature, _pin(feature, other), directory)]
        if other is not crs and 2 * len(right) > len(strays):
            here, there = _pin(right[0], crs), _pin(right[0], other)
            shift = round(metres_between(*here, *there)) if here and there else 0
            values = {"read": NAMES[crs], "best": NAMES[other], "crs": other.value, "shift": shift}
            yield Fault(FaultKind.DATUM, "", {**values, "off": shift, "then": 0})
            return


def _fits(feature: Feature, pin: tuple[float, float] | None, directory: Directory) -> bool:
    return pin is not None and not _cell_of(feature, pin, directory)[1]

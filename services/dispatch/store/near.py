"""Cases near a new report: same category, close by, recent. A hint for a person and a brake on automatic dispatch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import cos, hypot, radians

from sqlalchemy import text

from services.dispatch.store import Tx
from services.dispatch.store.bulk import as_json
from services.governance.acts import Neighbour
from services.governance.case import Case
from services.governance.cycle import State
from services.governance.rulebook import Rulebook

NEAR_M = 50.0  # where no rulebook says otherwise
NEAR_HOURS = 24
RECUR_DAYS = 30
MOST_AGAIN = 20  # recurrences counted: far more than make a matter a hard one
MOST = 5  # neighbours per report: enough to make a person look
_NOT_AT_STREET = frozenset({State.REPORTED, State.GRID_HANDLING, State.AT_COMMUNITY, State.COMMUNITY_HANDLING})
_METRES_PER_DEGREE = 111_320.0
_MAX_LAT = 89.0  # a degree of longitude has no length at the pole; nobody reports from there


@dataclass(frozen=True, slots=True)
class Point:
    """Where and what a new report is; WGS-84 degrees."""

    category: str
    lng: float
    lat: float
    metres: float = NEAR_M
    hours: int = NEAR_HOURS
    days: int = RECUR_DAYS


def point_of(code: str, lng: float, lat: float, book: Rulebook | None) -> Point:
    """How far and how far back is looked around, as the rulebook says it for the class."""
    if book is None:
        return Point(code, lng, lat)
    category, rules = book.categories.get(code), book.settings
    reach = category.near_m if category is not None and category.near_m is not None else rules.near_m
    return Point(code, lng, lat, float(reach), rules.near_hours, rules.recur_days)


# Corners of the box are beyond the distance and sorted out afterwards, hence more rows than are shown.
_NEAR = """
SELECT new.n, c.case_no, c.state, c.category, c.lng, c.lat
FROM json_to_recordset(CAST(:points AS json))
     AS new(n int, category text, west float8, east float8, south float8, north float8, hours int)
CROSS JOIN LATERAL (
  SELECT case_no, state, category, lng, lat, opened_at FROM dispatch.cases
  WHERE category = new.category AND lng BETWEEN new.west AND new.east AND lat BETWEEN new.south AND new.north
    AND lng IS NOT NULL AND live AND NOT restricted
    AND opened_at > directory.grid_now() - make_interval(hours => new.hours)
  LIMIT :most) c
ORDER BY new.n, c.opened_at
"""
# What was merged, void or refused was no matter of its own.
_BEFORE = """
SELECT new.n, c.lng, c.lat
FROM json_to_recordset(CAST(:points AS json))
     AS new(n int, category text, west float8, east float8, south float8, north float8, days int)
CROSS JOIN LATERAL (
  SELECT lng, lat FROM dispatch.cases
  WHERE category = new.category AND lng BETWEEN new.west AND new.east AND lat BETWEEN new.south AND new.north
    AND lng IS NOT NULL AND NOT restricted AND NOT history AND state NOT IN ('merged', 'void', 'not_filed')
    AND opened_at > directory.grid_now() - make_interval(days => new.days)
  LIMIT :most) c
"""


async def near(tx: Tx, points: Sequence[Point]) -> list[list[Neighbour]]:
    """For each point some of its neighbours, oldest first."""
    found: list[list[Neighbour]] = [[] for _ in points]
    if not points:
        return found
    boxes = [_box(n, point) for n, point in enumerate(points)]
    parameters = {"points": as_json(boxes), "most": 2 * MOST}
    for row in await tx.execute(text(_NEAR), parameters):
        if len(found[row.n]) < MOST and _within(points[row.n], row.lng, row.lat):
            found[row.n].append(Neighbour(row.case_no, State(row.state), row.category))
    return found


async def before(tx: Tx, points: Sequence[Point]) -> list[int]:
    """How often each has been there already within its days, whether settled or not."""
    counted = [0] * len(points)
    if not points:
        return counted
    parameters = {"points": as_json([_box(n, point) for n, point in enumerate(points)]), "most": MOST_AGAIN}
    for row in await tx.execute(text(_BEFORE), parameters):
        counted[row.n] += _within(points[row.n], row.lng, row.lat)
    return counted


async def near_cases(tx: Tx, cases: Iterable[Case]) -> Mapping[str, tuple[Neighbour, ...]]:
    """By case id, the other cases beside those that the machine might yet dispatch by itself."""
    points = [
        (case, Point(case.category.code, case.spot.lng, case.spot.lat))
        for case in cases
        if case.state in _NOT_AT_STREET and case.staff and not case.history
        if case.category is not None and case.spot.lng is not None and case.spot.lat is not None
    ]
    found = await near(tx, [point for _, point in points])
    return {
        case.case_id: tuple(one for one in beside if one.case_no != case.case_no)
        for (case, _), beside in zip(points, found, strict=True)
    }


def _within(point: Point, lng: float, lat: float) -> bool:
    return metres(point, lng, lat) <= point.metres


def metres(point: Point, lng: float, lat: float) -> float:
    """Distance on the ground, good enough below a kilometre."""
    return hypot((lng - point.lng) * _degree_m(point.lat), (lat - point.lat) * _METRES_PER_DEGREE)


def _box(n: int, point: Point) -> dict[str, object]:
    dlng, dlat = point.metres / _degree_m(point.lat), point.metres / _METRES_PER_DEGREE
    return {
        "n": n,
        "category": point.category,
        "west": point.lng - dlng,
        "east": point.lng + dlng,
        "south": point.lat - dlat,
        "north": point.lat + dlat,
        "hours": point.hours,
        "days": point.days,
    }


def _degree_m(lat: float) -> float:
    """Length of a degree of longitude at a latitude."""
    return _METRES_PER_DEGREE * cos(radians(max(-_MAX_LAT, min(_MAX_LAT, lat))))

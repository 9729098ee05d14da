"""Where a report belongs: pin → cell, named cell, named place, or the reporter's own grid.

A pin outside the street is kept and flagged, never refused: whoever stands across the border still saw something.
Only coordinates that cannot be a place in China are a mistake worth sending back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from schemas.api.intake import CellIn, PointIn
from services.chassis.coordinates import Crs, inside_china, to_wgs84
from services.chassis.directory.model import Cell, Directory, Place
from services.governance.acts import Post, Spot
from services.intake.usecases.refusal import Refusal

_STREET_DIGITS = 9
_COMMUNITY_DIGITS = 12
_GRID_DIGITS = 14


@dataclass(frozen=True, slots=True)
class Fix:
    """The position as the phone gave it, before any conversion. Degrees; `accuracy_m` metres."""

    lng: float
    lat: float
    crs: Crs
    accuracy_m: float | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Located:
    """The spot, the raw fix behind it, and the named place it came from. `outside`: the pin lies in no cell."""

    spot: Spot
    fix: Fix | None = None
    place_id: str | None = None
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Home:
    """The reporter's own area, as far as the posts tell it."""

    street: str
    community: str | None = None
    grid: str | None = None


def home_of(posts: tuple[Post, ...], directory: Directory) -> Home:
    """Own street, community and grid; whoever has no area belongs to the first street of the directory.

    Raises Refusal 503 while the directory holds no street.
    """
    if not directory.streets:
        raise Refusal("no_street", status=503)
    areas = sorted((post.area for post in posts if post.area), key=len, reverse=True)
    for area in areas:
        if area[:_STREET_DIGITS] in directory.streets:
            community, grid = area[:_COMMUNITY_DIGITS], area[:_GRID_DIGITS]
            return Home(
                area[:_STREET_DIGITS],
                community if community in directory.communities else None,
                grid if grid in directory.grids else None,
            )
    return Home(min(directory.streets))


def locate(position: PointIn | CellIn | None, place_words: str, directory: Directory, home: Home) -> Located:
    """The spot of a report. Raises Refusal for an unknown cell or impossible coordinates."""
    if isinstance(position, PointIn):
        return _at_pin(position, directory, home)
    if isinstance(position, CellIn):
        cell = directory.cells.get(position.cell)
        if cell is None:
            raise Refusal("unknown_cell", "position.cell")
        place = _named(place_words, directory)
        return _in_cell(cell, directory, home, place if place and place.cell == cell.code else None)
    place = _named(place_words, directory)
    known = directory.cells.get(place.cell) if place and place.cell else None
    if known is not None:
        return _in_cell(known, directory, home, place)
    return Located(Spot(home.street, home.community, home.grid))


def _at_pin(position: PointIn, directory: Directory, home: Home) -> Located:
    crs = Crs(position.crs)
    fix = Fix(position.lng, position.lat, crs, position.accuracy_m, position.at)
    if not inside_china(position.lng, position.lat):
        swapped = abs(position.lng) <= 90 and inside_china(position.lat, position.lng)
        raise Refusal("position_swapped" if swapped else "position_impossible", "position")
    lng, lat = (round(angle, 7) for angle in to_wgs84(position.lng, position.lat, crs))
    cell = directory.cell_at(lng, lat)
    if cell is None:
        return Located(Spot(home.street, lng=lng, lat=lat), fix, outside=True)
    return Located(_spot(cell, directory, home, lng, lat), fix)


def _in_cell(cell: Cell, directory: Directory, home: Home, place: Place | None) -> Located:
    """A cell chosen by name; the named place lends its pin."""
    lng, lat = (place.lng, place.lat) if place else (None, None)
    return Located(_spot(cell, directory, home, lng, lat), place_id=place.place_id if place else None)


def _spot(cell: Cell, directory: Directory, home: Home, lng: float | None, lat: float | None) -> Spot:
    community = directory.communities.get(cell.community)
    return Spot(community.street if community else home.street, cell.community, cell.grid, cell.code, lng, lat)


def _named(words: str, directory: Directory) -> Place | None:
    """The one place of exactly this name; two of the same name are nobody's guess to make."""
    wanted = words.strip()
    hits = [place for place in directory.places.values() if place.name == wanted] if wanted else []
    return hits[0] if len(hits) == 1 else None

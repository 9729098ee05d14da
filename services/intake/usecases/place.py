"""Where a report belongs: pin → cell, named cell, named place, or the reporter's own grid.

The cells are those of the day on which the position was taken: a report that waited on a phone while the grids were
redrawn belongs where it was made. A pin outside the street is kept and flagged, never refused: whoever stands across
the border still saw something. Only coordinates that cannot be a place in China are a mistake worth sending back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from schemas.api.intake import CellIn, PointIn
from services.chassis.coordinates import Crs, inside_china, to_wgs84
from services.chassis.directory.areas import day_of
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


def locate(
    position: PointIn | CellIn | None,
    place_words: str,
    directory: Directory,
    home: Home,
    day: date | None = None,
) -> Located:
    """The spot of a report by the cells of its `day` (default: today's). Raises Refusal for a cell that never was, or
    for impossible coordinates."""
    ground = _Ground(directory, home, day)
    if isinstance(position, PointIn):
        return ground.at_pin(position)
    if isinstance(position, CellIn):
        return ground.in_cell(position.cell, place_words)
    return ground.by_words(place_words)


def captured_on(position: PointIn | CellIn | None, occurred_at: datetime | None, now: datetime) -> date:
    """The day whose cells count: when the position was fixed, else when it happened, else now; never a day to come."""
    fixed = position.at if isinstance(position, PointIn) else None
    return day_of(min(fixed or occurred_at or now, now))


@dataclass(frozen=True, slots=True)
class _Ground:
    """A street on one day."""

    directory: Directory
    home: Home
    day: date | None

    def at_pin(self, position: PointIn) -> Located:
        crs = Crs(position.crs)
        fix = Fix(position.lng, position.lat, crs, position.accuracy_m, position.at)
        if not inside_china(position.lng, position.lat):
            swapped = abs(position.lng) <= 90 and inside_china(position.lat, position.lng)
            raise Refusal("position_swapped" if swapped else "position_impossible", "position")
        lng, lat = (round(angle, 7) for angle in to_wgs84(position.lng, position.lat, crs))
        cell = self.directory.cell_at(lng, lat, self.day)
        if cell is None:
            return Located(Spot(self.home.street, lng=lng, lat=lat), fix, outside=True)
        return Located(self._spot(cell, lng, lat), fix)

    def in_cell(self, code: str, place_words: str) -> Located:
        """A cell chosen by name. One that has ended, from a phone that has been away, is still the cell of its day;
        for a later day it is the one that took its ground over, or else only the areas that are beyond doubt."""
        place = self._named(place_words)
        cell = self.directory.cells_on(self.day).cells.get(code)
        if cell is not None:
            return self._found(cell, place if place and self._cell_of(place) == cell else None)
        ended = self.directory.cell_then(code)
        if ended is None:
            raise Refusal("unknown_cell", "position.cell")
        now_there = (self._cell_of(place) if place else None) or self._standing_for(ended)
        if now_there is not None:
            return self._found(now_there, place if place and self._cell_of(place) == now_there else None)
        community = self.directory.communities.get(ended.community)
        if community is None:
            return Located(Spot(self.home.street))
        return Located(Spot(community.street, community.code))

    def by_words(self, place_words: str) -> Located:
        place = self._named(place_words)
        known = self._cell_of(place) if place else None
        if known is not None:
            return self._found(known, place)
        return Located(Spot(self.home.street, self.home.community, self.home.grid))

    def _found(self, cell: Cell, place: Place | None) -> Located:
        """The named place lends its pin."""
        lng, lat = (place.lng, place.lat) if place else (None, None)
        return Located(self._spot(cell, lng, lat), place_id=place.place_id if place else None)

    def _spot(self, cell: Cell, lng: float | None, lat: float | None) -> Spot:
        community = self.directory.communities.get(cell.community)
        street = community.street if community else self.home.street
        return Spot(street, cell.community, cell.grid, cell.code, lng, lat)

    def _standing_for(self, ended: Cell) -> Cell | None:
        return self.directory.cells_on(self.day).standing_for(ended)

    def _cell_of(self, place: Place) -> Cell | None:
        """A place knows its cell of today; of another day its pin tells it."""
        cells = self.directory.cells_on(self.day)
        if cells is not self.directory.cells_on() and place.lng is not None and place.lat is not None:
            return cells.at(place.lng, place.lat)
        return cells.cells.get(place.cell) if place.cell else None

    def _named(self, words: str) -> Place | None:
        """The one place of exactly this name; two of the same name are nobody's guess to make."""
        hits = self.directory.places_named(words.strip())
        return hits[0] if len(hits) == 1 else None

"""The street as everybody reads it: areas, places, units, posts, people. An immutable picture at one revision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from math import inf
from typing import Any, TypeVar

from services.chassis.coordinates import metres_between
from services.chassis.directory.areas import Cell as Cell
from services.chassis.directory.areas import CellHistory, CellMap
from services.governance.acts import Post
from services.governance.cycle import Role


@dataclass(frozen=True, slots=True)
class Street:
    """The root of one area tree. `sample` marks the made-up street, whose passwords are public."""

    code: str
    name: str
    sample: bool


@dataclass(frozen=True, slots=True)
class Community:
    code: str  # 12 digits
    name: str
    street: str


@dataclass(frozen=True, slots=True)
class Grid:
    code: str  # 14 digits
    name: str
    community: str
    branch: str | None = None  # 网格党支部


@dataclass(frozen=True, slots=True)
class Place:
    """A named place people know (小区, 楼栋, 路口), with its cell on the picture's day. `initials`: of its pinyin,
    made at import; where characters have several readings the likely ones, separated by spaces."""

    place_id: str
    name: str
    kind: str
    cell: str | None
    lng: float | None
    lat: float | None
    initials: str


@dataclass(frozen=True, slots=True)
class Unit:
    """A body that can be given work. `kind`: station, office, member, district …"""

    code: str
    name: str
    kind: str
    area: str
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """A person's name and language; the password and the sessions live elsewhere."""

    account_id: str
    login: str
    name: str
    lang: str
    sample: bool


@dataclass(frozen=True, slots=True)
class Appointment:
    """A person holds a post from `since` until `until` (None: open).

    Lent for a while (值班), it has a `grant_id` to take it back by, and the account that `granted_by` it.
    """

    account_id: str
    post: Post
    since: datetime
    until: datetime | None
    label: str | None = None
    grant_id: str | None = None
    granted_by: str | None = None

    def in_force(self, now: datetime) -> bool:
        return self.since <= now and (self.until is None or now < self.until)


@dataclass(frozen=True, slots=True)
class RosterLine:
    """Who is responsible for an area in a duty: 'secretary', 'worker', 'deputy' (B角), 'liaison_leader', 'duty' …"""

    area: str
    duty: str
    account_id: str
    since: datetime
    until: datetime | None
    branch: str | None = None

    def in_force(self, now: datetime) -> bool:
        return self.since <= now and (self.until is None or now < self.until)


@dataclass(frozen=True, slots=True)
class RulebookVersion:
    """One stored version. The text is read on demand; versions are never changed or dropped while a case uses them."""

    version: str
    street: str
    effective_at: datetime


@dataclass(frozen=True)
class Directory:
    """Everything of the schema `directory` at revision `rev`. Unknown codes answer None.

    `cells` are those of `day`; earlier and later ones are in `history`, which is empty where `cells` hold on every day.
    """

    rev: int
    streets: Mapping[str, Street] = field(default_factory=dict)
    communities: Mapping[str, Community] = field(default_factory=dict)
    grids: Mapping[str, Grid] = field(default_factory=dict)
    cells: Mapping[str, Cell] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)
    units: Mapping[str, Unit] = field(default_factory=dict)
    accounts: Mapping[str, Account] = field(default_factory=dict)
    appointments: Sequence[Appointment] = ()
    roster: Sequence[RosterLine] = ()
    rulebooks: Sequence[RulebookVersion] = ()
    day: date | None = None
    history: CellHistory = field(default_factory=CellHistory)

    # --- places and areas -------------------------------------------------------------------------------------------
    def cell_at(self, lng: float, lat: float, day: date | None = None) -> Cell | None:
        """The cell that holds a WGS-84 point on a day (default: the picture's); on a border the lower code's.
        None: outside the street."""
        return self.cells_on(day).at(lng, lat)

    def cells_on(self, day: date | None = None) -> CellMap:
        """The cells of a day, by default the picture's."""
        if not self.history.versions:
            return self._cell_map
        wanted = day or self.day
        return self.history.on(wanted) if wanted is not None else self._cell_map

    def cell_then(self, code: str, day: date | None = None, pin: tuple[float, float] | None = None) -> Cell | None:
        """A cell as it was on a day (and when a pin lay in it), also one that has ended. None: there was none ever."""
        return self.history.of(code, day, pin) or self.cells.get(code)

    def name_of(self, code: str, day: date | None = None) -> str | None:
        """The name behind any code of an area, a unit or a street; a cell's as it was on `day`, also after its end."""
        known = self.cells.get(code) if day is None else None
        cell = known or self.cell_then(code, day)
        if cell is not None:
            return cell.name
        for table in (self.grids, self.communities, self.units, self.streets):
            row: Any = table.get(code)
            if row is not None:
                return str(row.name)
        return None

    def places_named(self, name: str) -> Sequence[Place]:
        """Every place of exactly this name."""
        return self._places_by_name.get(name, ())

    @cached_property
    def _places_by_name(self) -> Mapping[str, Sequence[Place]]:
        found: dict[str, list[Place]] = {}
        for place in self.places.values():
            found.setdefault(place.name, []).append(place)
        return found

    def find_places(
        self,
        words: str,
        *,
        cell: str | None = None,
        grid: str | None = None,
        near: tuple[float, float] | None = None,
        limit: int = 20,
    ) -> list[Place]:
        """Places whose name or initials hold `words`, of one grid if it is given: those of `cell` (or of a grid named
        there) first, then those that begin with the words, then the nearest to `near` (WGS-84), else by name."""
        wanted = words.strip().lower()
        hits = [
            (fit, place)
            for place in self.places.values()
            if (fit := _fit(place, wanted)) is not None and (grid is None or self._grid_of(place) == grid)
        ]
        own = {cell, *(code for code, known in self.cells.items() if known.grid == cell)} if cell else {None}
        hits.sort(key=lambda hit: (hit[1].cell not in own, hit[0], _away(hit[1], near), hit[1].name, hit[1].place_id))
        return [place for _, place in hits[:limit]]

    def _grid_of(self, place: Place) -> str | None:
        cell = self.cells.get(place.cell) if place.cell else None
        return cell.grid if cell else None

    # --- people -----------------------------------------------------------------------------------------------------
    def posts_of(self, account_id: str, now: datetime) -> tuple[Post, ...]:
        """The posts a person holds at `now`, in the order they were given."""
        return tuple(a.post for a in self._appointments_of.get(account_id, ()) if a.in_force(now))

    def covers_all(self, area: str) -> bool:
        """Whether an area code takes in every street there is: none is named, or it is the only one."""
        return not area or set(self.streets) == {area}

    def appointments_of(self, account_id: str, now: datetime) -> tuple[Appointment, ...]:
        return tuple(a for a in self._appointments_of.get(account_id, ()) if a.in_force(now))

    def people_with(self, role: Role, now: datetime, *, area: str = "", unit: str | None = None) -> list[Account]:
        """Accounts with `role` responsible for `area` (their post's area is a prefix of it) or belonging to `unit`."""
        found = {
            a.account_id
            for a in self._appointments_by_role.get(role, ())
            if a.in_force(now) and area.startswith(a.post.area) and (unit is None or a.post.unit == unit)
        }
        return [self.accounts[i] for i in sorted(found) if i in self.accounts]

    def on_roster(self, area: str, duty: str, now: datetime) -> list[Account]:
        """Who has `duty` for exactly this area now."""
        lines = self._roster_by_area.get((area, duty), ())
        return [self.accounts[r.account_id] for r in lines if r.in_force(now) and r.account_id in self.accounts]

    def branch_of(self, grid: str) -> str | None:
        """Name of the Party branch that answers for a grid; None: no branch there."""
        known = self.grids.get(grid)
        return known.branch if known else None

    # --- rulebooks --------------------------------------------------------------------------------------------------
    def rulebook_version(self, street: str, now: datetime) -> str | None:
        """The version that new cases of `street` take at `now`."""
        due = [r for r in self.rulebooks if r.street == street and r.effective_at <= now]
        return max(due, key=lambda r: (r.effective_at, r.version)).version if due else None

    # --- indexes, made on first use ---------------------------------------------------------------------------------
    @cached_property
    def _cell_map(self) -> CellMap:
        return CellMap(self.cells)

    @cached_property
    def _appointments_of(self) -> dict[str, list[Appointment]]:
        return _grouped((a.account_id, a) for a in self.appointments)

    @cached_property
    def _appointments_by_role(self) -> dict[Role, list[Appointment]]:
        return _grouped((a.post.role, a) for a in self.appointments)

    @cached_property
    def _roster_by_area(self) -> dict[tuple[str, str], list[RosterLine]]:
        return _grouped(((r.area, r.duty), r) for r in self.roster)


K = TypeVar("K")
V = TypeVar("V")


def _fit(place: Place, wanted: str) -> int | None:
    """How well a place fits lower-case words: 0 begins with them, 1 holds them, None not at all."""
    name, readings = place.name.lower(), place.initials
    if name.startswith(wanted) or readings.startswith(wanted) or f" {wanted}" in readings:
        return 0
    return 1 if wanted in name or wanted in readings else None


def _away(place: Place, near: tuple[float, float] | None) -> float:
    """Metres to a point; 0 where none is given, and a place without a pin is the farthest."""
    if near is None:
        return 0.0
    if place.lng is None or place.lat is None:
        return inf
    return metres_between(*near, place.lng, place.lat)


def _grouped(pairs: Iterable[tuple[K, V]]) -> dict[K, list[V]]:
    groups: dict[K, list[V]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups

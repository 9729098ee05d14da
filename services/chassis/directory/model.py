"""The street as everybody reads it: areas, places, units, posts, people. An immutable picture at one revision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

import shapely
from shapely.geometry.base import BaseGeometry

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
class Cell:
    """The smallest area (单元网格). `geometry` is WGS-84 GeoJSON text of a polygon."""

    code: str  # 15 digits
    name: str
    grid: str
    community: str
    geometry: str


@dataclass(frozen=True, slots=True)
class Place:
    """A named place people know (小区, 路口, 门店). `initials` are pinyin initials, made at import."""

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
    """Everything of the schema `directory` at revision `rev`. Unknown codes answer None."""

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

    # --- places and areas -------------------------------------------------------------------------------------------
    def cell_at(self, lng: float, lat: float) -> Cell | None:
        """The cell that holds a WGS-84 point; on a border the lower code's. None: outside the street."""
        tree, codes, shapes = self._index
        point: BaseGeometry = shapely.points(lng, lat)
        near = tree.query(point)  # type: ignore[no-untyped-call] # shapely ships no types for it
        hits = sorted(codes[i] for i in near if shapes[i].covers(point))
        return self.cells[hits[0]] if hits else None

    def name_of(self, code: str) -> str | None:
        """The name behind any code of an area, a unit or a street."""
        for known in (self.cells, self.grids, self.communities, self.units, self.streets):
            row: Any = known.get(code)
            if row is not None:
                return str(row.name)
        return None

    def find_places(self, words: str, *, cell: str | None = None, limit: int = 20) -> list[Place]:
        """Places whose name holds `words` or whose initials begin with them; those of `cell` first."""
        wanted = words.strip().lower()
        hits = [p for p in self.places.values() if not wanted or wanted in p.name.lower() or _initials(p, wanted)]
        hits.sort(key=lambda p: (p.cell != cell, not p.name.lower().startswith(wanted), p.name, p.place_id))
        return hits[:limit]

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
    def _index(self) -> tuple[shapely.STRtree, list[str], list[BaseGeometry]]:
        codes = sorted(self.cells)
        shapes = [shapely.from_geojson(self.cells[code].geometry) for code in codes]
        return shapely.STRtree(shapes), codes, shapes

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


def _initials(place: Place, wanted: str) -> bool:
    return place.initials.startswith(wanted)


def _grouped(pairs: Iterable[tuple[K, V]]) -> dict[K, list[V]]:
    groups: dict[K, list[V]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups

"""The files that describe a street, read and checked; nothing here touches the database.

- street.toml: code, name, sample, since, communities, where rulebook and calendars lie, a sample street's password
- grids.geojson: one feature per grid (网格); properties code, name, community
- cells.geojson: one polygon per cell (单元网格); properties code, name, grid
- places.csv: id, name, kind, cell, lng, lat
- units.csv: code, name, kind, area
- people.csv: login, name, role, area, unit, label; one line per post, a person may have several; and work_no, where
  there are such numbers: it stands on staff's photos in place of a name
- roster.csv: area, duty, login, branch; duties: secretary, worker, deputy (B角), liaison_leader, duty chiefs
"""

from __future__ import annotations

import csv
import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from services.chassis.directory.model import Community, Grid, Street, Unit
from services.governance.acts import Post
from services.governance.cycle import Role

T = TypeVar("T")
Row = Mapping[str, str]
_WORK_NO = re.compile(r"[A-Za-z0-9-]{1,16}")  # no name fits into it


class StreetFilesError(ValueError):
    """A file of the street cannot be used; the message names file, line and remedy."""


@dataclass(frozen=True, slots=True)
class CellRow:
    code: str
    name: str
    grid: str
    geometry: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PlaceRow:
    place_id: str
    name: str
    kind: str
    cell: str | None
    lng: float | None
    lat: float | None


@dataclass(frozen=True, slots=True)
class PersonRow:
    login: str
    name: str
    work_no: str | None = None


@dataclass(frozen=True, slots=True)
class PostRow:
    """One post of one person, who is still named by login."""

    login: str
    post: Post
    label: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class RosterRow:
    area: str
    duty: str
    login: str
    branch: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class StreetFiles:
    """A whole street as its files tell it. `password` is set for a sample street only."""

    street: Street
    password: str | None
    communities: list[Community]
    grids: list[Grid]
    cells: list[CellRow]
    places: list[PlaceRow]
    units: list[Unit]
    people: list[PersonRow]
    posts: list[PostRow]
    roster: list[RosterRow]
    rulebook: str
    calendars: Mapping[str, str]


def read_street(folder: Path) -> StreetFiles:
    """Read and check all files of a street. Raises StreetFilesError."""
    head = _toml(folder / "street.toml")
    code, since = str(_need(head, "code")), _need(head, "since")
    if not isinstance(since, datetime) or since.tzinfo is None:
        raise StreetFilesError("street.toml: since is a time with an offset, such as 2024-01-01T00:00:00+08:00")
    roster = _table(folder / "roster.csv", lambda row: _roster(row, since))
    branches = {row.area: row.branch for row in roster if row.branch}
    people = _table(folder / "people.csv", lambda row: (_person(row), _post(row, since)))
    calendars = folder / str(_need(head, "calendars"))
    files = StreetFiles(
        street=Street(code, str(_need(head, "name")), bool(head.get("sample", False))),
        password=head.get("password"),
        communities=[Community(str(row["code"]), str(row["name"]), code) for row in _need(head, "communities")],
        grids=[_grid(p, branches) for p, _ in _features(folder / "grids.geojson", "community")],
        cells=[CellRow(p["code"], p["name"], p["grid"], g) for p, g in _features(folder / "cells.geojson", "grid")],
        places=_table(folder / "places.csv", _place),
        units=_table(folder / "units.csv", _unit),
        people=[person for person, _ in people],
        posts=[post for _, post in people],
        roster=roster,
        rulebook=_text(folder / str(_need(head, "rulebook"))),
        calendars={path.name: _text(path) for path in sorted(calendars.glob("*.toml"))},
    )
    _check(files)
    return files


def _check(files: StreetFiles) -> None:
    """Every code that one file names exists in the file that owns it; only a sample street has a public password."""
    unknown = sorted(set(_unknown(files)))
    if unknown:
        raise StreetFilesError("; ".join(f"{line}, which is not in the files: correct or add it" for line in unknown))
    if files.password and not files.street.sample:
        raise StreetFilesError("street.toml: only a sample street may carry a password; remove it")


def _unknown(files: StreetFiles) -> Iterator[str]:
    communities, grids = {c.code for c in files.communities}, {grid.code for grid in files.grids}
    cells, units = {cell.code for cell in files.cells}, {unit.code for unit in files.units}
    logins = {person.login for person in files.people}
    areas = {"", files.street.code} | communities | grids
    named = (
        *((f"grids.geojson: {g.code} names community", g.community, communities) for g in files.grids),
        *((f"cells.geojson: {c.code} names grid", c.grid, grids) for c in files.cells),
        *((f"places.csv: {p.place_id} names cell", p.cell, cells) for p in files.places),
        *((f"people.csv: {p.login} names unit", p.post.unit, units) for p in files.posts),
        *((f"people.csv: {p.login} names area", p.post.area, areas) for p in files.posts),
        *((f"roster.csv: {r.duty} names account", r.login, logins) for r in files.roster),
        *((f"roster.csv: {r.duty} names area", r.area, areas) for r in files.roster),
    )
    for what, code, known in named:
        if code is not None and code not in known:
            yield f"{what} {code}"


def _grid(properties: Row, branches: Mapping[str, str]) -> Grid:
    return Grid(properties["code"], properties["name"], properties["community"], branches.get(properties["code"]))


def _features(path: Path, parent: str) -> list[tuple[dict[str, str], Mapping[str, Any]]]:
    """(properties, geometry) of each feature; `parent` names the property that places it in the tree."""
    try:
        features = json.loads(_text(path))["features"]
        return [
            ({name: str(feature["properties"][name]) for name in ("code", "name", parent)}, feature["geometry"])
            for feature in features
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise StreetFilesError(f"{path.name}: not a FeatureCollection of areas ({error!r}); mend it") from error


def _place(row: Row) -> PlaceRow:
    return PlaceRow(
        place_id=row["id"],
        name=row["name"],
        kind=row["kind"],
        cell=row["cell"] or None,
        lng=float(row["lng"]) if row["lng"] else None,
        lat=float(row["lat"]) if row["lat"] else None,
    )


def _unit(row: Row) -> Unit:
    return Unit(row["code"], row["name"], row["kind"], row["area"], row.get("phone") or None)


def _person(row: Row) -> PersonRow:
    number = row.get("work_no") or None
    if number is not None and not _WORK_NO.fullmatch(number):
        raise ValueError(f"work_no {number!r} is not letters, digits and dashes, sixteen at most")
    return PersonRow(row["login"], row["name"], number)


def _post(row: Row, since: datetime) -> PostRow:
    post = Post(Role(row["role"]), row["area"], row["unit"] or None)
    return PostRow(row["login"], post, row["label"] or None, since)


def _roster(row: Row, since: datetime) -> RosterRow:
    return RosterRow(row["area"], row["duty"], row["login"], row["branch"] or None, since)


def _table(path: Path, read: Callable[[Row], T]) -> list[T]:
    """Each line read; a fault names its line (the first below the heading is 2)."""
    rows: list[T] = []
    for number, row in enumerate(csv.DictReader(_text(path).splitlines()), start=2):
        try:
            rows.append(read(row))
        except (KeyError, ValueError) as error:
            raise StreetFilesError(f"{path.name} line {number}: {error!r}; correct the line") from error
    return rows


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(path))
    except tomllib.TOMLDecodeError as error:
        raise StreetFilesError(f"{path.name}: {error}; mend the line named") from error


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise StreetFilesError(f"{path} is missing") from error


def _need(head: Mapping[str, Any], key: str) -> Any:
    if key not in head:
        raise StreetFilesError(f"street.toml: {key} is missing; add it")
    return head[key]

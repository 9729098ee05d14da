"""The files of a street: areas, named places, units, people and posts, checked row by row before anything is stored.

A folder like `deploy/sample/fengcheng/`: `street.toml`, `cells.geojson` and one CSV (UTF-8, header line) per table.
"""

from __future__ import annotations

import csv
import io
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from services.governance.cycle import Role

FILES = (
    "street.toml",
    "communities.csv",
    "grids.csv",
    "cells.geojson",
    "places.csv",
    "units.csv",
    "accounts.csv",
    "posts.csv",
    "roster.csv",
)


class StreetFileError(ValueError):
    """Files that cannot be loaded; `problems` holds 'file line n: field: reason' for every fault found."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Words = Annotated[str, Field(min_length=1, max_length=200)]
Login = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
UnitCode = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
CommunityCode = Annotated[str, Field(pattern=r"^\d{12}$")]
GridCode = Annotated[str, Field(pattern=r"^\d{14}$")]
CellCode = Annotated[str, Field(pattern=r"^\d{15}$")]
AnyArea = Annotated[str, Field(pattern=r"^(\d{9}|\d{12}|\d{14}|\d{15})?$")]
Lng = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Lat = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
MaybeUnit = Annotated[UnitCode | None, BeforeValidator(lambda value: value or None)]


class CentreRow(_Row):
    """Where a map opens."""

    lng: Lng
    lat: Lat


class StreetRow(_Row):
    """The street itself. `password` is given to every account, and only where `sample` is true."""

    code: Annotated[str, Field(pattern=r"^\d{9}$")]
    name: Words
    district: Words
    city: Words
    sample: bool = False
    centre: CentreRow
    rulebook: Words
    password: str | None = None


class CommunityRow(_Row):
    code: CommunityCode
    name: Words


class GridRow(_Row):
    code: GridCode
    name: Words
    community: CommunityCode
    branch: str = ""


class CellRow(_Row):
    """`geometry` is a WGS-84 GeoJSON polygon."""

    code: CellCode
    name: Words
    grid: GridCode
    community: CommunityCode
    geometry: dict[str, Any]


class PlaceRow(_Row):
    """A place people know by name."""

    name: Words
    kind: Words
    cell: CellCode
    lng: Lng
    lat: Lat


class UnitRow(_Row):
    code: UnitCode
    name: Words
    kind: Words
    area: AnyArea = ""


class AccountRow(_Row):
    login: Login
    name: Words
    lang: Annotated[str, Field(pattern=r"^(zh-CN|en-US)$")] = "zh-CN"


class PostRow(_Row):
    """A role of a person over an area ('' the whole street) or for a unit."""

    login: Login
    role: Role
    area: AnyArea
    unit: MaybeUnit = None
    label: str = ""
    since: AwareDatetime


class RosterRow(_Row):
    """定格定岗定人定责: who is answerable for an area in a duty."""

    area: AnyArea
    duty: Words
    login: Login
    branch: str = ""
    since: AwareDatetime


@dataclass(frozen=True, slots=True)
class StreetFiles:
    """Everything of one folder; all codes and logins it mentions exist in it."""

    street: StreetRow
    communities: tuple[CommunityRow, ...]
    grids: tuple[GridRow, ...]
    cells: tuple[CellRow, ...]
    places: tuple[PlaceRow, ...]
    units: tuple[UnitRow, ...]
    accounts: tuple[AccountRow, ...]
    posts: tuple[PostRow, ...]
    roster: tuple[RosterRow, ...]


def read_street(files: Mapping[str, str]) -> StreetFiles:
    """File name → text to typed rows. Raises StreetFileError with every fault of every file."""
    faults = [f"{name}: missing; add the file" for name in FILES if name not in files]
    if faults:
        raise StreetFileError(tuple(faults))
    street = _street(files["street.toml"], faults)
    read = StreetFiles(
        street=street,
        communities=_table(CommunityRow, "communities.csv", files, faults),
        grids=_table(GridRow, "grids.csv", files, faults),
        cells=_cells(files["cells.geojson"], faults),
        places=_table(PlaceRow, "places.csv", files, faults),
        units=_table(UnitRow, "units.csv", files, faults),
        accounts=_table(AccountRow, "accounts.csv", files, faults),
        posts=_table(PostRow, "posts.csv", files, faults),
        roster=_table(RosterRow, "roster.csv", files, faults),
    )
    faults.extend(_loose_ends(read) if not faults else ())
    if faults:
        raise StreetFileError(tuple(faults))
    return read


# --- reading -------------------------------------------------------------------------------------------------------
R = TypeVar("R", bound=_Row)


def _street(text: str, faults: list[str]) -> StreetRow:
    try:
        return StreetRow.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as exc:
        raise StreetFileError((*faults, f"street.toml: not TOML: {exc}")) from exc
    except ValidationError as exc:
        raise StreetFileError((*faults, *_faults("street.toml", exc))) from exc


def _table(model: type[R], name: str, files: Mapping[str, str], faults: list[str]) -> tuple[R, ...]:
    rows: list[R] = []
    for number, raw in enumerate(csv.DictReader(io.StringIO(files[name].removeprefix("\ufeff")), restkey="…"), start=2):
        try:
            rows.append(model.model_validate({key: value for key, value in raw.items() if value is not None}))
        except ValidationError as exc:
            faults.extend(_faults(f"{name} line {number}", exc))
    return tuple(rows)


def _cells(text: str, faults: list[str]) -> tuple[CellRow, ...]:
    try:
        features = json.loads(text)["features"]
    except (ValueError, KeyError, TypeError) as exc:
        faults.append(f"cells.geojson: no GeoJSON FeatureCollection: {exc}")
        return ()
    rows: list[CellRow] = []
    for number, feature in enumerate(features, start=1):
        try:
            rows.append(CellRow.model_validate({**feature["properties"], "geometry": feature["geometry"]}))
        except (KeyError, TypeError) as exc:
            faults.append(f"cells.geojson feature {number}: {exc} missing")
        except ValidationError as exc:
            faults.extend(_faults(f"cells.geojson feature {number}", exc))
    return tuple(rows)


def _faults(where: str, exc: ValidationError) -> Iterator[str]:
    for fault in exc.errors(include_url=False):
        field = ".".join(str(part) for part in fault["loc"])
        yield f"{where}: {field}: {fault['msg']} (found {fault['input']!r})"


# --- what rows say of each other -------------------------------------------------------------------------------------
def _loose_ends(files: StreetFiles) -> Iterator[str]:
    communities = {row.code for row in files.communities}
    grids = {row.code for row in files.grids}
    cells = {row.code for row in files.cells}
    units = {row.code for row in files.units}
    logins = {row.login for row in files.accounts}
    areas = {"", files.street.code} | communities | grids | cells
    yield from _unknown("communities.csv", "outside the street", _outside(communities, files.street.code))
    yield from _unknown("grids.csv", "community", {row.community for row in files.grids} - communities)
    yield from _unknown("cells.geojson", "grid", {row.grid for row in files.cells} - grids)
    yield from _unknown("cells.geojson", "community", {row.community for row in files.cells} - communities)
    yield from _unknown("places.csv", "cell", {row.cell for row in files.places} - cells)
    yield from _unknown("posts.csv", "login", {row.login for row in files.posts} - logins)
    yield from _unknown("posts.csv", "unit", {row.unit for row in files.posts if row.unit} - units)
    yield from _unknown("posts.csv", "area", {row.area for row in files.posts} - areas)
    yield from _unknown("roster.csv", "login", {row.login for row in files.roster} - logins)
    yield from _unknown("roster.csv", "area", {row.area for row in files.roster} - areas)


def _outside(codes: set[str], street: str) -> set[str]:
    return {code for code in codes if not code.startswith(street)}


def _unknown(name: str, field: str, codes: set[str]) -> Iterator[str]:
    for code in sorted(codes):
        yield f"{name}: {field}: {code} is not known; add it or correct the row"

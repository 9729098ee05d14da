"""The mapping file: which column is which field, and what the file's words mean here. TOML, checked on reading."""

from __future__ import annotations

import re
import tomllib
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from services.chassis.coordinates import Crs
from services.governance.cycle import Nature
from services.intake.imports.moments import written


class MappingRefused(Exception):
    """The mapping file cannot be used; the message names the key."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Columns(_Part):
    """Headers of the file. Only `id`, `occurred_at`, `street` and `category` must be there."""

    id: str
    occurred_at: str
    street: str
    category: str
    street_name: str | None = None
    community: str | None = None
    community_name: str | None = None
    category_name: str | None = None
    category_parents: tuple[str, ...] = ()  # names of the levels above, topmost first
    unit: str | None = None
    unit_name: str | None = None
    nature: str | None = None
    text: str | None = None
    place: str | None = None
    lng: str | None = None
    lat: str | None = None
    closed_in_time: str | None = None  # the three outcome columns hold 0 or 1
    closed_overdue: str | None = None
    open_overdue: str | None = None
    closed_at: str | None = None

    def headers(self) -> tuple[str, ...]:
        """Every header the file must have."""
        named = self.model_dump(exclude={"category_parents"}).values()
        return (*(header for header in named if header is not None), *self.category_parents)

    @model_validator(mode="after")
    def _both_coordinates(self) -> Columns:
        if (self.lng is None) is not (self.lat is None):
            raise ValueError("lng and lat go together")
        return self


class Rule(_Part):
    """What a name of the file is here. `name` is a regular expression searched in the whole path of names."""

    name: str
    code: str
    scheme: str | None = None

    @field_validator("name")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return value


class ImportMapping(_Part):
    """One system's files. `system` names it for ever: it is part of what makes a second run safe."""

    system: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{1,30}$")]
    edition: str = "1"
    own_codes: bool = False  # the file already speaks the codes of the street's rulebook
    encodings: tuple[str, ...] = ("utf-8-sig", "gb18030")
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    time_formats: Annotated[tuple[str, ...], Field(min_length=1)] = ("%Y-%m-%d %H:%M:%S",)
    utc_offset: Annotated[str, Field(pattern=r"^[+-]\d{2}:\d{2}$")] = "+08:00"
    empty: tuple[str, ...] = ("", "-")
    sheet: str | None = None  # of a workbook; None: the first
    crs: Crs = Crs.WGS84
    columns: Columns
    nature: dict[str, Nature] = {}
    nature_otherwise: Nature = Nature.COMPLAINT
    categories: tuple[Rule, ...] = ()
    units: tuple[Rule, ...] = ()

    @property
    def scheme(self) -> str:
        """Scheme of the file's own category codes."""
        return f"IMPORT:{self.system}"

    @property
    def zone(self) -> timezone:
        sign = -1 if self.utc_offset[0] == "-" else 1
        hours, minutes = int(self.utc_offset[1:3]), int(self.utc_offset[4:])
        return timezone(sign * timedelta(hours=hours, minutes=minutes))

    def moment(self, text: str) -> datetime | None:
        """A time of the file, aware: in a form of the mapping, else as people and spreadsheets write it; None where
        none fits."""
        for form in self.time_formats:
            try:
                at = datetime.strptime(text, form)  # noqa: DTZ007 - the zone is the mapping's, set below
            except ValueError:
                continue
            return at if at.tzinfo else at.replace(tzinfo=self.zone)
        found = written(text)
        return None if found is None else found.replace(tzinfo=self.zone)


def first_rule(rules: tuple[Rule, ...], name: str) -> Rule | None:
    """The first rule whose expression is found in `name`."""
    return next((rule for rule in rules if re.search(rule.name, name)), None)


def read_mapping(path: Path) -> ImportMapping:
    """Read and check a mapping file. Raises MappingRefused."""
    return mapping_of(text_of(path), str(path))


def text_of(path: Path) -> str:
    """A mapping file as it is written. Raises MappingRefused."""
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise MappingRefused(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise MappingRefused(f"{path}: not UTF-8") from error


def mapping_of(text: str, name: str) -> ImportMapping:
    """The mapping that a text is; `name` stands in what is said of it. Raises MappingRefused."""
    try:
        return ImportMapping.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise MappingRefused(f"{name}: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise MappingRefused(f"{name}: {where}: {first['msg']}") from error

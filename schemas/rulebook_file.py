"""The rows of a rulebook file and of a calendar file, as their authors write them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, time, timedelta
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from services.governance.cycle import Action, ClockKind, MachineRule, Nature, Tier, Urgency
from services.governance.errors import UnparsableLimit
from services.governance.routing import RouteKind
from services.governance.rulebook import Checker
from services.governance.tiers import RungAct
from services.governance.worktime import Budget, DayConvention, DayKind, parse_limit

Tile = Literal["litter", "road", "light", "stall", "parking", "construction", "danger", "dispute"]


class Row(BaseModel):
    """A table of the file: an unknown field is a misspelt one, so it is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _budget(value: Any) -> Any:
    if not isinstance(value, str):
        raise PydanticCustomError("limit", "a limit is text")
    try:
        return parse_limit(value)
    except UnparsableLimit as exc:
        raise PydanticCustomError("limit", "a limit that no unit of time reads") from exc


Limit = Annotated[Budget, BeforeValidator(_budget)]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Words = Annotated[str, Field(min_length=1, max_length=400)]
Hours = Annotated[str, Field(pattern=r"^[0-2]\d:[0-5]\d-[0-2]\d:[0-5]\d$")]
"""A working window such as 08:00-12:00; 24:00 ends a day."""


class StreetRow(Row):
    """Whose rulebook it is and what holds where nobody has chosen a class."""

    code: Annotated[str, Field(pattern=r"^\d{9}$")]
    name: Words
    edition: Annotated[str, Field(min_length=1, max_length=20)] | None = None
    calendar: Code
    danger_condition: Code
    unsure_condition: Code


class CodesRow(Row):
    """Edition of the code table, for categories that name none of their own."""

    scheme: Words
    version: Words


class SettingsRow(Row):
    """Figures a street may change; names and meaning are those of the rules' `Settings`."""

    convention: DayConvention
    return_percent: Annotated[int, Field(ge=1, le=100)]
    return_most: Limit
    return_least_s: Annotated[int, Field(ge=0)]
    rework_least_s: Annotated[int, Field(ge=0)]
    recall_s: Annotated[int, Field(ge=0)]
    undo_s: Annotated[int, Field(ge=0)] = 60
    undo: Annotated[tuple[Action, ...], Field(max_length=20)] = ()
    branch_silent_s: Annotated[int, Field(ge=0)]
    urge_gap: Limit
    outside_grid: Limit
    outside_community: Limit
    extensions_most: Annotated[int, Field(ge=0)]
    suspension_most_days: Annotated[int, Field(ge=1)]
    suspension_leader_days: Annotated[int, Field(ge=1)]
    reopen_days: Annotated[int, Field(ge=0)]
    archive_days: Annotated[int, Field(ge=1)] = 90  # books kept from before it was a setting lack it
    late_s: Annotated[int, Field(ge=0)]
    near_m: Annotated[int, Field(ge=1, le=2000)] = 50
    near_hours: Annotated[int, Field(ge=1)] = 24
    recur_days: Annotated[int, Field(ge=1)] = 30
    recur_hard: Annotated[int, Field(ge=2)] = 3


class NotifyRow(Row):
    """When nobody is pushed about what is not urgent, and how many pushes a day one person gets at most."""

    quiet: Annotated[str, Field(pattern=r"^[0-2]\d:[0-5]\d-[0-2]\d:[0-5]\d$")] = "20:00-08:00"
    pushes_a_day: Annotated[int, Field(ge=1)] = 6

    @property
    def minutes(self) -> tuple[int, int]:
        """Begin and end in minutes after midnight."""
        begin, end = (time.fromisoformat(part) for part in self.quiet.split("-"))
        return begin.hour * 60 + begin.minute, end.hour * 60 + end.minute


class ChecksRow(Row):
    """Who is asked to check, in this order: ordinarily, and where it is dangerous or restricted."""

    order: Annotated[tuple[Checker, ...], Field(min_length=1)] = tuple(Checker)
    urgent: Annotated[tuple[Checker, ...], Field(min_length=1)] = (Checker.VERIFIER,)


class UnitRow(Row):
    """A unit that can lead or help."""

    name: Words
    kind: Code = "station"
    voluntary: bool = False


class SourceRow(Row):
    """Where reports come from."""

    id: Code
    name: Words
    visit_percent: Annotated[int, Field(ge=0, le=100)] = 0
    restricted: bool = False


class StageLimitRow(Row):
    """A stage's limit on a wall-clock condition, and on any other."""

    wall: Limit
    other: Limit


class ConditionRow(Row):
    """A filing condition. `limit_set` names shared stage limits; `limits` are its own and win."""

    id: Code
    text: Words
    limit: Limit
    close: Words
    evidence: bool = False
    basis: str = ""
    urgency: Urgency = Urgency.ORDINARY
    limit_set: str | None = None
    limits: dict[ClockKind, Limit] = Field(default_factory=dict)


class ElsewhereRow(Row):
    """A class's name in another code table."""

    scheme: Words
    version: Words
    code: Code


class CategoryRow(Row):
    """A class of matter behind one of the eight tiles; its first condition is the one proposed."""

    code: Code
    name: Words
    tile: Tile
    scheme: Words | None = None
    version: Words | None = None
    restricted: bool = False
    auto_dispatch: bool = False
    notice_platform: bool = False
    admitted: tuple[Tier, ...] = (Tier.GRID, Tier.COMMUNITY)
    also: tuple[ElsewhereRow, ...] = ()
    near_m: Annotated[int | None, Field(ge=1, le=2000)] = None
    conditions: Annotated[tuple[ConditionRow, ...], Field(min_length=1)]


class LineRow(Row):
    """One line of the dispatch catalogue; an empty list takes everything."""

    id: Code
    lead: Code
    basis: Words
    co_units: tuple[Code, ...] = ()
    categories: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9.]+\*?$")], ...] = ()
    conditions: tuple[Code, ...] = ()
    areas: tuple[Annotated[str, Field(pattern=r"^\d{6,15}$")], ...] = ()
    natures: tuple[Nature, ...] = ()
    sources: tuple[Code, ...] = ()
    danger: bool | None = None
    kind: RouteKind | None = None
    fallback: bool = False  # of books kept from before lines had a kind
    next_units: tuple[Code, ...] = ()


class StepRow(Row):
    """One point of a ladder."""

    act: RungAct
    percent: Annotated[int, Field(ge=1)] = 100
    plus: Limit | None = None
    after: Limit | None = None
    urgent_only: bool = False
    again: bool = False
    every: Limit | None = None
    tell: tuple[Code, ...] = ()


class RulebookFile(Row):
    """The whole file. What one row says of another is looked at by `schemas.rulebook_lint`."""

    street: StreetRow
    codes: CodesRow
    settings: SettingsRow
    machine: dict[MachineRule, bool]
    units: dict[Code, UnitRow]
    sources: tuple[SourceRow, ...]
    limits: dict[ClockKind, StageLimitRow]
    limit_sets: dict[str, dict[ClockKind, Limit]] = Field(default_factory=dict)
    conditions: tuple[ConditionRow, ...] = ()
    categories: Annotated[tuple[CategoryRow, ...], Field(min_length=1)]
    catalogue: tuple[LineRow, ...]
    ladders: dict[ClockKind, tuple[StepRow, ...]]
    reasons: dict[str, dict[Code, Words]] = Field(default_factory=dict)
    checks: ChecksRow = Field(default_factory=ChecksRow)
    notify: NotifyRow = Field(default_factory=NotifyRow)


class ScheduleRow(Row):
    """Working windows of a day from `since` on, each '08:00-12:00'; '24:00' ends a day."""

    since: date
    windows: Annotated[tuple[Hours, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        return _hours_in_order(self, self.windows)


class DayRow(Row):
    """Days that differ from their weekday: one, or all from `on` to `until`; `windows` where their hours do."""

    on: date
    until: date | None = None
    kind: DayKind
    name: Words
    english: Annotated[str, Field(max_length=100)] = ""
    windows: Annotated[tuple[Hours, ...], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.kind is DayKind.HOLIDAY and self.windows:
            _once("holiday_with_hours", {self.on})
        return _hours_in_order(self, self.windows or ())

    def dates(self) -> Iterator[date]:
        """Every day of the row."""
        day = self.on
        while day <= (self.until or self.on):
            yield day
            day += timedelta(days=1)


class CalendarFile(Row):
    """One year of one calendar. `source` names what it rests on: the notice, with its number and day, of a confirmed
    year; where the guess comes from, of another. Files stored before the two were asked for lack them."""

    calendar: Code
    year: Annotated[int, Field(ge=2000, le=2100)]
    confirmed: bool
    source: Words
    notice: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    published: date | None = None
    schedules: Annotated[tuple[ScheduleRow, ...], Field(min_length=1)]
    days: tuple[DayRow, ...]

    @model_validator(mode="after")
    def _sound(self) -> Self:
        days = [(day, row.kind) for row in self.days for day in row.dates()]
        _once("day_twice", _twice(day.isoformat() for day, _ in days))
        _once("day_of_another_year", {str(d) for d, _ in days if d.year != self.year})
        plain = [day for row in self.days if row.kind is DayKind.WORKDAY and not row.windows for day in row.dates()]
        made_up = {str(day) for day in plain if day.weekday() < 5}
        _once("make_up_day_on_weekday", made_up)
        _once("days_backwards", {str(row.on) for row in self.days if row.until is not None and row.until < row.on})
        _once("schedule_of_another_year", {str(s.since) for s in self.schedules if s.since.year != self.year})
        return self


def hours_of(window: str) -> tuple[int, int]:
    """Begin and end of '08:00-12:00' in seconds from midnight."""
    begin, end = (3600 * int(part[:2]) + 60 * int(part[3:]) for part in window.split("-"))
    return begin, end


R = TypeVar("R", bound=Row)


def _hours_in_order(row: R, windows: tuple[str, ...]) -> R:
    """Windows follow each other within one day without overlap."""
    flat = [part for window in windows for part in window.split("-")]
    if flat != sorted(set(flat)) or any(part > "24:00" for part in flat) or "24:00" in flat[:-1]:
        _once("windows", {", ".join(windows)})
    return row


def _twice(names: Iterable[str]) -> set[str]:
    return {name for name, times in Counter(names).items() if times > 1}


def _once(code: str, names: set[Any]) -> None:
    """Refuse when there is anything in `names`; `code` names the sentence of the labels."""
    if names:
        listed = ", ".join(sorted(str(name) for name in names if name is not None))
        raise PydanticCustomError("whole", "{code}: {listed}", {"code": code, "listed": listed})

"""The rows of a rulebook file and of a calendar file, as their authors write them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, time, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from services.governance.cycle import ClockKind, MachineRule, Nature, Tier, Urgency
from services.governance.errors import UnparsableLimit
from services.governance.routing import RouteKind
from services.governance.tiers import RungAct
from services.governance.worktime import Budget, DayConvention, DayKind, parse_limit

Tile = Literal["litter", "road", "light", "stall", "parking", "construction", "danger", "dispute"]


class Row(BaseModel):
    """A table of the file: an unknown field is a misspelt one, so it is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _budget(value: Any) -> Any:
    if not isinstance(value, str):
        raise PydanticCustomError("limit", "a limit is text such as '4工作时', '2紧急工作时' or '5 work_day'")
    try:
        return parse_limit(value)
    except UnparsableLimit as exc:
        raise PydanticCustomError(
            "limit",
            "cannot read {written}; write '4工作时', '2紧急工作时', '5工作日' or '4h', '2uh', '5d'",
            {"written": repr(value)},
        ) from exc


Limit = Annotated[Budget, BeforeValidator(_budget)]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Words = Annotated[str, Field(min_length=1, max_length=400)]


class StreetRow(Row):
    """Whose rulebook it is and what holds where nobody has chosen a class."""

    code: Annotated[str, Field(pattern=r"^\d{9}$")]
    name: Words
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
    tell: tuple[Code, ...] = ()


class RulebookFile(Row):
    """The whole file."""

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

    @model_validator(mode="after")
    def _whole(self) -> Self:
        _once("machine rule switched neither on nor off", set(MachineRule) - set(self.machine), "add it to [machine]")
        _once("category told twice", _twice(row.code for row in self.categories), "keep one")
        _once("source told twice", _twice(row.id for row in self.sources), "keep one")
        conditions = [*(c for row in self.categories for c in row.conditions), *self.conditions]
        _once("condition told twice", _twice(row.id for row in conditions), "give each an id of its own")
        missing = {row.limit_set for row in conditions if row.limit_set} - set(self.limit_sets)
        _once("unknown limit_set", missing, "define it below [limit_sets]")
        sources = {name for line in self.catalogue for name in line.sources} - {row.id for row in self.sources}
        _once("catalogue names an unknown source", sources, "add it to [[sources]]")
        return self


class ScheduleRow(Row):
    """Working windows of a day from `since` on, each '08:00-12:00'; '24:00' ends a day."""

    since: date
    windows: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[0-2]\d:[0-5]\d-[0-2]\d:[0-5]\d$")], ...], Field(min_length=1)
    ]

    @property
    def spans(self) -> Iterator[tuple[time, time | None]]:
        """Begin and end of each window; end None: midnight."""
        for window in self.windows:
            begin, end = window.split("-")
            yield time.fromisoformat(begin), None if end == "24:00" else time.fromisoformat(end)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        flat = [part for window in self.windows for part in window.split("-")]
        if flat != sorted(set(flat)) or flat[-1] > "24:00" or any(part == "24:00" for part in flat[:-1]):
            raise PydanticCustomError("windows", "windows must follow each other within one day without overlap")
        return self


class DayRow(Row):
    """Days that differ from their weekday: one, or all from `on` to `until`."""

    on: date
    until: date | None = None
    kind: DayKind
    name: Words

    def dates(self) -> Iterator[date]:
        """Every day of the row."""
        day = self.on
        while day <= (self.until or self.on):
            yield day
            day += timedelta(days=1)


class CalendarFile(Row):
    """One year of one calendar. `source` names the notice a confirmed year rests on, or where the guess comes from."""

    calendar: Code
    year: Annotated[int, Field(ge=2000, le=2100)]
    confirmed: bool
    source: Words
    schedules: Annotated[tuple[ScheduleRow, ...], Field(min_length=1)]
    days: tuple[DayRow, ...]

    @model_validator(mode="after")
    def _sound(self) -> Self:
        days = [(day, row.kind) for row in self.days for day in row.dates()]
        _once("day told twice", _twice(day.isoformat() for day, _ in days), "keep one")
        _once("day of another year", {str(d) for d, _ in days if d.year != self.year}, "move it to its year's file")
        made_up = {str(d) for d, kind in days if kind is DayKind.WORKDAY and d.weekday() < 5}
        _once("make-up day that is no weekend", made_up, "correct its date")
        backwards = {str(row.on) for row in self.days if row.until is not None and row.until < row.on}
        _once("days that end before they begin", backwards, "exchange `on` and `until`")
        _once(
            "schedule of another year", {str(s.since) for s in self.schedules if s.since.year != self.year}, "move it"
        )
        return self


def _twice(names: Iterable[str]) -> set[str]:
    return {name for name, times in Counter(names).items() if times > 1}


def _once(what: str, names: set[Any], remedy: str) -> None:
    """Refuse when there is anything in `names`."""
    if names:
        listed = ", ".join(sorted(str(name) for name in names if name is not None))
        raise PydanticCustomError(
            "whole", "{what}: {listed}; {remedy}", {"what": what, "listed": listed, "remedy": remedy}
        )

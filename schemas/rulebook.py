"""A street's rulebook file and its calendars, checked with messages that name table, field and remedy.

The file's text is the version: `content_hash` names it, and nothing else may change what a version means. Calendars
are files of their own with a revision of their own, since a year's notice must not change any rulebook version.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from datetime import time
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from schemas.rulebook_file import CalendarFile, CategoryRow, ConditionRow, LineRow, RulebookFile
from services.governance.cycle import ClockKind, MachineRule
from services.governance.errors import Complaint, RulebookRefused
from services.governance.routing import CatalogueLine, RouteKind
from services.governance.rulebook import (
    Category,
    Condition,
    Rulebook,
    Settings,
    Source,
    StageLimit,
    Street,
    Unit,
)
from services.governance.tiers import Ladder, LadderStep
from services.governance.worktime import Budget, Calendar, CalendarDay, CalendarYear, Schedule, Window

HASH_LENGTH = 20

_REMEDY = {
    "clock_without_ladder": "add [[ladders.{0}]] with at least one step",
    "clock_without_limit": "add limits.{0} with `wall` and `other`",
    "percent_out_of_range": "give a percentage from 1 (ladders) or from 0 to 100 (visits)",
    "condition_unknown": "name a condition that a category of this file defines",
    "condition_without_limit": "give the condition a limit of at least 1",
    "limit_not_positive": "give a limit of at least 1",
    "category_without_edition": "give the category a scheme and a version",
    "category_without_condition": "add [[categories.conditions]] below the category",
    "category_unknown": "name a category of this file, or a prefix of one ending in '*'",
    "line_twice": "give every catalogue line an id of its own",
    "unit_unknown": "add the unit to [units] or correct the line",
    "lead_is_co_unit": "take the lead out of the line's co_units",
    "danger_not_wall": "the danger condition needs a wall-clock limit, such as 2紧急工作时",
    "key_differs": "the key of a table must equal the id inside",
}


class RulebookFileError(ValueError):
    """A rulebook or calendar file that cannot be used; `problems` holds every fault found, one line each."""

    def __init__(self, name: str, problems: Iterable[str]) -> None:
        self.name = name
        self.problems = tuple(problems)
        super().__init__(f"{name}: " + "; ".join(self.problems))


def content_hash(text: str) -> str:
    """The version's name: a hash of the text, whatever line ends its editor wrote."""
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    return hashlib.sha256(plain.encode()).hexdigest()[:HASH_LENGTH]


def load_rulebook(text_toml: str, calendars_toml: Mapping[str, str]) -> Rulebook:
    """The rulebook of one file with today's calendars (file name → text). Raises RulebookFileError."""
    file = read_rulebook(text_toml)
    calendar = load_calendar(file.street.calendar, calendars_toml)
    name = f"rulebook of {file.street.name}"
    try:
        return Rulebook(
            version=content_hash(text_toml),
            street=Street(file.street.code, file.street.name),
            units={code: Unit(code, row.name, row.kind, row.voluntary) for code, row in file.units.items()},
            categories={row.code: _category(row, file) for row in file.categories},
            conditions={c.id: _condition(c, file) for row in file.categories for c in row.conditions}
            | {row.id: _condition(row, file) for row in file.conditions},
            limits={kind: StageLimit(row.wall, row.other) for kind, row in file.limits.items()},
            catalogue=tuple(_line(row) for row in file.catalogue),
            ladders=_ladders(file),
            calendar=calendar,
            sources={row.id: Source(row.id, row.name, row.visit_percent, row.restricted) for row in file.sources},
            danger_condition=file.street.danger_condition,
            unsure_condition=file.street.unsure_condition,
            machine=frozenset(rule for rule in MachineRule if file.machine[rule]),
            settings=Settings(**dict(file.settings)),
        )
    except RulebookRefused as refused:
        raise RulebookFileError(name, [_hole(complaint) for complaint in refused.complaints]) from refused


def read_rulebook(text_toml: str) -> RulebookFile:
    """The file as written, checked field by field; also tells what only screens need. Raises RulebookFileError."""
    return _read(RulebookFile, text_toml, "rulebook")


def load_calendar(calendar: str, files: Mapping[str, str]) -> Calendar:
    """All years of one calendar. Its revision changes with any of its files. Raises RulebookFileError."""
    read = [(name, text, _read(CalendarFile, text, f"calendar {name}")) for name, text in sorted(files.items())]
    mine = [(text, file) for _, text, file in read if file.calendar == calendar]
    if not mine:
        known = ", ".join(sorted({file.calendar for _, _, file in read})) or "none"
        raise RulebookFileError(
            f"calendar {calendar}", [f"no file of this calendar; there are: {known}; correct street.calendar"]
        )
    years = [file.year for _, file in mine]
    if len(set(years)) != len(years):
        raise RulebookFileError(f"calendar {calendar}", ["two files tell the same year; remove one"])
    return Calendar(
        id=calendar,
        revision=content_hash("\n".join(text for text, _ in mine)),
        schedules=tuple(
            Schedule(row.since, tuple(Window(_seconds(a), _seconds(b)) for a, b in row.spans))
            for _, file in mine
            for row in file.schedules
        ),
        years=tuple(
            CalendarYear(
                file.year,
                file.confirmed,
                file.source,
                tuple(CalendarDay(day, row.kind, row.name) for row in file.days for day in row.dates()),
            )
            for _, file in mine
        ),
    )


# --- rows to rules --------------------------------------------------------------------------------------------------
def _category(row: CategoryRow, file: RulebookFile) -> Category:
    return Category(
        code=row.code,
        scheme=row.scheme or file.codes.scheme,
        version=row.version or file.codes.version,
        name=row.name,
        group_tile=row.tile,
        conditions=tuple(condition.id for condition in row.conditions),
        restricted=row.restricted,
        auto_dispatch=row.auto_dispatch,
        notice_platform=row.notice_platform,
        admitted=frozenset(row.admitted),
    )


def _condition(row: ConditionRow, file: RulebookFile) -> Condition:
    shared: Mapping[ClockKind, Budget] = file.limit_sets[row.limit_set] if row.limit_set else {}
    return Condition(
        id=row.id,
        text=row.text,
        limit=row.limit,
        close_condition=row.close,
        evidence_required=row.evidence,
        basis=row.basis,
        urgency=row.urgency,
        limits={**shared, **row.limits},
    )


def _line(row: LineRow) -> CatalogueLine:
    return CatalogueLine(
        id=row.id,
        lead=row.lead,
        co_units=row.co_units,
        categories=row.categories,
        conditions=row.conditions,
        areas=row.areas,
        natures=row.natures,
        sources=row.sources,
        danger=row.danger,
        kind=row.kind or (RouteKind.FALLBACK if row.fallback else RouteKind.CATALOGUE),
        basis=row.basis,
        next_units=row.next_units,
    )


def _ladders(file: RulebookFile) -> dict[ClockKind, Ladder]:
    return {
        kind: Ladder(kind, tuple(LadderStep(**dict(step)) for step in steps)) for kind, steps in file.ladders.items()
    }


def _seconds(at: time | None) -> int:
    """Seconds from midnight; None is the end of the day."""
    return 86_400 if at is None else at.hour * 3600 + at.minute * 60


# --- reading and saying what is wrong --------------------------------------------------------------------------------
F = TypeVar("F", bound=BaseModel)


def _read(model: type[F], text: str, name: str) -> F:
    try:
        raw = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as exc:
        raise RulebookFileError(name, [f"not TOML: {exc}; mend the line named"]) from exc
    try:
        return model.model_validate(raw)
    except ValidationError as exc:
        faults = exc.errors(include_url=False)
        raise RulebookFileError(name, [_fault(raw, fault) for fault in faults]) from exc


def _fault(raw: Mapping[str, Any], fault: Mapping[str, Any]) -> str:
    """`[categories "0110"] conditions.0110.1.limit: …`, the input shown, the remedy last."""
    where = _where(raw, fault["loc"])
    kind = fault["type"]
    if kind == "missing":
        return f"{where}: missing; add it"
    if kind == "extra_forbidden":
        return f"{where}: unknown; remove it or correct its name"
    if kind in ("enum", "literal_error"):
        return f"{where}: {fault['input']!r} is not one of {fault['ctx']['expected']}; choose one of these"
    return f"{where}: {fault['msg']}"


def _where(raw: Any, loc: tuple[int | str, ...]) -> str:
    """The path with rows named by their own id or code instead of their number in the file."""
    parts: list[str] = []
    here = raw
    for step in loc:
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            here = None
        row = here if isinstance(here, dict) else {}
        named = next((row[key] for key in ("id", "code", "on") if key in row), None)
        parts.append(f'"{named}"' if isinstance(step, int) and named is not None else str(step))
    return " › ".join(parts) or "file"


def _hole(complaint: Complaint) -> str:
    remedy = _REMEDY.get(complaint.code, "correct it").format(complaint.subject)
    return f"{complaint.subject}: {complaint.code.replace('_', ' ')}; {remedy}"

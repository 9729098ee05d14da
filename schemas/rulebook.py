"""A street's rulebook file and its calendars, checked with messages that name file, line, key and remedy.

The file's text is the version: `content_hash` names it, and nothing else may change what a version means. Calendars
are files of their own with a revision of their own, since a year's notice must not change any rulebook version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping

from schemas.rulebook_faults import Document, Fault, PlacedFault, RulebookFileError, read_file
from schemas.rulebook_file import CalendarFile, CategoryRow, ConditionRow, DayRow, LineRow, RulebookFile, hours_of
from schemas.rulebook_lint import LOOKS
from services.governance.acts import CategoryRef
from services.governance.cycle import ClockKind, MachineRule
from services.governance.routing import CatalogueLine, RouteKind
from services.governance.rulebook import (
    Category,
    Condition,
    Quiet,
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


def content_hash(text: str) -> str:
    """The version's name: a hash of the text, whatever line ends its editor wrote."""
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    return hashlib.sha256(plain.encode()).hexdigest()[:HASH_LENGTH]


def load_rulebook(text_toml: str, calendars_toml: Mapping[str, str], name: str = "rulebook") -> Rulebook:
    """The rulebook of one file with today's calendars (file name → text). Raises RulebookFileError, which tells every
    fault by `name` and line."""
    document, faults = Document(text_toml, name), list[PlacedFault]()
    file, calendar = None, None
    try:
        file = read_file(RulebookFile, document, LOOKS)
    except RulebookFileError as error:
        faults += error.faults
    wanted = document.raw.get("street", {})
    try:
        calendar = load_calendar(str(wanted.get("calendar")) if isinstance(wanted, dict) else "", calendars_toml)
    except UnknownCalendar as unknown:
        fault = Fault(("street", "calendar"), "calendar_unknown", {"value": unknown.calendar, "all": unknown.known})
        faults += document.refused([fault]).faults
    if file is None or calendar is None:
        raise RulebookFileError(name, faults)
    return _rulebook(file, calendar, content_hash(text_toml))


def reload_rulebook(text_toml: str, calendars_toml: Mapping[str, str]) -> Rulebook:
    """A version that was taken once, as it was then: what is asked of new files since does not shut it out."""
    file = read_file(RulebookFile, Document(text_toml, "rulebook"))
    return _rulebook(file, load_calendar(file.street.calendar, calendars_toml), content_hash(text_toml))


def _rulebook(file: RulebookFile, calendar: Calendar, version: str) -> Rulebook:
    quiet = Quiet(*file.notify.minutes, file.notify.pushes_a_day)
    return Rulebook(
        version=version,
        street=Street(file.street.code, file.street.name),
        edition=file.street.edition or version[:8],
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
        machine=frozenset(rule for rule in MachineRule if file.machine.get(rule, False)),
        settings=Settings(**dict(file.settings)),
        reasons=file.reasons,
        verifiers=file.checks.order,
        urgent_verifiers=file.checks.urgent,
        quiet=quiet,
    )


def read_rulebook(text_toml: str, name: str = "rulebook") -> RulebookFile:
    """The file as written, looked at whole; also tells what only screens need. Raises RulebookFileError."""
    return read_file(RulebookFile, Document(text_toml, name), LOOKS)


class UnknownCalendar(LookupError):
    """No file tells of this calendar; `known` names those there are."""

    def __init__(self, calendar: str, known: str) -> None:
        super().__init__(f"no file of the calendar {calendar}; there are: {known}")
        self.calendar, self.known = calendar, known


def load_calendar(calendar: str, files: Mapping[str, str]) -> Calendar:
    """All years of one calendar. Its revision changes with any of its files. Raises RulebookFileError about a file,
    UnknownCalendar where none is of this calendar."""
    read = [(name, text, read_file(CalendarFile, Document(text, name))) for name, text in sorted(files.items())]
    mine = [(text, file) for _, text, file in read if file.calendar == calendar]
    if not mine:
        raise UnknownCalendar(calendar, ", ".join(sorted({file.calendar for _, _, file in read})) or "—")
    years = [file.year for _, file in mine]
    for name, text, file in read:
        if file.calendar == calendar and years.count(file.year) > 1:
            raise Document(text, name).refused([Fault(("year",), "year_twice", {"value": str(file.year)})])
    return Calendar(
        id=calendar,
        revision=content_hash("\n".join(text for text, _ in mine)),
        schedules=tuple(Schedule(row.since, _windows(row.windows)) for _, file in mine for row in file.schedules),
        years=tuple(
            CalendarYear(
                file.year,
                file.confirmed,
                file.source,
                tuple(day for row in file.days for day in _calendar_days(row)),
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
        also=tuple(CategoryRef(each.scheme, each.version, each.code) for each in row.also),
        near_m=row.near_m,
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


def _calendar_days(row: DayRow) -> Iterator[CalendarDay]:
    for day in row.dates():
        yield CalendarDay(day, row.kind, row.name, row.english, _windows(row.windows or ()))


def _windows(written: Iterable[str]) -> tuple[Window, ...]:
    return tuple(Window(*hours_of(window)) for window in written)

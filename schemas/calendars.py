"""Calendar files as they are brought in: a year each, checked more strictly than what was stored long ago."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from schemas.rulebook import load_calendar
from schemas.rulebook_faults import Document, Fault, read_file
from schemas.rulebook_file import CalendarFile
from services.governance.worktime import CalendarChange


def read_calendar(text: str, name: str) -> CalendarFile:
    """One year, complete: a confirmed one names its notice. Raises RulebookFileError: file, line, key, remedy."""
    return read_file(CalendarFile, Document(text, name), (_rests_on_a_notice,))


def stored_name(file: CalendarFile, stored: Mapping[str, str]) -> str:
    """The name under which this year of this calendar is kept, whatever the file in hand is called."""
    same = (name for name, text in stored.items() if _is_year(text, name, file.calendar, file.year))
    return next(same, f"{file.calendar}-{file.year}.toml")


def was_confirmed(name: str, stored: Mapping[str, str]) -> bool:
    """Whether the year kept under this name rests on a notice already."""
    return name in stored and bool(Document(stored[name], name).raw.get("confirmed"))


def changes_between(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, CalendarChange]:
    """What a new set of files means for each calendar that there was before. Raises RulebookFileError and
    UnknownCalendar, where a calendar is gone."""
    names = sorted({str(Document(text, name).raw.get("calendar")) for name, text in before.items()})
    loaded = ((name, load_calendar(name, before), load_calendar(name, after)) for name in names)
    return {name: CalendarChange.between(old, new) for name, old, new in loaded if old.revision != new.revision}


def first_moved(changes: Mapping[str, CalendarChange], now: datetime) -> datetime | None:
    """What is due before this instant stays as it is; None: everything stays."""
    return min((since for change in changes.values() if (since := change.reaches(now)) is not None), default=None)


def _rests_on_a_notice(file: CalendarFile) -> Iterator[Fault]:
    if file.confirmed and (file.notice is None or file.published is None):
        yield Fault(("confirmed",), "confirmed_without_notice")
    if not file.confirmed and (file.notice is not None or file.published is not None):
        yield Fault(("confirmed",), "notice_not_confirmed")


def _is_year(text: str, name: str, calendar: str, year: int) -> bool:
    raw = Document(text, name).raw
    return raw.get("calendar") == calendar and raw.get("year") == year

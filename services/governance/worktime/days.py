"""What a calendar says, day by day and year by year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

DAY_S = 86_400


class DayKind(StrEnum):
    HOLIDAY = "holiday"
    WORKDAY = "workday"  # 调休上班, or a working day with hours of its own


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a local day, in seconds from midnight: 08:00–12:00 is (28800, 43200)."""

    start_s: int
    end_s: int


OFFICE_HOURS = (Window(8 * 3600, 12 * 3600), Window(14 * 3600, 18 * 3600))
ROUND_THE_CLOCK = (Window(0, DAY_S),)


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """One day that differs from its weekday. `windows`: the hours of a working day where they are its own."""

    date: date
    kind: DayKind
    name: str = ""
    english: str = ""
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class CalendarYear:
    """The exceptions of one year. `confirmed` rests on the notice named; else deadlines in it are provisional."""

    year: int
    confirmed: bool
    source: str
    days: tuple[CalendarDay, ...]


@dataclass(frozen=True, slots=True)
class Schedule:
    """Working windows from a date on (summer and winter hours are two). `day_s`: length of a standard day."""

    since: date
    windows: tuple[Window, ...]

    @property
    def day_s(self) -> int:
        return sum(w.end_s - w.start_s for w in self.windows)

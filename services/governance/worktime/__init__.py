"""Working time: limits as they are written, calendars as data, and exact arithmetic on both.

`limits` reads what a rule says, `days` holds what a calendar says, `calendar` counts, `reckoning` puts them together.
"""

from services.governance.worktime.calendar import Calendar, DayPart
from services.governance.worktime.days import (
    DAY_S,
    OFFICE_HOURS,
    ROUND_THE_CLOCK,
    CalendarDay,
    CalendarYear,
    DayKind,
    Schedule,
    Window,
)
from services.governance.worktime.limits import Basis, Budget, DayConvention, LimitUnit, parse_limit
from services.governance.worktime.reckoning import CalendarChange, seconds_of, shift, spent

__all__ = [
    "DAY_S",
    "OFFICE_HOURS",
    "ROUND_THE_CLOCK",
    "Basis",
    "Budget",
    "Calendar",
    "CalendarChange",
    "CalendarDay",
    "CalendarYear",
    "DayConvention",
    "DayKind",
    "DayPart",
    "LimitUnit",
    "Schedule",
    "Window",
    "parse_limit",
    "seconds_of",
    "shift",
    "spent",
]

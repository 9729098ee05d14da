"""Limits as a rule writes them: an amount, its unit, and the clock it runs on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from services.governance.errors import UnparsableLimit


class Basis(StrEnum):
    """What an allowance runs on."""

    WALL = "wall"  # every second counts
    WORK = "work"  # working windows only
    NATURAL = "natural"  # whole days of 24 hours


class LimitUnit(StrEnum):
    """Units a limit may be written in."""

    URGENT_MINUTE = "urgent_minute"
    URGENT_HOUR = "urgent_hour"
    WORK_MINUTE = "work_minute"
    WORK_HOUR = "work_hour"
    WORK_DAY = "work_day"
    NATURAL_DAY = "natural_day"  # 紧急工作日 too


_BASIS = {
    LimitUnit.URGENT_MINUTE: Basis.WALL,
    LimitUnit.URGENT_HOUR: Basis.WALL,
    LimitUnit.WORK_MINUTE: Basis.WORK,
    LimitUnit.WORK_HOUR: Basis.WORK,
    LimitUnit.WORK_DAY: Basis.WORK,
    LimitUnit.NATURAL_DAY: Basis.NATURAL,
}


@dataclass(frozen=True, slots=True)
class Budget:
    """An amount of time as a rule writes it: value and unit, never seconds of an unknown clock."""

    value: int
    unit: LimitUnit

    @property
    def basis(self) -> Basis:
        return _BASIS[self.unit]


class DayConvention(StrEnum):
    """How N working days are counted; a rulebook setting."""

    ROLL = "A"  # N times the length of a standard day
    SAME_TIME = "B"  # the same clock time N working days later
    DAY_END = "C"  # end of the Nth working day, the first day not counted


_URGENT = {
    "分钟": LimitUnit.URGENT_MINUTE,
    "分": LimitUnit.URGENT_MINUTE,
    "小时": LimitUnit.URGENT_HOUR,
    "时": LimitUnit.URGENT_HOUR,
    "天": LimitUnit.NATURAL_DAY,
    "日": LimitUnit.NATURAL_DAY,
}
_PLAIN = {
    "分钟": LimitUnit.WORK_MINUTE,
    "分": LimitUnit.WORK_MINUTE,
    "小时": LimitUnit.WORK_HOUR,
    "时": LimitUnit.WORK_HOUR,
    "天": LimitUnit.WORK_DAY,
    "日": LimitUnit.WORK_DAY,
}
_SHORT = {
    "um": LimitUnit.URGENT_MINUTE,
    "uh": LimitUnit.URGENT_HOUR,
    "ud": LimitUnit.NATURAL_DAY,
    "nd": LimitUnit.NATURAL_DAY,
    "nh": LimitUnit.URGENT_HOUR,
    "m": LimitUnit.WORK_MINUTE,
    "min": LimitUnit.WORK_MINUTE,
    "h": LimitUnit.WORK_HOUR,
    "d": LimitUnit.WORK_DAY,
}
_WRITTEN = re.compile(r"(?P<value>\d+)(?:个)?(?P<kind>紧急|自然)?(?:工作)?(?P<unit>分钟|小时|分|时|天|日)")
_CODED = re.compile(r"(?P<value>\d+)(?P<unit>[a-z_]+)")


def parse_limit(text: str) -> Budget:
    """Read '2紧急工作时', '5工作日', '3天', '2uh', '4 work_hour'. 紧急 wins over the unit; anything else is refused
    with the text as it was written."""
    compact = "".join(text.split())
    written = _WRITTEN.fullmatch(compact)
    if written is not None:
        units = _URGENT if written["kind"] else _PLAIN
        return _positive(int(written["value"]), units[written["unit"]], text)
    coded = _CODED.fullmatch(compact)
    if coded is not None:
        name = coded["unit"]
        known = _SHORT.get(name) or next((u for u in LimitUnit if u.value == name), None)
        if known is not None:
            return _positive(int(coded["value"]), known, text)
    raise UnparsableLimit(text)


def _positive(value: int, unit: LimitUnit, text: str) -> Budget:
    if value < 1:
        raise UnparsableLimit(text)
    return Budget(value, unit)

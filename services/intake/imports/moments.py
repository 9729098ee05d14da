"""Times as people and spreadsheets write them: 2018年2月8日下午4时41分, 2018.2.8 16:41, 43139.695."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_SERIAL = re.compile(r"\d{5}(\.\d+)?")
_FIRST_DAY = datetime(1899, 12, 30)  # noqa: DTZ001 - local time, as all of this module
_FIRST, _LAST = 20_000, 80_000  # 1954 to 2119: nothing else in a column of times looks like it
_WRITTEN = re.compile(
    r"(?P<y>\d{4})\s*[年./-]\s*(?P<m>\d{1,2})\s*[月./-]\s*(?P<d>\d{1,2})\s*[日号]?[\sT]*"
    r"(?:星期[一二三四五六日天]|周[一二三四五六日天])?\s*"
    r"(?:(?P<half>上午|早上|凌晨|中午|下午|晚上|AM|PM)?\s*(?P<h>\d{1,2})\s*[:：时点]\s*"
    r"(?:(?P<min>\d{1,2})\s*(?:[:：分]\s*(?:(?P<s>\d{1,2})(?:\.\d+)?\s*秒?)?)?|(?P<thirty>半))?\s*(?P<after>AM|PM)?)?",
    re.IGNORECASE,
)
_DIGITS = str.maketrans("０１２３４５６７８９", "0123456789")
_LATER = frozenset({"下午", "晚上", "PM"})


def written(text: str) -> datetime | None:
    """A local time without zone; None where it is none of these forms."""
    plain = text.strip().translate(_DIGITS)
    if _SERIAL.fullmatch(plain):
        return _serial(float(plain))
    found = _WRITTEN.fullmatch(plain)
    if found is None:
        return None
    part = found.groupdict()
    minute = 30 if part["thirty"] else int(part["min"] or 0)
    hour = _hour(int(part["h"] or 0), ((part["half"] or part["after"]) or "").upper())
    try:
        return datetime(int(part["y"]), int(part["m"]), int(part["d"]), hour, minute, int(part["s"] or 0))  # noqa: DTZ001
    except ValueError:
        return None


def _hour(hour: int, half: str) -> int:
    if half in _LATER and hour < 12:
        return hour + 12
    if half == "中午" and hour < 3:
        return hour + 12
    return 0 if half in ("AM", "凌晨", "上午") and hour == 12 else hour


def _serial(days: float) -> datetime | None:
    """Days since the spreadsheet's day 0, to the second."""
    return _FIRST_DAY + timedelta(seconds=round(days * 86_400)) if _FIRST <= days < _LAST else None

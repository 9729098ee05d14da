"""When a notice may be pushed: danger at once; all else by day only, so many a day, the rest together.

Hours are local ones. Nothing here knows of a database or a clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from services.chassis.clock import LOCAL
from services.escalation.notices.notice import Notice


@dataclass(frozen=True, slots=True)
class Rules:
    """`opens` and `closes`: hours between which a phone may ring; `most`: pushes to one person on one day;
    `digests`: when the rest goes together."""

    opens: int
    closes: int
    most: int
    digests: Sequence[time]


@dataclass(frozen=True, slots=True)
class Planned:
    """When it goes, and whether together with others."""

    due_at: datetime
    digest: bool


def plan(notice: Notice, now: datetime, pushed_today: int, rules: Rules) -> Planned:
    """When to push this notice, of which `pushed_today` others have gone to the same person."""
    if notice.urgent:
        return Planned(now, digest=False)
    if not rules.opens <= now.astimezone(LOCAL).hour < rules.closes:
        return Planned(_next(now, [time(rules.opens)]), digest=True)
    if _quiet_by_nature(notice) or pushed_today >= rules.most:
        return Planned(_next(now, rules.digests), digest=True)
    return Planned(now, digest=False)


def day_begins(now: datetime) -> datetime:
    """Midnight of the local day of `now`."""
    return now.astimezone(LOCAL).replace(hour=0, minute=0, second=0, microsecond=0)


def _quiet_by_nature(notice: Notice) -> bool:
    """That a limit comes near is one push to whoever works on it; to his head it goes with others."""
    return notice.detail.get("act") == "remind" and notice.post == "unit_head"


def _next(now: datetime, moments: Sequence[time]) -> datetime:
    here = now.astimezone(LOCAL)
    days = (here.date(), here.date() + timedelta(days=1))
    all_of_them = (datetime.combine(day, moment, LOCAL) for day in days for moment in moments)
    return min(moment for moment in all_of_them if moment > here)

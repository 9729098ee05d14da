"""When a notice may be pushed."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from uuid import uuid4

import pytest

from services.chassis.clock import LOCAL
from services.escalation.notices.notice import Detail, Notice
from services.escalation.notices.plan import Planned, Rules, day_begins, plan
from services.escalation.notices.settings import NoticeSettings

RULES = Rules(8, 20, 6, (time(12), time(17, 30)))


def at(hour: int, minute: int = 0, day: int = 2) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=LOCAL)


def notice(*, urgent: bool = False, post: str = "owner", detail: Detail | None = None) -> Notice:
    return Notice(1, uuid4(), "a", "case.overdue", "FC-1", post, None, urgent, None, at(9), detail=detail or Detail())


@pytest.mark.parametrize("hour", [0, 7, 12, 20, 23])
def test_danger_goes_at_any_hour_and_past_any_count(hour: int) -> None:
    assert plan(notice(urgent=True), at(hour), 99, RULES) == Planned(at(hour), digest=False)


@pytest.mark.parametrize(
    ("now", "then"),
    [(at(7, 59), at(8)), (at(20), at(8, day=3)), (at(23, 59), at(8, day=3)), (at(0), at(8))],
)
def test_at_night_the_rest_waits_for_the_morning_and_goes_together(now: datetime, then: datetime) -> None:
    assert plan(notice(), now, 0, RULES) == Planned(then, digest=True)


def test_by_day_it_goes_at_once() -> None:
    for now in (at(8), at(19, 59)):
        assert plan(notice(), now, 5, RULES) == Planned(now, digest=False)


@pytest.mark.parametrize(("now", "then"), [(at(9), at(12)), (at(12), at(17, 30)), (at(18), at(12, day=3))])
def test_the_seventh_of_a_day_goes_with_the_rest(now: datetime, then: datetime) -> None:
    assert plan(notice(), now, 6, RULES) == Planned(then, digest=True)


def test_that_a_limit_comes_near_is_no_push_to_the_head() -> None:
    near = Detail(act="remind")
    assert plan(notice(post="unit_head", detail=near), at(9), 0, RULES).digest
    assert not plan(notice(post="owner", detail=near), at(9), 0, RULES).digest
    assert not plan(notice(post="unit_head", detail=Detail(act="overdue")), at(9), 0, RULES).digest


def test_a_day_is_a_day_of_here() -> None:
    assert day_begins(at(0, 30)) == at(0)
    assert at(9) - day_begins(at(9)) == timedelta(hours=9)


def test_hours_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(ValueError, match="GRID_NOTICE_OPENS must be before"):
        NoticeSettings(GRID_NOTICE_OPENS=20, GRID_NOTICE_CLOSES=8)

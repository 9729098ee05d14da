"""Time that nobody knows yet: deadlines beyond the last calendar that rests on a notice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.stories.telling import Tale
from tests.support.stand import CHECKOUT

PROVISIONAL = CHECKOUT / "deploy" / "rulebooks" / "calendars" / "cn-2027.toml"


def notice(folder: Path) -> Path:
    """The year as the notice has it: the provisional one, a longer New Year, and a Saturday that is worked instead."""
    text = PROVISIONAL.read_text()
    first = 'on = 2027-01-01\nkind = "holiday"'
    assert text.count(first) == 1
    text = text.replace(first, 'on = 2027-01-01\nuntil = 2027-01-04\nkind = "holiday"')
    rests_on = 'confirmed = true\nnotice = "放假安排通知"\npublished = 2026-12-31'
    text = text.replace("confirmed = false", rests_on)
    path = folder / "cn-2027.toml"
    path.write_text(text + '\n[[days]]\non = 2027-01-09\nkind = "workday"\nname = "元旦调休"\nenglish = "New Year"\n')
    return path


@pytest.mark.story("F10", "2026-12-30 10:00")
def test_five_working_days_into_a_year_without_a_notice(tale: Tale, tmp_path: Path) -> None:
    """F10: filed on 30 December with five working days: provisional, until the notice is loaded and running deadlines
    are counted anew, with a trace; what is closed stays as it was."""
    worker, unit = tale.who("wangge01"), tale.who("gongfuban")
    done = worker.reports("P0407", "座椅缺一块木板")
    case = worker.reports("P0407", "广场座椅断裂")
    for one in (done, case):
        tale.who("zhibu01").calls_up(one, "no_means")
        tale.who("shequ01").calls_up(one, "no_means", "社区无经费")
        tale.who("shouli").files_and_dispatches(one, "P0407.1", "gongfuban")
        unit.responds(one)
        one.due("handling", "2027-01-07 10:00", provisional=True)
    assert "2027" in case.clock("handling")["sentence"]
    unit.feeds_back(done, "木板已补")
    worker.passes(done)
    done.closed_as("normal")

    tale.clock.moves_to("12-31 09:00")
    tale.town.stand.grid("calendar", "load", str(notice(tmp_path)))
    trace = case.last("due_recomputed")
    assert trace["reason"] == "放假安排已公布"
    case.due("handling", "2027-01-08 10:00", provisional=False)
    assert not case.clock("whole")["provisional"]
    assert done.clock("handling")["due_at"][:10] == "2027-01-07"
    assert "due_recomputed" not in str(done.facts())

    tale.clock.moves_to("2027-01-08 09:30")
    unit.feeds_back(case, "座椅已换")
    worker.passes(case)
    case.closed_as("normal")
    case.reads(
        "上报 · 呼叫社区 · 呼叫街道 · 立案 · 派遣 · 到场响应 · 重新计算时限 · 时限提醒 · 处置反馈 · 核查通过 · 结案",
        "Reported · Community called · Street called · Filed · Dispatched · Responded · Deadline computed anew"
        " · Reminder · Reported handled · Check passed · Closed",
    )

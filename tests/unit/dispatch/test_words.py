"""Words for a person: amounts, moments, the sentence of a deadline, numbers of cases, distances."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from schemas.labels import Labels
from services.chassis.clock import LOCAL
from services.chassis.directory import Directory
from services.chassis.directory.model import Account, Street, Unit
from services.dispatch.live import Cursor, Reset
from services.dispatch.store.feed import Seen
from services.dispatch.store.near import Point, metres
from services.dispatch.usecases.opening import case_number
from services.dispatch.usecases.words import Words
from services.governance.acts import ClockState
from services.governance.cycle import ClosedKind, Role, State
from tests.unit.dispatch.conftest import opened, rulebook

DIRECTORY = Directory(
    rev=1,
    streets={"441802001": Street("441802001", "凤城街道", True)},
    units={"u": Unit("u", "综合行政执法队", "station", "")},
    accounts={"a": Account("a", "a", "张三", "zh-CN", True)},
)


def words(lang: str = "zh-CN") -> Words:
    return Words(Labels(lang), DIRECTORY)


@pytest.mark.parametrize(
    ("seconds", "basis", "said"),
    [
        (0, "wall", "不足1分钟"),
        (2100, "wall", "35分钟"),
        (7200, "wall", "2小时"),
        (7800, "work", "2小时10分"),
        (86_400, "wall", "1天"),
        (86_400 + 3600, "wall", "1天1小时"),
        (86_400 + 3600, "work", "25小时"),  # a working day has no fixed length
    ],
)
def test_amounts(seconds: int, basis: str, said: str) -> None:
    assert words().amount(seconds, basis) == said


def test_moments_are_local() -> None:
    assert words().moment(datetime(2026, 3, 4, 17, 30, tzinfo=UTC)) == "2026-03-05 01:30"


@pytest.mark.parametrize("lang", ["zh-CN", "en-US"])
def test_every_clock_of_a_case_explains_itself(lang: str) -> None:
    case = opened()
    for clock in case.clocks:
        sentence = words(lang).why_due(case, clock, (), rulebook())[0]
        local = clock.due_at.astimezone(LOCAL)
        assert f"{local.hour}:{local.minute:02}" in sentence
        paused = replace(clock, state=ClockState.PAUSED, running_since=None, consumed_s=60)
        assert words(lang).why_due(case, paused, (), rulebook())[0] != sentence


def test_the_parts_of_an_explanation_are_the_sentence_taken_apart() -> None:
    case = opened()
    for clock in case.clocks:
        sentence, steps = words().why_due(case, clock, (), rulebook())
        assert len(steps) > 1
        assert all(step in sentence for step in steps)


def test_names() -> None:
    said = words()
    assert said.person("a") == "张三"
    assert said.person(None) is said.person("gone") is None
    assert said.post(Role.DISPATCHER, None) == "派遣员"
    assert said.post(Role.HANDLING_UNIT, "u") == "综合行政执法队"
    assert said.post(Role.REPORTER, "a0d8d9a1-4b79-40cd-8c7c-a81f12f004a9") == "上报人"
    assert said.state(State.CLOSED, ClosedKind.SELF) == "网格内办结"
    assert said.state(State.FILED, None) == "已立案待派遣"
    assert said.word("nothing", "such") == "such"


def test_case_numbers_carry_street_local_day_and_serial() -> None:
    late = datetime(2026, 3, 4, 17, 30, tzinfo=UTC)
    assert case_number(DIRECTORY, "441802001", late, 17) == "FC-20260305-00017"
    assert case_number(DIRECTORY, "999999999", late, 100_000) == "999999999-20260305-100000"


def test_distances() -> None:
    here = Point("c", 113.06, 23.69)
    assert metres(here, 113.06, 23.69) == 0
    assert 49 < metres(here, 113.06, 23.69 + 50 / 111_320) < 51
    assert 90 < metres(here, 113.061, 23.69) < 110


def test_cursors_survive_the_journey_and_nothing_else_does() -> None:
    for seen in (Seen(7), Seen(900, (7, 896, 899))):
        cursor = Cursor(seen, datetime(2026, 3, 4, tzinfo=UTC))
        assert Cursor.decode(cursor.encode()) == cursor
    for broken in ("", "x", "MS4xLjI", cursor.encode() + "A", "ÄÖ"):
        with pytest.raises(Reset):
            Cursor.decode(broken)

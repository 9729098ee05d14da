"""What is read off a case for its row."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from services.dispatch.store.bulk import as_json
from services.dispatch.store.columns import case_row, fact_row, is_live, stage_clock, task_row
from services.dispatch.tables import cases
from services.governance.acts import SYSTEM, ClockState, Fact, Task, TaskState
from services.governance.cycle import ClockKind, State
from tests.unit.dispatch.conftest import NOW, SPOT, opened, rulebook

CALENDAR = rulebook().calendar


def test_the_row_has_every_column_but_the_words() -> None:
    assert set(case_row(opened(), CALENDAR)) == {column.name for column in cases.columns} - {"summary", "address"}


def test_the_stage_clock_is_the_first_to_end_and_never_the_whole_case() -> None:
    case = opened()
    clock = stage_clock(case)
    assert clock is not None
    assert clock.kind is ClockKind.GRID_RESPONSE
    stopped = tuple(replace(c, state=ClockState.STOPPED) for c in case.clocks)
    assert stage_clock(replace(case, clocks=stopped)) is None
    assert case_row(replace(case, clocks=stopped), CALENDAR)["stage_due_at"] is None


def test_the_warning_comes_before_the_limit() -> None:
    row = case_row(opened(), CALENDAR)
    assert NOW < row["due_soon_at"] < row["stage_due_at"]


def test_history_and_ended_cases_are_not_live() -> None:
    assert is_live(opened())
    assert not is_live(opened(history=True))
    assert not is_live(opened(state=State.CLOSED))


def test_a_fact_tells_who_lost_sight_of_the_case() -> None:
    before = opened()
    after = replace(before, spot=replace(SPOT, grid="44180200100102"), sequence=before.sequence + 1)
    row = fact_row("f", Fact("case.noted", NOW, SYSTEM, None, ()), before, after)
    assert row["left_audience"] == ["g:44180200100101"]
    assert row["from_state"] is row["to_state"] is None
    assert fact_row("f", Fact("case.reported", NOW, SYSTEM, None, ()), None, after)["to_state"] == after.state


def test_tasks_of_a_case_that_has_ended_are_not_open() -> None:
    task = Task("t", "co", "u", None, TaskState.DOING, NOW + timedelta(hours=1))
    assert task_row(opened(), task)["open"] is True
    assert task_row(opened(state=State.VOID), task)["open"] is False


def test_rows_travel_as_json() -> None:
    assert '"body":{"case_id":"01a' in as_json([case_row(opened(), CALENDAR)])

"""Where a case stands, and when it moves without anybody."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from services.dispatch.orders import OF_FEW, ORDERS, PERSONAL
from services.dispatch.store.columns import case_row, standing_row
from services.dispatch.store.queues import QUEUES
from services.governance.acts import Task, TaskState
from services.governance.case import Case
from services.governance.cycle import Flag, State, Urgency
from services.governance.worktime import shift
from tests.unit.dispatch.conftest import NOW, opened, rulebook

CALENDAR = rulebook().calendar


def standing(case: Case, at: datetime) -> set[str]:
    return set(standing_row(case, CALENDAR, at)["queues"])


def test_every_list_has_an_order_and_an_index_or_few_cases() -> None:
    assert set(ORDERS) == {queue.id for queue in QUEUES}
    assert set(ORDERS) > OF_FEW > PERSONAL
    assert {queue.id for queue in QUEUES if not queue.stored} == PERSONAL


def test_a_fresh_case_waits_for_its_branch() -> None:
    row = case_row(opened(), CALENDAR)
    assert set(row["queues"]) == {"branch_triage", "grid_open", "no_rule"}, "nobody has said what it is"
    assert not row["late"]
    assert row["standing"] == row["sequence"]
    assert row["turns_at"] == row["due_soon_at"]


def test_time_alone_takes_it_through_the_lists() -> None:
    case = opened()
    row = case_row(case, CALENDAR)
    soon, due = row["due_soon_at"], row["stage_due_at"]
    just = timedelta(microseconds=1)
    assert "due_soon" not in standing(case, soon - just)
    assert "due_soon" in standing(case, soon)
    assert standing_row(case, CALENDAR, soon)["turns_at"] == due
    assert {"due_soon"} == standing(case, due - just) & {"due_soon", "overdue", "red"}
    assert {"overdue", "red"} == standing(case, due) & {"due_soon", "overdue", "red"}
    after = standing_row(case, CALENDAR, due)
    assert after["late"]
    assert after["turns_at"] is None


def test_twice_the_limit_is_counted_on_the_clocks_own_basis() -> None:
    case = opened()
    row = case_row(case, CALENDAR)
    (clock,) = (c for c in case.clocks if c.clock_id == row["due"]["clock_id"])
    assert row["twice_at"] == shift(clock.started_at, 2 * clock.budget_s, clock.basis, CALENDAR)
    assert row["twice_at"] > row["stage_due_at"]


def test_danger_is_red_until_somebody_is_there() -> None:
    for state, red in ((State.AT_STREET, True), (State.DISPATCHED, True), (State.HANDLING, False)):
        case = opened(state=state, urgency=Urgency.URGENT, clocks=())
        assert ("red" in standing(case, NOW)) is red, state


def test_long_suspended_is_hard() -> None:
    case = opened(state=State.SUSPENDED, clocks=())
    row = standing_row(case, CALENDAR, NOW)
    assert "hard" not in row["queues"]
    assert row["turns_at"] == case.last_at + timedelta(days=60)
    assert "hard" in standing(case, case.last_at + timedelta(days=60))


def test_shares_count_as_long_as_they_are_open() -> None:
    offered = Task("t", "co", "huanwei", None, TaskState.OFFERED, NOW)
    case = opened(tasks=(offered,))
    assert {"co_tasks", "to_claim"} <= standing(case, NOW)
    doing = opened(tasks=(replace(offered, state=TaskState.DOING),))
    assert {"co_tasks", "pledged"} <= standing(doing, NOW)
    assert not standing(opened(tasks=(replace(offered, state=TaskState.DONE),)), NOW) & {"co_tasks", "pledged"}


def test_flags_have_their_lists() -> None:
    flags = {
        Flag.SUPERVISED: {"supervise_open", "supervised"},
        Flag.NO_RULE: {"no_rule"},
        Flag.CROSS_BORDER: {"cross_border"},
        Flag.HARD: {"hard"},
    }
    for flag, lists in flags.items():
        assert lists <= standing(opened(flags=frozenset({flag})), NOW), flag


def test_what_has_ended_or_was_imported_stands_nowhere() -> None:
    for case in (opened(history=True), opened(state=State.CLOSED)):
        row = standing_row(case, CALENDAR, NOW + timedelta(days=90))
        assert (row["queues"], row["late"], row["turns_at"]) == ((), False, None)


def test_who_was_not_satisfied_is_answered_before_the_case_is_forgotten() -> None:
    for state, stands in (
        (State.VERIFIED, True),
        (State.CLOSED, True),
        (State.HANDLING, False),
        (State.ARCHIVED, False),
    ):
        case = opened(state=state, grade="dissatisfied", clocks=())
        assert ("visits" in standing(case, NOW)) is stands, state
    closed = case_row(opened(state=State.CLOSED, grade="dissatisfied", clocks=()), CALENDAR)
    assert (closed["live"], closed["queues"], closed["grade"]) == (True, ("visits",), "dissatisfied")
    assert "visits" not in standing(opened(state=State.CLOSED, grade="fair", clocks=()), NOW)


def test_the_urgent_come_first_then_who_came_first() -> None:
    urgent = opened(urgency=Urgency.URGENT, opened_at=NOW + timedelta(hours=1))
    earlier, later = opened(), opened(opened_at=NOW + timedelta(microseconds=1))
    keys = [standing_row(case, CALENDAR, NOW)["arrival"] for case in (urgent, earlier, later)]
    assert keys == sorted(keys)

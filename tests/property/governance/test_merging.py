"""As if the merge had not been: a case that was part of another for a while, beside its twin that never was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.governance.acts import Archive, Clock, ClockState
from services.governance.case import Case
from services.governance.cycle import State
from tests.support.governance import (
    CHIEF,
    HEAP,
    LITTER,
    QUARREL,
    STALL,
    Walk,
    at,
    report,
    to_community,
    to_dispatched,
    to_filed,
    to_handling,
)
from tests.support.merging import Cases

NINE = at("2026-03-06 09:00")


CONDITIONS = {LITTER: "litter", HEAP: "litter.heap", STALL: "stall", QUARREL: "quarrel"}
CLASSES = tuple(CONDITIONS)
STRETCHES: tuple[Callable[[Walk, str], Walk], ...] = (
    lambda walk, _: walk,
    lambda walk, _: to_community(walk),
    to_filed,
    lambda walk, condition: to_dispatched(walk, condition=condition),
    lambda walk, condition: to_handling(walk, condition=condition),
    lambda walk, condition: to_handling(walk, co_units=("chengguan",), condition=condition),
)
minutes = st.integers(0, 3) | st.integers(0, 60 * 24 * 9)


def clocks_of(case: Case) -> dict[str, Clock]:
    """What a clock promises; its revision only says that timers were armed anew."""
    blank: dict[str, Any] = {"rev": 0, "rungs": (), "fired": (), "stopped_at": None}
    return {c.clock_id: replace(c, **blank) for c in case.clocks if c.state is not ClockState.STOPPED}


def standing(case: Case) -> tuple[object, ...]:
    """How the case stands for whoever works on it."""
    tasks = sorted((t.task_id, t.state) for t in case.tasks)
    requests = sorted((r.request_id, r.status) for r in case.requests)
    parts = (case.state, case.state_before, case.owner, case.tier, case.lead, case.urgency, case.condition)
    return (*parts, case.restricted, case.flags, case.counters, case.skipped, case.reports, tasks, requests)


def walked(key: str, stretch: Callable[[Walk, str], Walk], category: str, when: datetime) -> Walk:
    command = report(category, when, case_id=key, case_no=key.upper(), report_id=f"r.{key}")
    return stretch(Walk(command), CONDITIONS[category])


@settings(max_examples=150, deadline=None)
@given(
    ways=st.tuples(st.sampled_from(STRETCHES), st.sampled_from(STRETCHES)),
    classes=st.tuples(st.sampled_from(CLASSES), st.sampled_from(CLASSES)),
    older=minutes,
    before=minutes,
    during=minutes,
)
def test_the_duplicate_stands_as_its_twin_that_was_never_merged(
    ways: Any, classes: Any, older: int, before: int, during: int
) -> None:
    merged, twin = Cases(), Cases()
    walks = [walked(key, way, c, NINE) for key, way, c in zip("ab", ways, classes, strict=True)]
    walks[1] = walked("b", ways[1], classes[1], NINE - timedelta(minutes=older))
    at_merge = max(walk.now for walk in walks) + timedelta(minutes=before)
    at_end = at_merge + timedelta(minutes=during)
    for cases in (merged, twin):
        for walk in walks:
            cases.add(walk.case, walk.facts)
            cases.do(walk.case.case_id, Archive(), at_merge)  # settles what has been due by then
    if twin["b"].state is State.CLOSED:
        return
    merged.merge("b", "a", at_merge, CHIEF)
    merged.check()
    merged.unmerge("b", at_end, CHIEF)
    merged.check()
    twin.do("b", Archive(), at_end)
    assert standing(merged["b"]) == standing(twin["b"])
    if not during:  # what is late is done at the time of undoing, not at its own
        assert clocks_of(merged["b"]) == clocks_of(twin["b"])


@settings(max_examples=150, deadline=None)
@given(
    ways=st.tuples(st.sampled_from(STRETCHES), st.sampled_from(STRETCHES)),
    classes=st.tuples(st.sampled_from(CLASSES), st.sampled_from(CLASSES)),
    older=minutes,
    before=minutes,
)
def test_the_master_has_its_own_terms_again(ways: Any, classes: Any, older: int, before: int) -> None:
    """Age, limits, budgets and due times; while they are stricter, nothing is due later than before."""
    cases = Cases()
    walks = [
        walked("a", ways[0], classes[0], NINE),
        walked("b", ways[1], classes[1], NINE - timedelta(minutes=older)),
    ]
    now = max(walk.now for walk in walks) + timedelta(minutes=before)
    for walk in walks:
        cases.add(walk.case, walk.facts)
        cases.do(walk.case.case_id, Archive(), now)
    alone = clocks_of(cases["a"])
    cases.merge("b", "a", now, CHIEF)
    for key, clock in clocks_of(cases["a"]).items():
        assert clock.due_at <= alone[key].due_at
        assert clock.started_at <= alone[key].started_at
    cases.unmerge("b", now, CHIEF)
    own = clocks_of(cases["a"])
    kept = {key: replace(clock, original_due=own[key].original_due) for key, clock in alone.items()}
    assert own == kept
    cases.check()


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.booleans()), max_size=25))
def test_any_order_of_merges_and_undoings_ends_with_everybody_on_his_own(steps: list[tuple[int, int, bool]]) -> None:
    cases = Cases()
    for n in range(5):
        cases.open(report(LITTER, NINE, case_id=f"c{n}", case_no=f"C{n}", report_id=f"r{n}"))
    first = {key: case.reports for key, case in cases.cases.items()}
    for one, other, undo in steps:
        case = cases[f"c{one}"]
        if undo and case.master is not None:
            cases.unmerge(case.case_id, NINE)
        elif not undo and case.master is None and cases.followed(f"C{other}") != case.case_id:
            cases.merge(case.case_id, f"c{other}", NINE)
        cases.check()
    while merged := next((c for c in cases.cases.values() if c.master is not None), None):
        cases.unmerge(merged.case_id, NINE)
        cases.check()
    assert {key: case.reports for key, case in cases.cases.items()} == first
    assert all(not case.absorbed for case in cases.cases.values())

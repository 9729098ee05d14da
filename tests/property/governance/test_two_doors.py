"""Either door first, on any walk, at any time: the same due times, no invariant broken, and never a later clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.governance.acts import OpenCase
from services.governance.case import Case, advance, clock_of
from services.governance.case.terms import RESULT_KINDS
from services.governance.cycle import LIVE, ClockKind
from tests.property.governance.history import History
from tests.property.governance.invariants import INVARIANTS
from tests.support.governance import (
    BOOK,
    EVERYBODY,
    HEAP,
    LITTER,
    PLAIN,
    STALL,
    Walk,
    at,
    report,
    to_community,
    to_dispatched,
    to_fed_back,
    to_filed,
    to_handling,
)

NINE = at("2026-03-06 09:00")
STRETCHES: tuple[Callable[[Walk], Walk], ...] = (
    lambda walk: walk,
    to_community,
    to_filed,
    to_dispatched,
    to_handling,
    to_fed_back,
)
minutes = st.integers(0, 3) | st.integers(0, 60 * 24 * 9)
dues = st.none() | st.integers(-60 * 24, 60 * 24 * 20).map(lambda n: NINE + timedelta(minutes=n))
known = st.sampled_from((LITTER, HEAP, STALL, PLAIN))
classes = known | st.none()


def door(name: str, category: str | None, when: datetime, due: datetime | None) -> OpenCase:
    source = "hotline_12345" if name == "h" else "media"
    return report(category, when, report_id=name, source=source, partner=True, due=due, staff=False)


def whole(case: Case) -> datetime:
    clock = clock_of(case, ClockKind.WHOLE)
    assert clock is not None
    return clock.due_at


@settings(max_examples=150, deadline=None)
@given(kinds=st.tuples(known, known), asked=st.tuples(dues, dues), later=st.tuples(minutes, minutes))
def test_either_order_gives_the_same_due_time(
    kinds: tuple[str, str], asked: tuple[datetime | None, datetime | None], later: tuple[int, int]
) -> None:
    one, other = (
        door(name, kind, NINE + timedelta(minutes=after), due)
        for name, kind, due, after in zip("hp", kinds, asked, later, strict=True)
    )
    now = max(one.reported_at, other.reported_at)
    found = []
    for first, second in ((one, other), (other, one)):
        _, case = advance(None, first, BOOK, first.reported_at)
        _, case = advance(case, second, BOOK, now)
        assert case is not None
        found.append((whole(case), set(case.reports), case.restricted))
    assert found[0] == found[1]
    for due in asked:
        if due is not None and due > now:
            assert found[0][0] <= due


@settings(max_examples=150, deadline=None)
@given(kind=classes, asked=dues, way=st.sampled_from(STRETCHES), after=minutes)
def test_a_second_door_breaks_nothing(
    kind: str | None, asked: datetime | None, way: Callable[[Walk], Walk], after: int
) -> None:
    walk = Walk(report(LITTER, NINE))
    way(walk)
    past = History(BOOK, EVERYBODY, checks=INVARIANTS)
    past.takes(walk.facts)
    command = door("h", kind, NINE + timedelta(minutes=after), asked)
    walk.now = max(walk.now, command.reported_at)
    settled = {c.clock_id: c.due_at for c in walk.case.clocks if c.kind in RESULT_KINDS}
    before = walk.case
    facts = walk.do(command)
    past.takes(facts)
    assert past.case == walk.case
    assert "h" in walk.case.reports
    if before.state in LIVE:
        moved = {c.clock_id: c.due_at for c in walk.case.clocks if c.clock_id in settled}
        assert all(moved[key] <= due for key, due in settled.items()), "stricter, never milder"

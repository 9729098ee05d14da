"""The same matter at the same spot again: counted, and from the rulebook's number on a hard one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.governance.acts import Around
from services.governance.case import count_of, offers
from services.governance.cycle import Action, Flag, State
from services.governance.errors import LimitReached
from tests.support.governance import BOOK, SECRETARY, WORKER, Walk


def opened(before: int, hard: int = 3) -> Walk:
    book = replace(BOOK, settings=replace(BOOK.settings, recur_hard=hard))
    return Walk(book=book, around=Around(before=before))


@pytest.mark.parametrize(("before", "hard"), [(0, False), (1, False), (2, True), (5, True)])
def test_the_third_time_in_its_days_makes_it_a_hard_one(before: int, hard: bool) -> None:
    case = opened(before).case
    assert count_of(case, "recurrence") == before
    assert (Flag.HARD in case.flags) is hard


def test_how_often_is_enough_is_the_streets_to_say() -> None:
    assert Flag.HARD in opened(1, hard=2).case.flags
    assert Flag.HARD not in opened(3, hard=5).case.flags


def test_a_hard_one_is_called_up_and_not_swept_away_once_more() -> None:
    walk = opened(2)
    with pytest.raises(LimitReached) as refused:
        walk.act(WORKER, Action.SELF_RESOLVE_START)
    assert refused.value.what == "recurrence"
    assert Action.SELF_RESOLVE_START not in {o.action for o in offers(walk.case, WORKER, walk.book, walk.now)}
    walk.act(SECRETARY, Action.CALL_UP, reason="recurring")
    assert walk.case.state is State.AT_COMMUNITY
    assert Flag.HARD in walk.case.flags
    second = opened(1)
    second.act(WORKER, Action.SELF_RESOLVE_START)
    assert second.case.state is State.GRID_HANDLING

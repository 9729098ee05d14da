"""A partition that stands still is noticed beside others that move; waiting with good reason is forgiven."""

from __future__ import annotations

import pytest

from services.chassis.streams.lags import Place
from services.chassis.streams.standstill import Standstill, StoodStill

ONE, TWO = Place("t", 1), Place("t", 2)


def test_a_partition_that_stands_still_beside_one_that_moves_is_noticed() -> None:
    standstill = Standstill(looks=2)
    standstill.look({ONE: (5, 9), TWO: (1, 9)})
    standstill.look({ONE: (5, 12), TWO: (2, 9)})
    with pytest.raises(StoodStill, match=r"t/1$"):
        standstill.look({ONE: (5, 30), TWO: (3, 9)})


def test_a_partition_in_which_nothing_waits_may_stand_for_ever() -> None:
    standstill = Standstill(looks=2)
    for _ in range(9):
        standstill.look({ONE: (5, 5)})


def test_each_commit_is_a_new_beginning() -> None:
    standstill = Standstill(looks=2)
    for committed in (5, 5, 6, 6, 7, 7):
        standstill.look({ONE: (committed, 9)})


def test_what_was_caught_up_with_starts_anew() -> None:
    standstill = Standstill(looks=2)
    for end in (9, 9, 5, 9, 9):
        standstill.look({ONE: (5, end)})


def test_a_reason_to_wait_is_forgiven() -> None:
    standstill = Standstill(looks=2)
    for _ in range(4):
        standstill.look({ONE: (5, 9)})
        standstill.look({ONE: (5, 9)})
        standstill.forgive()


def test_a_partition_that_went_away_and_came_back_is_not_blamed() -> None:
    standstill = Standstill(looks=2)
    standstill.look({ONE: (5, 9)})
    standstill.look({ONE: (5, 9)})
    standstill.look({TWO: (5, 5)})
    standstill.look({ONE: (5, 9)})

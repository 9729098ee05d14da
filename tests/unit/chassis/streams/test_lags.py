"""A partition that stands still is seen, one with nothing to do is not."""

from __future__ import annotations

from services.chassis.streams.lags import Lag, Lags, Place

ONE, TWO = Place("t", 1), Place("t", 2)


def test_time_without_a_commit_counts_only_while_something_waits() -> None:
    now = [100.0]
    lags = Lags(lambda: now[0])
    assert lags.look({ONE: (5, 5), TWO: (5, 9)}) == {ONE: Lag(0, 0.0), TWO: Lag(4, 0.0)}
    now[0] = 160.0
    assert lags.look({ONE: (5, 5), TWO: (5, 12)}) == {ONE: Lag(0, 0.0), TWO: Lag(7, 60.0)}
    now[0] = 161.0
    assert lags.look({ONE: (5, 6), TWO: (6, 12)}) == {ONE: Lag(1, 1.0), TWO: Lag(6, 0.0)}


def test_a_partition_that_comes_back_starts_anew() -> None:
    now = [0.0]
    lags = Lags(lambda: now[0])
    lags.look({ONE: (1, 9)})
    now[0] = 50.0
    assert lags.look({}) == {}
    now[0] = 90.0
    assert lags.look({ONE: (1, 9)}) == {ONE: Lag(8, 0.0)}


def test_an_end_the_client_has_not_heard_of_yet_is_no_negative_lag() -> None:
    assert Lags(lambda: 0.0).look({ONE: (7, 5)}) == {ONE: Lag(0, 0.0)}

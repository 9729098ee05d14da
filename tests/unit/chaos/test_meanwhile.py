"""Timers that waited for the broker are found; a few that came due at a bad moment prove nothing."""

from __future__ import annotations

import pytest

from tests.chaos.meanwhile import ENOUGH, Meanwhile


@pytest.mark.parametrize(("due", "fired", "broken"), [(ENOUGH, 0, True), (ENOUGH, 1, False), (ENOUGH - 1, 0, False)])
def test_timers_do_not_wait_for_the_broker(due: int, fired: int, broken: bool) -> None:
    assert bool(Meanwhile(30.0, due, fired, 0).violations()) is broken

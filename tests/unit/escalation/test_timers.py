"""The guard against a step of the database's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.escalation.settings import TimerSettings
from services.escalation.timers import JumpGuard

START = datetime(2026, 9, 30, 9, 0, tzinfo=UTC)


class Steady:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def _guard() -> tuple[JumpGuard, Steady]:
    steady = Steady()
    return JumpGuard(TimerSettings(jump_s=5, jump_pause_s=30), steady), steady


def test_ordinary_time_never_pauses() -> None:
    guard, steady = _guard()
    for second in range(100):
        steady.seconds = float(second)
        assert guard.clear(START + timedelta(seconds=second))


def test_a_step_ahead_pauses_firing_for_the_set_time() -> None:
    guard, steady = _guard()
    assert guard.clear(START)
    steady.seconds = 1
    assert not guard.clear(START + timedelta(seconds=61))
    steady.seconds = 30
    assert not guard.clear(START + timedelta(seconds=90))
    steady.seconds = 31
    assert guard.clear(START + timedelta(seconds=91))


def test_a_step_back_is_harmless() -> None:
    guard, steady = _guard()
    assert guard.clear(START)
    steady.seconds = 1
    assert guard.clear(START - timedelta(hours=1))

"""The plan of a fault run: replayable, complete, and as long as it was asked for."""

from __future__ import annotations

import pytest

from tests.chaos.plan import ALONE, LONG_MIN, Fault, draw
from tests.chaos.pulse import judge

VICTIMS = ("postgres", "kafka", "intake", "dispatch", "dispatch-worker-1", "dispatch-worker-2", "guest-timers")


def test_the_same_seed_gives_the_same_plan() -> None:
    assert draw(7, 2, VICTIMS) == draw(7, 2, VICTIMS)
    assert draw(7, 2, VICTIMS) != draw(8, 2, VICTIMS)


@pytest.mark.parametrize("minutes", [1.5, 10, 30])
def test_every_harm_is_done_and_everybody_killed(minutes: float) -> None:
    plan = draw(3, minutes, VICTIMS)
    assert {strike.target for strike in plan if strike.fault is Fault.KILL} == set(VICTIMS)
    wanted = set(Fault) if minutes >= LONG_MIN else set(Fault) - ALONE
    assert {strike.fault for strike in plan} == wanted


@pytest.mark.parametrize("minutes", [1.5, 10, 30])
def test_it_is_about_as_long_as_asked_for_and_in_order(minutes: float) -> None:
    times = [strike.at_s for strike in draw(3, minutes, VICTIMS)]
    assert times == sorted(times)
    assert 0.6 * minutes * 60 < times[-1] < 1.5 * minutes * 60


def test_whoever_comes_back_as_a_zombie_has_been_away_for_longer_than_anybody_waits() -> None:
    plan = draw(3, 10, VICTIMS)
    assert {s.target: s.lasts_s for s in plan if s.fault is Fault.FREEZE}["guest-timers"] == 40


def test_nobody_is_down_when_an_outage_begins_that_lasts() -> None:
    plan = draw(3, 30, VICTIMS)
    far = [strike for strike in plan if strike.lasts_s > 100]
    assert far
    assert all(strike.waits for strike in far)
    assert not any(strike.waits for strike in plan if strike.fault is Fault.KILL)


def test_only_a_long_run_has_the_long_outages() -> None:
    def outages(minutes: float) -> set[float]:
        return {s.lasts_s for s in draw(3, minutes, VICTIMS) if s.fault in (Fault.BROKER_OUTAGE, Fault.DATABASE_OUTAGE)}

    assert {300.0, 600.0} <= outages(30)
    assert max(outages(10)) < 60


def test_what_cannot_be_done_here_is_left_out() -> None:
    assert Fault.DISK_FULL not in {strike.fault for strike in draw(3, 10, VICTIMS, frozenset({Fault.DISK_FULL}))}


def test_silence_tells_the_victims_partitions_from_the_others() -> None:
    beat = [at / 2 for at in range(-8, 60)]
    silent = [at for at in beat if not 0.5 < at < 9]
    found = judge({0: silent, 1: beat, 2: [at for at in beat if not 4 < at < 6]}, killed_at=0.0)
    assert found is not None
    assert (found.victims, found.others) == (1, 2)
    assert (found.recovered_s, found.others_s) == (9.0, 2.0)
    assert judge({1: beat}, killed_at=0.0) is None

"""Clocks: pauses, extensions, ladders in absolute time, and why a clock is due when it is."""

from __future__ import annotations

from datetime import timedelta

from services.governance import sla
from services.governance.acts import ClockState
from services.governance.cycle import ClockKind, Urgency
from services.governance.tiers import RungAct
from services.governance.worktime import Basis
from tests.support.governance import BOOK, at

U1, U2 = Urgency.URGENT, Urgency.ORDINARY
START = at("2026-03-06 09:00")  # a Friday
HANDLING = ClockKind.HANDLING


def clock(seconds: int = 4 * 3600, basis: Basis = Basis.WORK, urgency: Urgency = U2) -> sla.Clock:
    return sla.start(BOOK, "k", HANDLING, sla.Allowance(seconds, basis), START, urgency)


def test_the_ladder_in_absolute_time() -> None:
    points = {r.act: r.at for r in clock().rungs}
    assert points[RungAct.REMIND] == at("2026-03-06 12:00")
    assert points[RungAct.OVERDUE] == at("2026-03-06 15:00")
    assert points[RungAct.FORCE_CHOICE] == at("2026-03-09 15:00")  # a working day later: later than 150 %
    assert points[RungAct.ESCALATE] == at("2026-03-11 15:00")
    assert RungAct.MARK not in points


def test_urgent_cases_do_not_wait_a_working_day_for_the_next_rung() -> None:
    points = {r.act: r.at for r in clock(7200, Basis.WALL, U1).rungs}
    assert points[RungAct.FORCE_CHOICE] == START + timedelta(hours=3)
    assert points[RungAct.ESCALATE] == START + timedelta(hours=4)


def test_an_alert_after_a_fixed_time_is_for_danger_only() -> None:
    allowance = sla.Allowance(1800, Basis.WALL)
    urgent = sla.start(BOOK, "k", ClockKind.RESPONSE, allowance, START, U1)
    ordinary = sla.start(BOOK, "k", ClockKind.RESPONSE, allowance, START, U2)
    assert {r.act: r.at for r in urgent.rungs}[RungAct.ALERT_NEXT] == START + timedelta(minutes=10)
    assert RungAct.ALERT_NEXT not in {r.act for r in ordinary.rungs}


def test_urgency_moves_no_due_time() -> None:
    assert clock(urgency=U1).due_at == clock(urgency=U2).due_at


def test_a_pause_gives_back_exactly_what_remained() -> None:
    paused = sla.pause(clock(), at("2026-03-06 10:30"), BOOK.calendar)
    assert (paused.state, paused.consumed_s) == (ClockState.PAUSED, 5400)
    resumed = sla.resume(paused, at("2026-04-07 15:00"), BOOK, U2)
    assert resumed.due_at == at("2026-04-07 17:30")
    assert resumed.rev == paused.rev + 1
    assert resumed.original_due == at("2026-03-06 15:00")
    assert {r.act: r.at for r in resumed.rungs}[RungAct.REMIND] == at("2026-04-07 16:30")


def test_an_extension_before_a_pause_is_kept_after_it() -> None:
    longer = sla.extend(clock(), 4 * 3600, BOOK, U2)
    assert (longer.due_at, longer.original_due) == (at("2026-03-09 09:00"), at("2026-03-06 15:00"))
    paused = sla.pause(longer, at("2026-03-06 10:00"), BOOK.calendar)
    resumed = sla.resume(paused, at("2026-04-07 08:00"), BOOK, U2)
    assert resumed.due_at == BOOK.calendar.add(at("2026-04-07 08:00"), 7 * 3600)


def test_a_paused_clock_can_be_extended() -> None:
    paused = sla.pause(clock(), at("2026-03-06 10:00"), BOOK.calendar)
    resumed = sla.resume(sla.extend(paused, 3600, BOOK, U2), at("2026-03-09 08:00"), BOOK, U2)
    assert resumed.due_at == BOOK.calendar.add(at("2026-03-09 08:00"), 4 * 3600)


def test_rework_starts_no_earlier_than_its_floor() -> None:
    stopped = sla.stop(clock(), at("2026-03-06 14:45"), BOOK.calendar)
    again = sla.rework(stopped, at("2026-03-09 09:00"), BOOK, U2)
    assert again.due_at == at("2026-03-09 11:00")
    assert again.state is ClockState.RUNNING


def test_reviving_counts_the_time_between() -> None:
    stopped = sla.stop(clock(), at("2026-03-06 10:00"), BOOK.calendar)
    alive = sla.revive(stopped)
    assert alive.due_at == clock().due_at
    assert sla.used(alive, at("2026-03-06 12:00"), BOOK.calendar) == 3 * 3600


def test_recomputing_goes_back_to_the_start() -> None:
    moved = sla.recompute(clock(), sla.Allowance(2 * 3600, Basis.WALL), BOOK, U2)
    assert moved.due_at == START + timedelta(hours=2)
    assert moved.original_due == moved.due_at
    assert moved.basis == "wall"


def test_done_exactly_at_the_due_time_is_in_time() -> None:
    due = clock().due_at
    assert not sla.is_late(sla.stop(clock(), due, BOOK.calendar), due)
    assert sla.is_late(sla.stop(clock(), due + timedelta(microseconds=1), BOOK.calendar), due)


def test_over_ratio_says_more_than_a_flag() -> None:
    assert sla.over_ratio(clock(), at("2026-03-06 17:00"), BOOK.calendar) == 0.5
    assert sla.over_ratio(clock(), at("2026-03-06 10:00"), BOOK.calendar) == -0.75


def test_the_return_window_is_a_share_between_floor_and_ceiling() -> None:
    day = 8 * 3600
    assert sla.return_window(sla.Allowance(4 * 3600, Basis.WORK), START, BOOK).seconds == 3600
    assert sla.return_window(sla.Allowance(5 * day, Basis.WORK), START, BOOK).seconds == 4 * 3600
    assert sla.return_window(sla.Allowance(1800, Basis.WALL), START, BOOK).seconds == 900


def test_time_in_grid_and_community_is_outside_the_whole_case_limit_but_capped() -> None:
    stall = BOOK.conditions["stall"]
    litter = BOOK.conditions["litter"]
    assert sla.whole_case(stall, U1, START, BOOK).seconds == 2 * 3600
    assert sla.whole_case(stall, U2, START, BOOK).seconds == (2 + 4 + 24) * 3600
    assert sla.whole_case(litter, U2, START, BOOK).seconds == (4 + 4 + 8) * 3600

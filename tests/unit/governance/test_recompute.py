"""A calendar that changes: which clocks it moves, which it leaves alone, and what is told of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from services.governance import sla
from services.governance.acts import Act, ClockChanged, ClockState, Fact, FactKind, Inputs, Recompute
from services.governance.case import Case, decide, evolve
from services.governance.case.recompute import CHANGED, CONFIRMED
from services.governance.cycle import Action, ClockKind, Urgency
from services.governance.rulebook import Rulebook
from services.governance.worktime import (
    Basis,
    Calendar,
    CalendarChange,
    CalendarDay,
    CalendarYear,
    DayConvention,
    DayKind,
    Schedule,
    Window,
)
from tests.support.governance import BOOK, CHIEF, HEAP, SECRETARY, YEARS, Walk, at, calendar, report, to_dispatched

U2 = Urgency.ORDINARY


def revised(year: CalendarYear, revision: str = "r2") -> Calendar:
    """The calendar with one year told anew."""
    years = tuple(year if known.year == year.year else known for known in YEARS)
    return replace(calendar(years), revision=revision)


def free(*days: date) -> tuple[CalendarDay, ...]:
    return tuple(CalendarDay(day, DayKind.HOLIDAY, "假日") for day in days)


NOTICE = CalendarYear(2027, True, "notice 2027", (*YEARS[2].days, *free(date(2027, 1, 4))))
SAME_DAYS = replace(YEARS[2], confirmed=True, source="notice 2027")


def book_with(changed: Calendar, book: Rulebook = BOOK) -> Rulebook:
    return replace(book, calendar=changed)


def recompute(case: Case, book: Rulebook, now: str, before: Calendar = BOOK.calendar) -> tuple[Case, tuple[Fact, ...]]:
    facts = decide(case, Recompute(CalendarChange.between(before, book.calendar)), book, at(now))
    for fact in facts:
        case = evolve(case, fact)
    return case, facts


def over_new_year() -> Walk:
    """Five working days from the afternoon of 30 December 2026."""
    return to_dispatched(Walk(report(HEAP, at("2026-12-30 16:00"))), condition="litter.heap")


def due(case: Case, kind: ClockKind = ClockKind.HANDLING) -> str:
    clock = next(c for c in case.clocks if c.kind is kind and c.state is not ClockState.STOPPED)
    return f"{BOOK.calendar.local(clock.due_at):%m-%d %H:%M}"


def test_a_notice_moves_what_crosses_its_days_and_says_from_where() -> None:
    walk = over_new_year()
    assert due(walk.case) == "01-07 16:00"
    case, (fact,) = recompute(walk.case, book_with(revised(NOTICE)), "2026-12-30 16:30")
    assert due(case) == "01-08 16:00"
    assert (fact.kind, fact.reason, fact.actor.account) == (FactKind.DUE_RECOMPUTED, CONFIRMED, None)
    before, after = walk.clock(ClockKind.HANDLING), next(c for c in case.clocks if c.kind is ClockKind.HANDLING)
    told = next(c for c in fact.changes if isinstance(c, ClockChanged) and c.clock.kind is ClockKind.HANDLING)
    assert told.was is not None
    assert (told.was.at, told.was.calendar_rev) == (before.due_at, "r1")
    assert (after.calendar_rev, after.rev, after.provisional) == ("r2", before.rev + 1, False)
    assert after.original_due == before.original_due, "as first decided"
    assert case.version == walk.case.version + 1


def test_again_nothing_happens() -> None:
    book = book_with(revised(NOTICE))
    case, _ = recompute(over_new_year().case, book, "2026-12-30 16:30")
    assert recompute(case, book, "2026-12-30 16:40")[1] == ()


def test_what_is_due_before_the_first_changed_day_stays() -> None:
    walk = over_new_year()
    book = book_with(revised(NOTICE))
    case, (fact,) = recompute(walk.case, book, "2026-12-30 16:30")
    moved = {c.clock.kind for c in fact.changes if isinstance(c, ClockChanged)}
    assert moved == {ClockKind.HANDLING, ClockKind.WHOLE}
    response = next(c for c in case.clocks if c.kind is ClockKind.RESPONSE)
    assert response == walk.clock(ClockKind.RESPONSE)


def test_a_confirmed_year_without_changes_takes_the_mark_away_and_moves_nothing() -> None:
    walk = over_new_year()
    case, (fact,) = recompute(walk.case, book_with(revised(SAME_DAYS)), "2026-12-30 16:30")
    before, after = walk.clock(ClockKind.HANDLING), next(c for c in case.clocks if c.kind is ClockKind.HANDLING)
    assert (before.provisional, after.provisional) == (True, False)
    assert (after.due_at, after.rev, after.rungs) == (before.due_at, before.rev, before.rungs), "timers stand"
    assert fact.reason == CONFIRMED
    assert case.version == walk.case.version, "nothing that an actor decides on"


def test_an_earlier_due_time_takes_the_original_one_along() -> None:
    """Nothing is ever due before it was first due: the trace of the old one is in the fact."""
    working = CalendarYear(2027, True, "notice 2027", ())  # 1 January is a Friday
    case, (fact,) = recompute(over_new_year().case, book_with(revised(working)), "2026-12-30 16:30")
    clock = next(c for c in case.clocks if c.kind is ClockKind.HANDLING)
    assert due(case) == "01-06 16:00"
    assert clock.original_due == clock.due_at
    assert all(c.original_due <= c.due_at for c in case.clocks)
    assert fact.changes


def test_what_has_been_counted_stands_as_counted() -> None:
    """A notice that comes after its day makes nobody late."""
    walk = over_new_year()
    book = book_with(revised(CalendarYear(2027, True, "late", YEARS[2].days[1:] + free(date(2027, 1, 6)))))
    case, _ = recompute(walk.case, book, "2027-01-05 10:00")
    clock = next(c for c in case.clocks if c.kind is ClockKind.HANDLING)
    assert clock.consumed_s == (2 + 8 + 8 + 2) * 3600, "1 January as it was: free"
    assert due(case) == "01-08 16:00"
    assert sla.used(clock, clock.due_at, book.calendar) == clock.budget_s


def test_paused_stopped_and_wall_clocks_are_left_alone() -> None:
    walk = over_new_year()
    change = CalendarChange.between(BOOK.calendar, revised(NOTICE))
    book, now = book_with(revised(NOTICE)), at("2026-12-30 16:30")
    running = walk.clock(ClockKind.HANDLING)
    for clock in (
        sla.pause(running, now, BOOK.calendar),
        sla.stop(running, now, BOOK.calendar),
        sla.start(BOOK, "w", ClockKind.HANDLING, sla.Allowance(20 * 86400, Basis.WALL), now, U2),
    ):
        assert sla.recalendar(clock, now, change, 0, book, U2) is clock


def test_closed_cases_are_never_moved() -> None:
    walk = over_new_year()
    walk.act(CHIEF, Action.NOTE, note="x")
    ended = replace(walk.case, state=walk.case.state.CLOSED)
    assert (
        decide(ended, Recompute(CalendarChange.between(BOOK.calendar, revised(NOTICE))), BOOK, at("2026-12-31 10:00"))
        == ()
    )


def test_days_to_the_evening_are_counted_anew() -> None:
    rules = replace(BOOK.settings, convention=DayConvention.DAY_END)
    walk = to_dispatched(
        Walk(report(HEAP, at("2026-12-30 16:00")), replace(BOOK, settings=rules)), condition="litter.heap"
    )
    assert due(walk.case) == "01-07 18:00"
    half = replace(
        YEARS[2],
        confirmed=True,
        days=(
            *YEARS[2].days,
            CalendarDay(date(2027, 1, 5), DayKind.WORKDAY, "半天", windows=(Window(8 * 3600, 12 * 3600),)),
        ),
    )
    case, _ = recompute(walk.case, replace(book_with(revised(half)), settings=rules), "2026-12-30 16:30")
    assert due(case) == "01-07 18:00", "still the fifth evening"


def test_other_hours_move_what_lies_behind_them() -> None:
    summer = Schedule(date(2026, 6, 1), (Window(8 * 3600, 12 * 3600), Window(15 * 3600, 18 * 3600)))
    other = Calendar("cn", "r2", (*BOOK.calendar.schedules, summer), YEARS)
    walk = to_dispatched(Walk(report(HEAP, at("2026-05-29 16:00"))), condition="litter.heap")
    case, (fact,) = recompute(walk.case, book_with(other), "2026-05-29 16:30")
    assert (due(walk.case), due(case)) == ("06-05 16:00", "06-08 11:00")
    assert fact.reason == CHANGED


def test_what_is_taken_back_afterwards_counts_by_the_new_days() -> None:
    """A machine act, the notice, and the recall of the act, within ten minutes."""
    silent = Walk(report(HEAP, at("2026-12-30 16:00")))
    silent.fire(ClockKind.GRID_RESPONSE)
    book = book_with(revised(NOTICE))
    case, _ = recompute(silent.case, book, "2026-12-30 17:05")
    now = at("2026-12-30 17:06")
    for fact in decide(case, Act(Action.RECALL, SECRETARY, Inputs(), "op"), book, now):
        case = evolve(case, fact)
    clock = next(c for c in case.clocks if c.kind is ClockKind.WHOLE)
    fresh = sla.start(book, "k", ClockKind.WHOLE, sla.Allowance(clock.budget_s, Basis.WORK), clock.started_at, U2)
    assert (clock.due_at, clock.calendar_rev) == (fresh.due_at, "r2")


def test_the_ladder_follows() -> None:
    walk = over_new_year()
    case, _ = recompute(walk.case, book_with(revised(NOTICE)), "2026-12-30 16:30")
    clock = next(c for c in case.clocks if c.kind is ClockKind.HANDLING)
    overdue = next(r for r in clock.rungs if r.act == "overdue")
    assert overdue.at == clock.due_at

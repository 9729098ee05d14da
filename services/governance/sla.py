"""Clocks: start, pause, resume, stop, extend, rework, recompute; the absolute times of their ladder.

A clock counts seconds of its own basis. `consumed_s` holds what earlier stretches used, `running_since` begins the
present one, so the due time is always `running_since + (budget_s - consumed_s)`. `rev` rises whenever a timer armed
before would be wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.governance.acts import Clock, ClockState, Rung
from services.governance.cycle import ClockKind, Urgency
from services.governance.rulebook import Condition, Rulebook
from services.governance.tiers import AGAIN, LadderStep, RungAct, is_urgent
from services.governance.worktime import (
    Basis,
    Budget,
    Calendar,
    CalendarChange,
    DayConvention,
    LimitUnit,
    seconds_of,
    shift,
    spent,
)


@dataclass(frozen=True, slots=True)
class Allowance:
    """Seconds of a basis: what a clock gets. `opens`: due when work begins again, not when it last ended."""

    seconds: int
    basis: Basis
    opens: bool = False


def allow(budget: Budget, start: datetime, book: Rulebook) -> Allowance:
    """A written budget as seconds from `start` on."""
    convention = book.settings.convention
    opens = budget.unit is LimitUnit.WORK_DAY and convention is DayConvention.SAME_TIME
    return Allowance(seconds_of(budget, start, book.calendar, convention), budget.basis, opens)


def due_of(allowance: Allowance, start: datetime, book: Rulebook) -> datetime:
    """When an allowance that starts at `start` ends."""
    return _due(start, allowance.seconds, allowance.basis, allowance.opens, book.calendar)


def allow_until(start: datetime, until: datetime) -> Allowance:
    """The wall time up to a moment that a person named."""
    return Allowance(max(1, (until - start) // timedelta(seconds=1)), Basis.WALL)


# --- allowances that are worked out rather than written -------------------------------------------------------------
def whole_case(condition: Condition, urgency: Urgency, start: datetime, book: Rulebook) -> Allowance:
    """From the first report: the condition's limit, and outside it the capped time of grid and community (none for
    urgent cases)."""
    limit = allow(condition.limit, start, book)
    if is_urgent(urgency):
        return limit
    caps = (book.settings.outside_grid, book.settings.outside_community)
    hours = sum(_on_basis(cap, limit.basis, start, book) for cap in caps)
    return Allowance(limit.seconds + hours, limit.basis)


def return_window(handling: Allowance, start: datetime, book: Rulebook) -> Allowance:
    """A share of the handling limit on its basis, between a floor and a ceiling."""
    rules = book.settings
    most = _on_basis(rules.return_most, handling.basis, start, book)
    share = handling.seconds * rules.return_percent // 100
    return Allowance(max(rules.return_least_s, min(share, most)), handling.basis)


def _on_basis(cap: Budget, basis: Basis, start: datetime, book: Rulebook) -> int:
    """A cap written in working time counts as many hours of any other basis; a day is then a whole day."""
    if basis is Basis.WORK or cap.basis is not Basis.WORK:
        return allow(cap, start, book).seconds
    return cap.value * (24 if cap.unit.value.endswith("day") else 1) * 3600


# --- changes of a clock ---------------------------------------------------------------------------------------------
def start(
    book: Rulebook,
    clock_id: str,
    kind: ClockKind,
    allowance: Allowance,
    at: datetime,
    urgency: Urgency,
    task_id: str | None = None,
) -> Clock:
    """A clock that runs from `at` on."""
    calendar, seconds, basis = book.calendar, allowance.seconds, allowance.basis
    due = _due(at, seconds, basis, allowance.opens, calendar)
    return Clock(
        clock_id=clock_id,
        kind=kind,
        rev=1,
        state=ClockState.RUNNING,
        started_at=at,
        budget_s=seconds,
        basis=basis.value,
        due_at=due,
        original_due=due,
        consumed_s=0,
        running_since=at,
        stopped_at=None,
        rungs=_rungs(book, kind, urgency, at, seconds, basis, due),
        fired=(),
        provisional=basis is Basis.WORK and calendar.is_provisional(at, due),
        rulebook=book.version,
        calendar_rev=calendar.revision,
        task_id=task_id,
        opens=allowance.opens,
    )


def stop(clock: Clock, at: datetime, calendar: Calendar) -> Clock:
    """The clock has done its work; a stopped one is left as it is."""
    if clock.state is ClockState.STOPPED:
        return clock
    consumed = used(clock, at, calendar)
    return replace(clock, state=ClockState.STOPPED, consumed_s=consumed, running_since=None, stopped_at=at)


def pause(clock: Clock, at: datetime, calendar: Calendar) -> Clock:
    """Remember the seconds of its own basis used so far; its timers no longer count."""
    if clock.state is not ClockState.RUNNING:
        return clock
    consumed = used(clock, at, calendar)
    return replace(clock, rev=clock.rev + 1, state=ClockState.PAUSED, consumed_s=consumed, running_since=None)


def resume(clock: Clock, at: datetime, book: Rulebook, urgency: Urgency) -> Clock:
    """Give back exactly what remained, whatever was granted before the pause."""
    if clock.state is not ClockState.PAUSED:
        return clock
    return _run(clock, at, book, urgency, clock.budget_s)


def rework(clock: Clock, at: datetime, book: Rulebook, urgency: Urgency) -> Clock:
    """Go on with what remained when it stopped, but with no less than the rulebook's floor."""
    least = clock.consumed_s + book.settings.rework_least_s
    return _run(clock, at, book, urgency, max(clock.budget_s, least))


def revive(clock: Clock) -> Clock:
    """As if it had never stopped: the time between counts, the due time stands."""
    if clock.state is not ClockState.STOPPED:
        return clock
    since = clock.stopped_at
    return replace(clock, rev=clock.rev + 1, state=ClockState.RUNNING, running_since=since, stopped_at=None)


def extend(clock: Clock, seconds: int, book: Rulebook, urgency: Urgency) -> Clock:
    """More seconds of its basis; `original_due` stays what it was."""
    if clock.running_since is None:
        return replace(clock, budget_s=clock.budget_s + seconds, rev=clock.rev + 1)
    return _run(clock, clock.running_since, book, urgency, clock.budget_s + seconds)


def recompute(clock: Clock, allowance: Allowance, book: Rulebook, urgency: Urgency) -> Clock:
    """Another allowance from the original start. What pauses left used keeps its share of the whole."""
    same = clock.basis == allowance.basis.value
    consumed = clock.consumed_s if same else clock.consumed_s * allowance.seconds // max(1, clock.budget_s)
    base = replace(
        clock, basis=allowance.basis.value, consumed_s=consumed, budget_s=allowance.seconds, opens=allowance.opens
    )
    if base.running_since is None:
        due = _due(base.started_at, allowance.seconds, allowance.basis, allowance.opens, book.calendar)
        return replace(base, rev=base.rev + 1, due_at=due, original_due=due)
    moved = _run(base, base.running_since, book, urgency, allowance.seconds)
    return replace(moved, original_due=moved.due_at)


def fire(clock: Clock, rung: int) -> Clock:
    """One point of the ladder has been acted on."""
    return replace(clock, fired=(*clock.fired, rung))


def act_on(clock: Clock, rung: Rung, now: datetime, book: Rulebook) -> Clock:
    """One point has been acted on; a step that comes again has its next time ahead of `now`, however late this was."""
    fired, step = fire(clock, rung.rung), book.ladders[clock.kind].step_of(rung.rung)
    if step is None or step.every is None:
        return fired
    after = _after(rung.at, step.every, book)
    moment = after if after > now else _after(now, step.every, book)
    once = tuple(r for r in clock.rungs if r.rung < AGAIN)
    return replace(fired, rungs=(*once, _next_time(rung.rung, fired.fired, moment)))


def _next_time(rung: int, fired: tuple[int, ...], moment: datetime) -> Rung:
    """The number after all those that have been used for it."""
    last = max(r for r in (rung, *fired) if r % AGAIN == rung % AGAIN)
    return Rung(last + AGAIN, moment, RungAct.FORCE_CHOICE.value)


def _after(at: datetime, every: Budget, book: Rulebook) -> datetime:
    return due_of(allow(every, at, book), at, book)


def recalendar(
    clock: Clock, at: datetime, change: CalendarChange, more: int, book: Rulebook, urgency: Urgency
) -> Clock:
    """By a calendar that has changed: only a running clock that meets a changed day between now and its due time.

    What was counted until now stands as it was counted, so nothing is late by a notice alone; `more` seconds are what
    the limit itself has gained. A due time that comes earlier takes the original one with it.
    """
    calendar = book.calendar
    if clock.state is not ClockState.RUNNING or clock.basis != Basis.WORK or clock.calendar_rev == calendar.revision:
        return clock
    if clock.due_at > at and clock.running_since is not None and change.crosses(at, clock.due_at):
        since = clock.running_since
        base = replace(clock, consumed_s=used(clock, at, change.before)) if change.crosses(since, at) else clock
        moved = _run(base, at if base is not clock else since, book, urgency, clock.budget_s + more)
        if moved.due_at != clock.due_at or moved.rungs != clock.rungs:
            return replace(moved, original_due=min(clock.original_due, moved.due_at))
    doubtful = calendar.is_provisional(clock.started_at, clock.due_at)
    if doubtful is clock.provisional:
        return clock
    return replace(clock, provisional=doubtful, calendar_rev=calendar.revision)


def _due(at: datetime, seconds: int, basis: Basis, opens: bool, calendar: Calendar) -> datetime:
    due = shift(at, seconds, basis, calendar)
    return calendar.opening(due) if opens else due


def _run(clock: Clock, at: datetime, book: Rulebook, urgency: Urgency, budget: int) -> Clock:
    calendar, basis = book.calendar, Basis(clock.basis)
    remaining = budget - clock.consumed_s
    due = _due(at, remaining, basis, clock.opens, calendar) if remaining > 0 else clock.due_at
    steps = book.ladders[clock.kind].steps
    rungs = _rungs(book, clock.kind, urgency, at, budget, basis, due, clock.consumed_s)
    fired = tuple(r for r in clock.fired if r % AGAIN >= len(steps) or not steps[r % AGAIN].again)
    repeats = ((rung, steps[rung.rung].every) for rung in rungs if rung.rung in fired)
    again = tuple(_next_time(r.rung, fired, _after(max(at, r.at), every, book)) for r, every in repeats if every)
    return replace(
        clock,
        rev=clock.rev + 1,
        state=ClockState.RUNNING,
        budget_s=budget,
        due_at=due,
        running_since=at,
        stopped_at=None,
        rungs=(*rungs, *again),
        fired=fired,
        provisional=basis is Basis.WORK and calendar.is_provisional(clock.started_at, due),
        calendar_rev=calendar.revision,
    )


# --- the ladder in absolute time ------------------------------------------------------------------------------------
def _rungs(
    book: Rulebook,
    kind: ClockKind,
    urgency: Urgency,
    at: datetime,
    budget: int,
    basis: Basis,
    due: datetime,
    consumed: int = 0,
) -> tuple[Rung, ...]:
    rungs = []
    for number, step in enumerate(book.ladders[kind].steps):
        if step.act is RungAct.MARK or not step.applies(urgency):
            continue  # a quiet mark is drawn by whoever shows the clock
        if step.percent == 100 and step.after is None and step.plus is None:
            moment = due
        else:
            moment = _moment(step, book, urgency, at, budget, basis, due, consumed)
        rungs.append(Rung(number, moment, step.act.value))
    return tuple(rungs)


def _moment(
    step: LadderStep,
    book: Rulebook,
    urgency: Urgency,
    at: datetime,
    budget: int,
    basis: Basis,
    due: datetime,
    consumed: int,
) -> datetime:
    if step.after is not None:
        after = allow(step.after, at, book)
        return shift(at, max(0, after.seconds - consumed), after.basis, book.calendar)
    share = budget * step.percent // 100 - consumed
    moment = shift(at, max(0, share), basis, book.calendar)
    if step.plus is None or is_urgent(urgency):
        return moment
    plus = allow(step.plus, due, book)
    return max(moment, shift(due, plus.seconds, plus.basis, book.calendar))


# --- questions ------------------------------------------------------------------------------------------------------
def used(clock: Clock, at: datetime, calendar: Calendar) -> int:
    """Seconds of its basis that the clock has counted by `at`."""
    if clock.running_since is None:
        return clock.consumed_s
    return clock.consumed_s + spent(clock.running_since, at, clock.basis, calendar)


def is_late(clock: Clock, at: datetime) -> bool:
    """Whether it passed its due time; what stops exactly then is in time."""
    end = clock.stopped_at if clock.stopped_at is not None else at
    return clock.state is not ClockState.PAUSED and end > clock.due_at


def over_ratio(clock: Clock, at: datetime, calendar: Calendar) -> float:
    """(used - limit) / limit in two decimals; negative while in time."""
    return over_limit(used(clock, at, calendar), clock.budget_s)


def over_limit(used_s: int, budget_s: int) -> float:
    """超时倍数 in two decimals."""
    return round((used_s - budget_s) / max(1, budget_s), 2)

"""Why a clock is due when it is: typed steps from start to due time, each of which a person can check by hand.

Amounts are counted between whole minutes, as people read them: they add up to the limit wherever it is whole minutes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import groupby

from services.governance.acts import Clock, ClockChanged, ClockStarted, ClockState, Fact
from services.governance.case.grounds import Ground, ground_of
from services.governance.case.model import Case
from services.governance.cycle import ClockKind
from services.governance.rulebook import Category, Rulebook
from services.governance.worktime import Basis, Calendar, DayConvention, DayKind, DayPart, LimitUnit


class StepKind(StrEnum):
    """What a step of an explanation tells."""

    STARTED = "started"
    COUNTED = "counted"
    OFF_HOURS = "off_hours"  # a working day whose hours were over
    SKIPPED = "skipped"
    USED = "used"  # earlier stretches, where their days are not known
    PAUSED = "paused"
    RESUMED = "resumed"
    EXTENDED = "extended"
    RECOMPUTED = "recomputed"
    STOPPED = "stopped"
    LEFT = "left"  # of a paused clock
    DUE = "due"


@dataclass(frozen=True, slots=True)
class Step:
    """One part of the sentence. `first`, `last`: local days of a run; `name`: of a holiday or make-up day; `fact`: what
    happened; `windows`: the hours used where a day was not used whole."""

    kind: StepKind
    at: datetime
    seconds: int = 0
    first: date | None = None
    last: date | None = None
    days: int = 1
    windows: tuple[tuple[datetime, datetime], ...] = ()
    name: str = ""
    english: str = ""
    fact: str = ""
    same_day: bool = False  # the day on which the stretch began
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """What the due time rests on. `number`: which of the category's conditions, from 1."""

    ground: Ground
    category: Category | None
    condition: str
    number: int | None
    convention: DayConvention | None  # where the limit is in working days
    day_s: int
    rulebook: str
    edition: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything the sentence is made of; the words are the label list's."""

    clock_id: str
    kind: ClockKind
    basis: Basis
    state: ClockState
    steps: tuple[Step, ...]
    budget_s: int
    started_at: datetime
    due_at: datetime
    original_due: datetime
    provisional_years: tuple[int, ...]
    rule: Rule
    calendar: str
    calendar_rev: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A change of a clock: when, by which kind of fact, and the clock as it stood then."""

    at: datetime
    fact: str
    why: str
    clock: Clock


def moments_of(facts: Iterable[Fact], clock_id: str) -> tuple[Moment, ...]:
    """The history of one clock among a case's facts, in their order; points of its ladder left out."""
    found = []
    for fact in facts:
        for change in fact.changes:
            if isinstance(change, ClockStarted) and change.clock.clock_id == clock_id:
                found.append(Moment(fact.at, fact.kind, "started", change.clock))
            elif isinstance(change, ClockChanged) and change.clock.clock_id == clock_id and change.why != "rung":
                found.append(Moment(fact.at, fact.kind, change.why, change.clock))
    return tuple(found)


def explain(case: Case, clock: Clock, facts: Iterable[Fact], book: Rulebook) -> Explanation:
    """The steps of `clock`, one of the case's. Facts that are not given leave out what only they could tell."""
    return Explanation(
        clock_id=clock.clock_id,
        kind=clock.kind,
        basis=Basis(clock.basis),
        state=clock.state,
        steps=tuple(_steps(clock, moments_of(facts, clock.clock_id), book.calendar)),
        budget_s=clock.budget_s,
        started_at=clock.started_at,
        due_at=clock.due_at,
        original_due=clock.original_due,
        provisional_years=_doubtful(clock, book.calendar),
        rule=_rule(case, clock, book),
        calendar=book.calendar.id,
        calendar_rev=clock.calendar_rev,
    )


def _doubtful(clock: Clock, calendar: Calendar) -> tuple[int, ...]:
    open_work = clock.basis == Basis.WORK and clock.state is not ClockState.STOPPED
    return calendar.doubtful(clock.started_at, clock.due_at) if open_work else ()


def _rule(case: Case, clock: Clock, book: Rulebook) -> Rule:
    ground = ground_of(case, clock, book)
    condition = book.condition_of(case.condition, case.danger)
    category = book.category_of(case.category)
    known = category is not None and condition.id in category.conditions
    return Rule(
        ground=ground,
        category=category if known else None,
        condition=condition.id,
        number=category.conditions.index(condition.id) + 1 if known and category is not None else None,
        convention=book.settings.convention if _in_days(ground) else None,
        day_s=book.calendar.day_length(ground.since),
        rulebook=book.version,
        edition=book.edition,
    )


def _in_days(ground: Ground) -> bool:
    return ground.budget is not None and ground.budget.unit is LimitUnit.WORK_DAY


# --- the steps -------------------------------------------------------------------------------------------------------
_HALTS = {"paused": StepKind.PAUSED, "stopped": StepKind.STOPPED}
_NOTES = {"extended": StepKind.EXTENDED, "recomputed": StepKind.RECOMPUTED, "recalled": StepKind.RECOMPUTED}


def _steps(clock: Clock, moments: tuple[Moment, ...], calendar: Calendar) -> Iterator[Step]:
    begin = moments[0] if moments else None
    yield Step(StepKind.STARTED, clock.started_at, fact=begin.fact if begin else "")
    since: datetime | None = clock.started_at
    if begin is None:
        if clock.consumed_s:
            yield Step(StepKind.USED, clock.started_at, clock.consumed_s)
        since = clock.running_since
    budget = begin.clock.budget_s if begin else clock.budget_s
    notes: list[Step] = []
    for moment in moments[1:]:
        gained, budget = moment.clock.budget_s - budget, moment.clock.budget_s
        if moment.why in _HALTS and since is not None:
            yield from _stretch(since, moment.at, clock, calendar, notes)
            yield Step(_HALTS[moment.why], moment.at, moment.clock.consumed_s, fact=moment.fact)
            since, notes = None, []
        elif moment.clock.running_since is not None and since is None:
            since = moment.clock.running_since
            yield Step(StepKind.RESUMED, since, fact=moment.fact)
            if gained > 0:
                notes.append(Step(StepKind.EXTENDED, moment.at, gained, fact=moment.fact))
        elif moment.why in _NOTES:
            seconds = gained if moment.why == "extended" else budget
            notes.append(Step(_NOTES[moment.why], moment.at, seconds, fact=moment.fact))
    yield from _end(clock, since, notes, calendar)


def _end(clock: Clock, since: datetime | None, notes: list[Step], calendar: Calendar) -> Iterator[Step]:
    if clock.state is ClockState.RUNNING and since is not None:
        yield from _stretch(since, clock.due_at, clock, calendar, notes)
    elif clock.state is ClockState.PAUSED:
        yield Step(StepKind.LEFT, clock.started_at, max(0, clock.budget_s - clock.consumed_s))
        return
    yield Step(StepKind.DUE, clock.due_at)


def _stretch(begin: datetime, end: datetime, clock: Clock, calendar: Calendar, notes: Iterable[Step]) -> Iterator[Step]:
    """The days from begin to end, and what happened meanwhile before the first run that begins after it."""
    begin, end = _minute(begin), _minute(end)
    waiting = sorted(notes, key=lambda step: step.at)
    for run in _runs(begin, end, clock, calendar):
        while waiting and waiting[0].at <= run.at:
            yield waiting.pop(0)
        yield run
    yield from waiting


def _runs(begin: datetime, end: datetime, clock: Clock, calendar: Calendar) -> Iterator[Step]:
    if end <= begin:
        return
    if clock.basis != Basis.WORK:
        yield Step(StepKind.COUNTED, begin, (end - begin) // timedelta(seconds=1))
        return
    parts = list(calendar.parts(begin, end))
    while len(parts) > 1 and not parts[-1].used:
        parts.pop()  # the evening, or the morning, on which nothing more is counted
    start_day = parts[0].date
    for _, grouped in groupby(parts, key=lambda part: _alike(part, start_day)):
        yield _run(list(grouped), start_day, calendar)


def _alike(part: DayPart, start_day: date) -> tuple[object, ...]:
    """Days that one step can tell together: free for the same reason, or ordinary and used whole."""
    if not part.works:
        return (False, part.listed.name if part.listed else "")
    ordinary = part.whole and part.listed is None and part.date != start_day
    return (True, None if ordinary else part.date)


def _run(parts: list[DayPart], start_day: date, calendar: Calendar) -> Step:
    head, tail = parts[0], parts[-1]
    kind = StepKind.COUNTED if head.used else StepKind.OFF_HOURS if head.works else StepKind.SKIPPED
    named = head.listed if head.listed and (head.listed.kind is DayKind.HOLIDAY) is not head.works else None
    return Step(
        kind,
        head.used[0][0] if head.used else calendar.midnight(head.date),
        sum(part.seconds for part in parts),
        head.date,
        tail.date,
        len(parts),
        () if head.whole else head.used,
        named.name if named else "",
        named.english if named else "",
        same_day=head.date == start_day,
        whole=head.whole,
    )


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)

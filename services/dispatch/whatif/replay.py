"""Living a recorded case again: once as it was, once under another rulebook.

Both lives go through the same kept questions at the same moments. Between them every point of a clock is acted on
when it comes, or, where the record shows that the machine was away, when it was back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from schemas.asked import Asked, NewDays
from services.dispatch.whatif.record import Record
from services.governance.acts import Act, Around, Command, Fact, Recompute, TimerFired
from services.governance.case import Case, advance, next_point
from services.governance.errors import GovernanceError, MissingInput
from services.governance.moves import DISPATCH_REASONS
from services.governance.rulebook import Rulebook
from services.governance.worktime import CalendarChange

_INSTANT = timedelta(microseconds=1)
Books = Callable[[str], Rulebook]
"""The rulebook with the days of a calendar revision ('' the newest)."""


@dataclass(frozen=True, slots=True)
class Away:
    """From a point that nobody acted on to when somebody did."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Frame:
    """The case just before and just after one kept question, with how many facts there were. `before` None: it opened
    the case."""

    asked: Asked
    before: Case | None
    after: Case
    facts_before: int
    facts_after: int


@dataclass(slots=True)
class Life:
    """One way through the questions, as far as it went. `last`: when the last of them was put. `refused`: the rules
    refused what a person had done."""

    frames: list[Frame] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    away: list[Away] = field(default_factory=list)
    case: Case | None = None
    last: datetime | None = None
    refused: GovernanceError | None = None

    def since(self, point: datetime) -> datetime:
        """From when on somebody could have acted on a point: what came before the last question was settled by it."""
        return point if self.last is None else max(point, self.last)


def relive(record: Record, books: Books, end: datetime) -> Life:
    """As it was: every question at its moment, timers too; then what the clocks do until `end`."""
    life = Life()
    for asked in record.asks:
        _settle_at(life, asked, books(asked.calendar))
        if isinstance(asked.command, TimerFired):
            continue
        if not _ask(life, asked, books):
            return life
        life.last = asked.now
    _run_on(life, record.asks, books, end)
    return life


def live_anew(record: Record, books: Books, end: datetime, away: Sequence[Away], until: Callable[[Life], bool]) -> Life:
    """Under another rulebook: its own timers, the kept questions. Ends early where `until` says so after a question."""
    life, passed = Life(away=list(away)), record.asks[0].now
    for asked in record.asks:
        passed = max(passed, asked.now)  # a timer may have been ahead of the act that came after it
        if isinstance(asked.command, TimerFired):
            continue
        _run_on(life, record.asks, books, passed)
        if not _ask(life, asked, books) or until(life):
            return life
        life.last = asked.now
    _run_on(life, record.asks, books, end)
    return life


def _ask(life: Life, asked: Asked, books: Books) -> bool:
    """Put one kept question; False where a person's act is refused. A message of the machine that is refused changes
    nothing."""
    command, before = _meant(asked, books), life.case
    book = books(asked.calendar)
    now = asked.now if before is None else max(asked.now, before.last_at)
    try:
        facts, after = _advance(before, command, book, now, asked.around)
    except GovernanceError as error:
        if isinstance(command, Act) or before is None:
            life.refused = error
            return False
        facts, after = (), before
    assert after is not None, "an opening makes a case"
    told = len(life.facts)
    life.facts += facts
    life.case = after
    life.frames.append(Frame(asked, before, after, told, len(life.facts)))
    return True


def _meant(asked: Asked, books: Books) -> Command:
    """The command itself; a change of the calendar by its two revisions."""
    kept = asked.command
    assert kept is not None, "the record names every command"
    if not isinstance(kept, NewDays):
        return kept
    return Recompute(CalendarChange.between(books(kept.before).calendar, books(asked.calendar).calendar))


def _advance(
    before: Case | None, command: Command, book: Rulebook, now: datetime, around: Around
) -> tuple[tuple[Fact, ...], Case | None]:
    """As `advance`. Whoever gave a case to the unit that was named had no reason to give, and gets one here where
    another unit is named now: the acts part there by the unit, not by a form."""
    try:
        return advance(before, command, book, now, around)
    except MissingInput as error:
        if error.params.get("field") != "reason" or not isinstance(command, Act) or not command.inputs.lead_unit:
            raise
        inputs = replace(command.inputs, reason=DISPATCH_REASONS[0])
        return advance(before, replace(command, inputs=inputs), book, now, around)


def _settle_at(life: Life, asked: Asked, book: Rulebook) -> None:
    """Act on every point before a recorded question in the moment of the question, as was done then."""
    found = next_point(life.case, asked.now) if life.case is not None and not life.case.history else None
    if found is None:
        return
    point = found[1].at
    if asked.now - point > timedelta(seconds=book.settings.late_s):
        life.away.append(Away(life.since(point), asked.now))
    _fire(life, asked.now, book, asked.around)


def _run_on(life: Life, asks: Sequence[Asked], books: Books, end: datetime) -> None:
    """Act on every point before `end` when it comes."""
    while life.case is not None and not life.case.history:
        found = next_point(life.case, end)
        if found is None:
            return
        point = found[1].at
        near = _next_to(asks, point)
        came = life.since(point)
        moment = max((a.until for a in life.away if a.since <= came < a.until), default=came + _INSTANT)
        _fire(life, min(moment, end), books(near.calendar), near.around)


def _fire(life: Life, now: datetime, book: Rulebook, around: Around) -> None:
    case = life.case
    found = next_point(case, now) if case is not None else None
    if case is None or found is None:
        raise LookupError("no point has come")
    clock, rung = found
    facts, after = advance(case, TimerFired(clock.clock_id, clock.rev, rung.rung, rung.at), book, now, around)
    if not facts:
        raise LookupError(f"nothing was done at {rung.at} of {clock.clock_id}")
    life.facts += facts
    life.case = after


def _next_to(asks: Sequence[Asked], point: datetime) -> Asked:
    """The recorded question that was the first after a moment: what was around then is what is known best."""
    return next((asked for asked in asks if asked.now > point), asks[-1])

"""A calendar has changed: the running clocks that it moves, and nothing else."""

from __future__ import annotations

from services.governance import sla
from services.governance.acts import Clock, ClockChanged, Due, FactKind
from services.governance.case.grounds import ground_of
from services.governance.case.turn import Turn
from services.governance.cycle import CYCLE
from services.governance.worktime import CalendarChange, seconds_of

CONFIRMED, CHANGED = "calendar_confirmed", "calendar_changed"


def recompute(turn: Turn, change: CalendarChange) -> None:
    """One fact for all clocks of the case, each with the due time it had; none where nothing moves."""
    if not CYCLE[turn.case.state].live:
        return
    changes = [moved for clock in turn.case.clocks if (moved := _moved(turn, clock, change)) is not None]
    if changes:
        turn.emit(FactKind.DUE_RECOMPUTED, changes, reason=CONFIRMED if change.confirmed else CHANGED)


def _moved(turn: Turn, clock: Clock, change: CalendarChange) -> ClockChanged | None:
    more = _gained(turn, clock, change)
    moved = sla.recalendar(clock, turn.at, change, more, turn.book, turn.case.urgency)
    if moved is clock:
        return None
    why = "recomputed" if moved.rev != clock.rev else "confirmed"
    return ClockChanged(moved, why, Due(clock.due_at, clock.calendar_rev))


def _gained(turn: Turn, clock: Clock, change: CalendarChange) -> int:
    """Seconds that the written limit is longer than before: days of another length, or counted to another evening."""
    written = ground_of(turn.case, clock, turn.book)
    if written.budget is None:
        return 0
    convention = turn.book.settings.convention
    now = seconds_of(written.budget, written.since, turn.book.calendar, convention)
    return now - seconds_of(written.budget, written.since, change.before, convention)

"""The terms that a case takes over from its duplicates: the earliest report, the strictest limit, what was due first.

They are worked out from the duplicates each time, never written into the class of the case: without them it stands
under its own terms again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.governance import sla
from services.governance.acts import Absorbed, Clock
from services.governance.case.model import Case
from services.governance.cycle import ClockKind
from services.governance.rulebook import Condition, Rulebook
from services.governance.sla import Allowance
from services.governance.worktime import Calendar, spent


def strict(condition: Condition, duplicates: Sequence[Absorbed], at: datetime, book: Rulebook) -> Condition:
    """The condition, with that limit among its own and the duplicates' which ends first when counted from `at`."""
    limits = [condition.limit, *(d.limit for d in duplicates if d.limit is not None)]
    if len(limits) == 1:
        return condition

    def due(number: int) -> datetime:
        return sla.due_of(sla.allow(limits[number], at, book), at, book)

    return replace(condition, limit=limits[min(range(len(limits)), key=due)])


def capped(allowance: Allowance, clock: Clock, duplicates: Sequence[Absorbed], book: Rulebook) -> Allowance:
    """No more than up to what was due of this kind in a duplicate, where this clock ran when it was merged."""
    dues = [due for d in duplicates if d.at >= clock.started_at for kind, due in d.dues if kind is clock.kind]
    if not dues:
        return allowance
    left = spent(clock.started_at, min(dues), allowance.basis, book.calendar)
    return replace(allowance, seconds=max(1, min(allowance.seconds, left)))


def start_of(case: Case, clock: Clock, duplicates: Sequence[Absorbed]) -> datetime:
    """When a clock began to count. The first clock of the whole case does so with the earliest of the reports."""
    first = next((c.clock_id for c in case.clocks if c.kind is ClockKind.WHOLE), None)
    if clock.clock_id != first:
        return clock.started_at
    return min([case.opened_at, *(d.opened_at for d in duplicates)])


def begun(clock: Clock, at: datetime, calendar: Calendar) -> Clock:
    """As if it had begun at `at`: what it would have counted since then is used."""
    if clock.running_since == clock.started_at and not clock.consumed_s:
        return replace(clock, started_at=at, running_since=at)
    older = spent(at, clock.started_at, clock.basis, calendar) - spent(clock.started_at, at, clock.basis, calendar)
    return replace(clock, started_at=at, consumed_s=max(0, clock.consumed_s + older))

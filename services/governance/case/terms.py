"""The terms that a case takes over from its duplicates, and from other authorities that hand over the same matter: the
earliest report, the strictest limit, what was due first.

They are worked out from the duplicates each time, never written into the class of the case: without them it stands
under its own terms again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from services.governance import sla
from services.governance.acts import Absorbed, CaseRef, Clock, OpenCase
from services.governance.case.model import Case
from services.governance.cycle import ClockKind, Urgency
from services.governance.rulebook import Condition, Rulebook
from services.governance.sla import Allowance
from services.governance.worktime import Basis, Budget, Calendar, spent

RESULT_KINDS = (
    *(ClockKind.WHOLE, ClockKind.HANDLING, ClockKind.COMMUNITY_DISPOSAL, ClockKind.DISTRICT_HANDLING, ClockKind.REPLY),
)
"""Clocks that the result of a case is measured by."""


def strict(condition: Condition, duplicates: Sequence[Absorbed], at: datetime, book: Rulebook) -> Condition:
    """The condition, with that limit among its own and the duplicates' which ends first when counted from `at`."""
    limits = [condition.limit, *(d.limit for d in duplicates if d.limit is not None)]
    if len(limits) == 1:
        return condition

    def due(number: int) -> datetime:
        return sla.due_of(sla.allow(limits[number], at, book), at, book)

    return replace(condition, limit=limits[min(range(len(limits)), key=due)])


def capped(allowance: Allowance, clock: Clock, duplicates: Sequence[Absorbed], book: Rulebook) -> Allowance:
    """No more than up to what was due of this kind in a duplicate, where this clock ran when it was merged; or up to
    what another authority asks for, whenever it began."""
    counting = (d for d in duplicates if d.at >= clock.started_at or not d.case.case_no)
    dues = [due for d in counting for kind, due in d.dues if kind is clock.kind]
    if not dues:
        return allowance
    left = spent(clock.started_at, min(dues), allowance.basis, book.calendar)
    if left < 1:  # no time of its own basis is left before it
        return sla.allow_until(clock.started_at, min(dues))
    return replace(allowance, seconds=left, opens=False) if left < allowance.seconds else allowance


def is_last(clock: Clock, due: datetime, calendar: Calendar) -> bool:
    """Whether the clock was to end with `due`: at it, or with the last of its own time before it."""
    last = max(due, clock.started_at + timedelta(seconds=1))
    return clock.original_due <= last and not spent(clock.original_due, last, Basis(clock.basis), calendar)


def shortened(clock: Clock, duplicates: Sequence[Absorbed], book: Rulebook, urgency: Urgency) -> Clock:
    """A clock that has just begun, due no later than another authority asks for."""
    allowance = Allowance(clock.budget_s, Basis(clock.basis), clock.opens)
    less = capped(allowance, clock, duplicates, book)
    if less == allowance:
        return clock
    return sla.start(book, clock.clock_id, clock.kind, less, clock.started_at, urgency, clock.task_id)


def asked_by(command: OpenCase, case_id: str, at: datetime, limit: Budget | None, restricted: bool) -> Absorbed:
    """The terms of a report that another authority hands over."""
    dues = tuple((kind, command.due) for kind in RESULT_KINDS if command.due is not None)
    report = CaseRef(command.report_id, "")
    return Absorbed(report, case_id, at, command.reported_at, (), restricted=restricted, limit=limit, dues=dues)


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

"""Which written limit a clock rests on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.governance.acts import Clock
from services.governance.case.model import Case
from services.governance.case.terms import is_last, strict
from services.governance.cycle import ClockKind
from services.governance.rulebook import Rulebook
from services.governance.worktime import Budget


class Rests(StrEnum):
    """What says how long a clock may run."""

    CONDITION = "condition"  # the filing condition's own limit
    STAGE = "stage"  # the limit of the stage, of the condition or of the street
    WHOLE = "whole"  # the condition's limit, and the time of grid and community outside it
    SHARE = "share"  # a part of another clock's limit
    LEAD = "lead"  # as long as the lead unit has
    DATE = "date"  # a moment that a person named
    ASKED = "asked"  # a moment that another authority named


_NOT_WRITTEN = {
    ClockKind.RETURN_WINDOW: Rests.SHARE,
    ClockKind.CO_TASK: Rests.LEAD,
    ClockKind.REVIEW: Rests.DATE,
    ClockKind.SUPERVISION: Rests.DATE,
}


@dataclass(frozen=True, slots=True)
class Ground:
    """The limit as it is written (None: worked out), and the moment from which it counts."""

    rests: Rests
    budget: Budget | None
    since: datetime


def ground_of(case: Case, clock: Clock, book: Rulebook) -> Ground:
    """By the condition in force for the case now, and the strictest limit among its duplicates."""
    worked_out = _NOT_WRITTEN.get(clock.kind)
    if worked_out is not None:
        return Ground(worked_out, None, clock.started_at)
    asked = (due for d in case.absorbed if not d.case.case_no for kind, due in d.dues if kind is clock.kind)
    if any(is_last(clock, due, book.calendar) for due in asked):
        return Ground(Rests.ASKED, None, clock.started_at)
    condition = strict(book.condition_of(case.condition, case.danger), case.absorbed, clock.started_at, book)
    if clock.kind is ClockKind.WHOLE:
        return Ground(Rests.WHOLE, condition.limit, _filed_at(case) or clock.started_at)
    limit = book.limit_of(condition, clock.kind)
    own = clock.kind not in condition.limits and clock.kind not in book.limits
    return Ground(Rests.CONDITION if own else Rests.STAGE, limit, clock.started_at)


def _filed_at(case: Case) -> datetime | None:
    return next((c.started_at for c in case.clocks if c.kind is ClockKind.DISPATCH), None)

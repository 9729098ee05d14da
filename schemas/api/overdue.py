"""Bodies about what becomes of overdue cases by itself: the comparison of the timers, and each case's ladders."""

from __future__ import annotations

from pydantic import Field

from schemas.api.base import Moment, Out


class TimerRepairOut(Out):
    """A timer that was not armed as it must be, and has been put right."""

    what: str = Field(description="missing, surplus, or moved")
    case_id: str
    clock_id: str
    rev: int
    rung: int
    due_at: Moment


class TimerCheckOut(Out):
    """One comparison of all timers with the clocks of the cases. Nothing missing, surplus or moved is expected."""

    id: int
    asked_at: Moment
    asked_by: str | None = Field(description="the account that asked for it; null: its time had come")
    started_at: Moment | None
    ended_at: Moment | None = Field(description="null: under way, or broken off by a restart")
    cases: int = Field(description="live cases looked at")
    unheard: int = Field(description="of these, cases with a fact on its way; they are compared the next time")
    armed: int = Field(description="timers found")
    missing: int
    surplus: int
    moved: int
    overdue: int = Field(description="cases with a clock past its due time")
    stepless: int = Field(description="of these, cases for which nothing will happen by itself; none is expected")
    stepless_cases: tuple[str, ...] = Field(description="their numbers, up to 500")
    repairs: tuple[TimerRepairOut, ...] = ()


class TimerChecksOut(Out):
    """Newest first."""

    items: tuple[TimerCheckOut, ...]


class AskedCheckOut(Out):
    """The comparison that will be made next, within seconds."""

    id: int


class LadderStepOut(Out):
    """One step of a clock's ladder: what became of it, or will."""

    act: str
    label: str
    told: tuple[str, ...]
    standing: str = Field(description="done, pending or skipped")
    why: str | None = Field(default=None, description="of a skipped step")
    planned_at: Moment | None = None
    acted_at: Moment | None = Field(default=None, description="when it was done, which is later after an outage")


class OverdueClockOut(Out):
    """A clock of the case with all its steps."""

    clock_id: str
    kind: str
    label: str
    state: str
    due_at: Moment
    late: bool
    steps: tuple[LadderStepOut, ...]


class OverdueCaseOut(Out):
    """A case that is late; `next_at` None: nothing will happen by itself."""

    case_no: str
    state_label: str
    place: str
    urgency: str
    rulebook: str
    due_at: Moment | None
    next_at: Moment | None
    next_label: str | None
    clocks: tuple[OverdueClockOut, ...]


class OverdueCasesOut(Out):
    """The longest overdue first."""

    items: tuple[OverdueCaseOut, ...]
    next: str | None = None

"""A case as it stands, and the questions asked of it again and again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.governance.acts import (
    Absorbed,
    CaseRef,
    CategoryRef,
    Clock,
    ClockState,
    Owner,
    Request,
    Routed,
    Spot,
    Task,
    TaskState,
    Undo,
)
from services.governance.cycle import ClockKind, ClosedKind, Flag, Nature, Stage, State, Tier, Urgency, stage_of_state


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case as it stands after `sequence` facts.

    `version` rises only with facts that change what an actor decides on: state, owner, task, limit, request.
    """

    case_id: str
    case_no: str
    opened_at: datetime
    last_at: datetime
    sequence: int = 0
    version: int = 0
    rulebook: str
    source: str
    nature: Nature
    staff: bool  # an employee reported
    history: bool  # imported outcome: no clocks, outside live queues
    state: State = State.REPORTED
    state_before: State | None = None  # of a suspended, fed-back or reopened case
    tier: Tier = Tier.GRID
    owner: Owner | None = None
    urgency: Urgency = Urgency.ORDINARY
    danger: bool
    restricted: bool = False
    category: CategoryRef | None
    condition: str | None = None
    class_proposed: bool = True
    spot: Spot
    routed: Routed | None = None
    lead: str | None = None
    tasks: tuple[Task, ...] = ()
    clocks: tuple[Clock, ...] = ()
    requests: tuple[Request, ...] = ()
    flags: frozenset[Flag] = frozenset()
    reports: tuple[str, ...]
    reporter: str | None  # account of a staff reporter
    handlers: frozenset[str] = frozenset()
    counters: tuple[tuple[str, int], ...] = ()
    closed_as: ClosedKind | None = None
    closed_at: datetime | None = None
    recorded_unit: str | None = None
    imported_unit: str | None
    operations: tuple[str, ...] = ()  # op_ids already applied: repeating an act changes nothing
    skipped: tuple[tuple[str, str], ...] = ()  # (stage, why): 'grid' | 'community' | 'direct'
    photos: tuple[str, ...] = ()  # ids of photos that have arrived
    last_urged: datetime | None = None
    clerks: frozenset[str] = frozenset()  # who took it in or filed it at the street
    undo: Undo | None = None  # how it stood before the machine's last act, until a person acts; before it was merged
    master: CaseRef | None = None  # the case that it was merged into
    absorbed: tuple[Absorbed, ...] = ()  # the cases merged into it
    earlier: CaseRef | None = None  # the ended case that its reporter took it for
    desk: frozenset[str] = frozenset()  # who did something with it at the street's own desk
    grade: str | None = None  # how it was found when that was last said, since it was last taken up


def stage_of(case: Case) -> Stage:
    """The step a person sees first; a function of the state (a suspended case shows the step it came from)."""
    return stage_of_state(case.state, case.state_before)


def count_of(case: Case, what: str) -> int:
    """How often something was counted: returns, rework, hand_overs …"""
    for name, number in case.counters:
        if name == what:
            return number
    return 0


def clock_of(case: Case, kind: ClockKind) -> Clock | None:
    """The latest clock of a kind, whatever its state."""
    for clock in reversed(case.clocks):
        if clock.kind is kind:
            return clock
    return None


def live_clock(case: Case, kind: ClockKind) -> Clock | None:
    """The clock of a kind that is running or paused."""
    clock = clock_of(case, kind)
    return clock if clock is not None and clock.state is not ClockState.STOPPED else None


OPEN_TASKS = frozenset({TaskState.OFFERED, TaskState.DOING})


def open_tasks(case: Case, kind: str) -> tuple[Task, ...]:
    """Tasks of a kind that are offered or being done."""
    return tuple(t for t in case.tasks if t.kind == kind and t.state in OPEN_TASKS)


def had_check(case: Case) -> frozenset[str]:
    """Who has had the check that is being waited for; an earlier one counts for nothing."""
    kind = {State.CONFIRMING: ClockKind.CONFIRM, State.FED_BACK: ClockKind.VERIFY}.get(case.state)
    clock = clock_of(case, kind) if kind is not None else None
    since = clock.started_at if clock is not None else case.last_at
    given = (t for t in case.tasks if kind is not None and t.kind == kind.value and t.given_at >= since)
    return frozenset(t.person for t in given if t.person is not None)


def pending(case: Case) -> tuple[Request, ...]:
    """Requests that nobody has decided."""
    return tuple(r for r in case.requests if r.status == "pending")

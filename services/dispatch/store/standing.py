"""In which lists a case stands for whoever sees all of it, and when that changes by time alone.

Pure: the same case at the same moment always stands in the same lists. What is found here is stored with the case's
row, so that lists, their order and their counts are read off rows and never off the clock; `turns_at` says when a row
must be written anew though nothing has happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.dispatch.orders import ENDED
from services.governance.acts import Clock, ClockState, TaskState
from services.governance.case import Case, pending
from services.governance.case.model import OPEN_TASKS, clock_of, count_of
from services.governance.cycle import CYCLE, ClockKind, Flag, State, Urgency

REVIEW_AHEAD: Final = timedelta(days=7)
SUSPENDED_LONG: Final = timedelta(days=60)
_URGENT: Final = frozenset({Urgency.CRITICAL, Urgency.URGENT})
_UNANSWERED: Final = frozenset({State.REPORTED, State.AT_COMMUNITY, State.AT_STREET, State.FILED, State.DISPATCHED})
_CALLED_STREET: Final = frozenset(
    {State.AT_STREET, State.CONFIRMING, State.FILED, State.DISPATCHED, State.HANDLING, State.DISPUTED}
)


@dataclass(frozen=True, slots=True)
class Times:
    """The moments of a case at which it changes lists by itself."""

    soon: datetime | None
    due: datetime | None
    review: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """`late`: the limit that somebody must keep now has passed. `turns_at` None: it stands until something happens."""

    queues: tuple[str, ...]
    late: bool
    turns_at: datetime | None


NOWHERE: Final = Standing((), False, None)


def stand(case: Case, times: Times, at: datetime) -> Standing:
    """How a case that moves stands at `at`."""
    late = times.due is not None and times.due <= at
    found = {name for name, holds in _BY_STATE.items() if holds(case)} | set(_by_time(case, times, at, late))
    if not CYCLE[case.state].live:
        found &= ENDED
    moments = (times.soon, times.due, times.review and times.review - REVIEW_AHEAD, _stuck_from(case))
    turns_at = min((moment for moment in moments if moment is not None and moment > at), default=None)
    return Standing(tuple(sorted(found)), late, turns_at)


def _by_time(case: Case, times: Times, at: datetime, late: bool) -> Iterator[str]:
    if late:
        yield "overdue"
    elif times.soon is not None and times.soon <= at:
        yield "due_soon"
    if late or (case.urgency in _URGENT and case.state in _UNANSWERED):
        yield "red"
    if times.review is not None and times.review - REVIEW_AHEAD <= at:
        yield "review_due"
    stuck = _stuck_from(case)
    if case.flags & {Flag.HARD, Flag.IN_CONFERENCE} or (stuck is not None and stuck <= at):
        yield "hard"


def _stuck_from(case: Case) -> datetime | None:
    return case.last_at + SUSPENDED_LONG if case.state is State.SUSPENDED else None


_Holds = Callable[[Case], bool]


def _in(*states: State) -> _Holds:
    return lambda case: case.state in states


def _flagged(flag: Flag) -> _Holds:
    return lambda case: flag in case.flags


def _tasked(kind: str, *states: TaskState) -> _Holds:
    wanted = frozenset(states) or OPEN_TASKS
    return lambda case: any(task.kind == kind and task.state in wanted for task in case.tasks)


def _dispatched(*, signed: bool) -> _Holds:
    return lambda case: case.state is State.DISPATCHED and (Flag.SIGNED in case.flags) is signed


def _to_visit(case: Case) -> bool:
    clock = clock_of(case, ClockKind.VISIT)
    return case.state is State.VERIFIED and clock is not None and _runs(clock)


def is_unhappy(case: Case) -> bool:
    """Whoever reported it, or whoever was visited, found it not well done, and nobody has taken it up again since."""
    return case.grade == "dissatisfied" and case.state in (State.VERIFIED, State.CLOSED)


def _runs(clock: Clock) -> bool:
    return clock.state is ClockState.RUNNING


_BY_STATE: Final[Mapping[str, _Holds]] = {
    "branch_triage": _in(State.REPORTED),
    "grid_handling": _in(State.GRID_HANDLING),
    "community_calls": _in(State.AT_COMMUNITY),
    "community_handling": _in(State.COMMUNITY_HANDLING),
    "intake": _in(State.AT_STREET),
    "to_confirm": _tasked("confirm"),
    "to_dispatch": _in(State.FILED),
    "disputes": lambda case: (
        case.state is State.DISPUTED or (case.state is State.FILED and count_of(case, "returns") >= 1)
    ),
    "to_sign": _dispatched(signed=False),
    "to_respond": lambda case: case.state is State.AT_DISTRICT or _dispatched(signed=True)(case),
    "in_handling": _in(State.HANDLING, State.DISTRICT_HANDLING),
    "to_verify": _in(State.FED_BACK),
    "visits": lambda case: _to_visit(case) or is_unhappy(case),
    "to_close": _in(State.VERIFIED),
    "approvals": lambda case: bool(pending(case)),
    "supervise_open": _flagged(Flag.SUPERVISED),
    "supervised": _flagged(Flag.SUPERVISED),
    "no_rule": _flagged(Flag.NO_RULE),
    "cross_border": _flagged(Flag.CROSS_BORDER),
    "grid_open": lambda _: True,
    "called_street": lambda case: case.state in _CALLED_STREET,
    "co_tasks": _tasked("co"),
    "to_claim": _tasked("co", TaskState.OFFERED),
    "pledged": _tasked("co", TaskState.DOING),
    "whistles": _in(State.AT_DISTRICT),
}

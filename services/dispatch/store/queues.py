"""The one table of lists: what each holds, how it is sorted, where it is shown.

A row is a predicate over `cases`, read for one scope. Everybody sees only what `visible_cases` lets through; a list of
a unit holds the unit's own share (`_mine`), a list of a person his own tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, TEXT, array
from sqlalchemy.types import TypeEngine

from services.dispatch.store.audience import Scope
from services.dispatch.tables import cases, requests, tasks
from services.governance.acts import TaskState
from services.governance.cycle import Flag, Role, Stage, State, Urgency

Predicate = ColumnElement[bool]
Group = Literal["stage", "watch", "desk"]
_WHEN = DateTime(timezone=True)
# As a subquery it is asked once per statement, not once per row.
NOW: ColumnElement[datetime] = select(literal_column("directory.grid_now()", _WHEN)).scalar_subquery()
REVIEW_AHEAD = timedelta(days=7)
SUSPENDED_LONG = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Sort:
    """A list's order: `key` then the case's id, both ascending; `key` is never NULL."""

    name: str
    key: ColumnElement[Any]
    type: TypeEngine[Any]  # what a cursor's text is cast back to


@dataclass(frozen=True, slots=True)
class Queue:
    """One list. `holds(scope)` is its content within what the scope sees."""

    id: str
    group: Group
    holds: Callable[[Scope], Predicate]
    sort: Sort
    stage: Stage | None = None


# --- orders ------------------------------------------------------------------------------------------------------
_FOREVER: ColumnElement[datetime] = literal_column("'infinity'::timestamptz", _WHEN)
BY_STAGE_DUE = Sort("stage_due", func.coalesce(cases.c.stage_due_at, _FOREVER), _WHEN)
BY_WORK_DUE = Sort("work_due", func.coalesce(cases.c.due_at, _FOREVER), _WHEN)
BY_AGE = Sort("age", cases.c.opened_at, _WHEN)
BY_REVIEW = Sort("review", func.coalesce(cases.c.review_at, _FOREVER), _WHEN)
# U0 first, then who came first: one text key, since ids of urgencies sort as they rank.
BY_URGENCY = Sort(
    "urgency", func.concat(cases.c.urgency, func.to_char(cases.c.opened_at, "YYYYMMDDHH24MISSUS")), Text()
)
# The moment at which a case has taken twice what it was allowed (超时倍数 1), earliest first. Unlike the ratio, which
# grows, it stands still: a row keeps its page while one turns pages.
BY_EXCESS = Sort(
    "excess",
    func.coalesce(
        cases.c.stage_due_at + func.make_interval(0, 0, 0, 0, 0, 0, func.greatest(cases.c.budget_s, 1)), _FOREVER
    ),
    _WHEN,
)


# --- predicates --------------------------------------------------------------------------------------------------
def _in(*states: State) -> Predicate:
    return and_(cases.c.live, cases.c.state.in_([state.value for state in states]))


def _flag(flag: Flag) -> Predicate:
    return cases.c.flags.contains([flag.value])


def is_overdue() -> Predicate:
    """The limit that somebody must keep now has passed."""
    return and_(cases.c.live, cases.c.stage_due_at <= NOW)


def _mine(scope: Scope) -> Predicate:
    """Units see here what they lead; the street sees all."""
    return true() if scope.wide else cases.c.lead_unit.in_(sorted(scope.units))


def _my_task(scope: Scope, kind: str, *states: TaskState) -> Predicate:
    mine = true() if scope.wide else or_(tasks.c.person == scope.account, tasks.c.unit.in_(sorted(scope.units)))
    wanted = [tasks.c.case_id == cases.c.id, tasks.c.open, tasks.c.kind == kind, mine]
    if states:
        wanted.append(tasks.c.state.in_([state.value for state in states]))
    return and_(cases.c.live, exists(select(1).select_from(tasks).where(*wanted)))


def _pending(scope: Scope) -> Predicate:
    """The street sees every request, a unit those of its cases, everybody else what waits for his word."""
    asked = and_(requests.c.case_id == cases.c.id, requests.c.status == "pending")
    all_of_it = and_(_mine(scope), exists(select(1).select_from(requests).where(asked)))
    return and_(cases.c.live, or_(all_of_it, _awaited(scope)))


def _awaited(scope: Scope) -> Predicate:
    """Asked for by somebody else, to be decided by a post of this person."""
    mine = cast([role.value for role in sorted(scope.roles)], ARRAY(TEXT))
    wanted = (
        requests.c.case_id == cases.c.id,
        requests.c.status == "pending",
        requests.c.deciders.overlap(mine),
        requests.c.account.is_distinct_from(scope.account),
    )
    return and_(cases.c.live, exists(select(1).select_from(requests).where(*wanted)))


def _my_requests(scope: Scope) -> Predicate:
    by_me = or_(requests.c.account == scope.account, requests.c.unit.in_(sorted(scope.units)))
    return and_(cases.c.live, exists(select(1).select_from(requests).where(requests.c.case_id == cases.c.id, by_me)))


def _to_mediate(scope: Scope) -> Predicate:
    """His own alone: whom a matter was entrusted to."""
    own = (tasks.c.case_id == cases.c.id, tasks.c.open, tasks.c.kind == "mediate", tasks.c.person == scope.account)
    return and_(cases.c.live, exists(select(1).select_from(tasks).where(*own)))


def _to_verify(scope: Scope) -> Predicate:
    free = cases.c.state == State.FED_BACK.value
    if scope.wide or Role.VERIFIER in scope.roles:
        return and_(cases.c.live, free)
    return and_(cases.c.live, free, or_(_my_task(scope, "verify"), _my_areas(scope)))


def _my_areas(scope: Scope) -> Predicate:
    """Cases of the caller's own grids and communities."""
    if scope.wide:
        return true()
    return or_(cases.c.grid.in_(sorted(scope.grids)), cases.c.community.in_(sorted(scope.communities)))


def _to_sign(scope: Scope) -> Predicate:
    return and_(_in(State.DISPATCHED), ~_flag(Flag.SIGNED), _mine(scope))


def _to_respond(scope: Scope) -> Predicate:
    waiting = and_(_in(State.DISPATCHED), _flag(Flag.SIGNED), _mine(scope))
    return or_(waiting, and_(_in(State.AT_DISTRICT), _district(scope)))


def _district(scope: Scope) -> Predicate:
    return true() if scope.wide or Role.DISTRICT in scope.roles else literal(False)


def _in_handling(scope: Scope) -> Predicate:
    return or_(
        and_(_in(State.HANDLING), _mine(scope)),
        and_(_in(State.DISTRICT_HANDLING), or_(_district(scope), _mine(scope))),
    )


def _red(_: Scope) -> Predicate:
    urgent = cases.c.urgency.in_([Urgency.CRITICAL.value, Urgency.URGENT.value])
    unanswered = cases.c.state.in_(
        [s.value for s in (State.REPORTED, State.AT_COMMUNITY, State.AT_STREET, State.FILED, State.DISPATCHED)]
    )
    return and_(cases.c.live, or_(and_(urgent, unanswered), is_overdue()))


def _disputes(_: Scope) -> Predicate:
    return or_(_in(State.DISPUTED), and_(_in(State.FILED), cases.c.returns >= 1))


def _due_soon(_: Scope) -> Predicate:
    return and_(cases.c.live, cases.c.due_soon_at <= NOW, cases.c.stage_due_at > NOW)


def _review_due(_: Scope) -> Predicate:
    return and_(_in(State.SUSPENDED), cases.c.review_at <= NOW + REVIEW_AHEAD)


def _hard(_: Scope) -> Predicate:
    stuck = and_(_in(State.SUSPENDED), cases.c.last_at <= NOW - SUSPENDED_LONG)
    return and_(cases.c.live, or_(_flag(Flag.HARD), _flag(Flag.IN_CONFERENCE), stuck))


def _called_street(scope: Scope) -> Predicate:
    at_street = _in(State.AT_STREET, State.CONFIRMING, State.FILED, State.DISPATCHED, State.HANDLING, State.DISPUTED)
    return and_(at_street, _my_areas(scope))


def _flagged(*flags: Flag, states: tuple[State, ...] = ()) -> Callable[[Scope], Predicate]:
    def holds(_: Scope) -> Predicate:
        wanted = [cases.c.live, *(_flag(flag) for flag in flags)]
        if states:
            wanted.append(_in(*states))
        return and_(*wanted)

    return holds


def _standing(*states: State) -> Callable[[Scope], Predicate]:
    return lambda _: _in(*states)


def _tasked(kind: str, *states: TaskState) -> Callable[[Scope], Predicate]:
    return lambda scope: _my_task(scope, kind, *states)


def _own_areas(*states: State) -> Callable[[Scope], Predicate]:
    return lambda scope: and_(_in(*states) if states else cases.c.live, _my_areas(scope))


_D, _C, _S, _R, _H, _X = tuple(Stage)
_OFFERED, _DOING = TaskState.OFFERED, TaskState.DOING

QUEUES: tuple[Queue, ...] = (
    Queue("branch_triage", "stage", _own_areas(State.REPORTED), BY_STAGE_DUE, _D),
    Queue("community_calls", "stage", _own_areas(State.AT_COMMUNITY), BY_STAGE_DUE, _C),
    Queue("community_handling", "stage", _own_areas(State.COMMUNITY_HANDLING), BY_STAGE_DUE, _C),
    Queue("intake", "stage", _standing(State.AT_STREET), BY_URGENCY, _S),
    Queue("to_confirm", "stage", _tasked("confirm"), BY_STAGE_DUE, _S),
    Queue("to_dispatch", "stage", _standing(State.FILED), BY_STAGE_DUE, _S),
    Queue("disputes", "stage", _disputes, BY_AGE, _S),
    Queue("to_sign", "stage", _to_sign, BY_STAGE_DUE, _R),
    Queue("to_respond", "stage", _to_respond, BY_STAGE_DUE, _R),
    Queue("in_handling", "stage", _in_handling, BY_STAGE_DUE, _H),
    Queue("to_verify", "stage", _to_verify, BY_STAGE_DUE, _X),
    Queue("to_close", "stage", _own_areas(State.VERIFIED), BY_STAGE_DUE, _X),
    Queue("red", "watch", _red, BY_STAGE_DUE),
    Queue("overdue", "watch", lambda _: is_overdue(), BY_EXCESS),
    Queue("due_soon", "watch", _due_soon, BY_STAGE_DUE),
    Queue("approvals", "watch", _pending, BY_WORK_DUE),
    Queue("review_due", "watch", _review_due, BY_REVIEW),
    Queue("supervise_open", "watch", _flagged(Flag.SUPERVISED), BY_STAGE_DUE),
    Queue("hard", "watch", _hard, BY_AGE),
    Queue("no_rule", "watch", _flagged(Flag.NO_RULE), BY_STAGE_DUE),
    Queue("cross_border", "watch", _flagged(Flag.CROSS_BORDER), BY_AGE),
    Queue("grid_handling", "desk", _own_areas(State.GRID_HANDLING), BY_STAGE_DUE),
    Queue("grid_open", "desk", _own_areas(), BY_STAGE_DUE),
    Queue("called_street", "desk", _called_street, BY_STAGE_DUE),
    Queue("co_tasks", "desk", _tasked("co"), BY_STAGE_DUE),
    Queue("my_requests", "desk", _my_requests, BY_WORK_DUE),
    Queue("to_claim", "desk", _tasked("co", _OFFERED), BY_STAGE_DUE),
    Queue("pledged", "desk", _tasked("co", _DOING), BY_STAGE_DUE),
    Queue("to_approve", "desk", _awaited, BY_WORK_DUE),
    Queue("supervised", "desk", _flagged(Flag.SUPERVISED), BY_STAGE_DUE),
    Queue("to_mediate", "desk", _to_mediate, BY_STAGE_DUE),
    Queue("whistles", "desk", lambda scope: and_(_in(State.AT_DISTRICT), _district(scope)), BY_STAGE_DUE),
)
BY_ID: Mapping[str, Queue] = {queue.id: queue for queue in QUEUES}


def queues_of_case(scope: Scope) -> ColumnElement[Any]:
    """An array column: the ids of the lists a case stands in for this scope."""
    hits = (case((queue.holds(scope), literal(queue.id))) for queue in QUEUES)
    return func.array_remove(array(list(hits)), None)

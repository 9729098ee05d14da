"""The one table of lists: what each holds, how it is sorted, where it is shown.

Where a case stands for whoever sees all of it is stored with its row (`store.standing`); a list adds to that only
which share of it is the reader's. Everybody sees only what `visible_cases` lets through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Literal

from sqlalchemy import (
    Boolean,
    ColumnElement,
    DateTime,
    Text,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, TEXT, array
from sqlalchemy.types import TypeEngine

from services.dispatch.orders import ENDED, ORDERS, PERSONAL, Order, holds
from services.dispatch.store.audience import Scope
from services.dispatch.tables import cases, requests, tasks
from services.governance.acts import TaskState
from services.governance.cycle import Role, Stage, State

Predicate = ColumnElement[bool]
Group = Literal["stage", "watch", "desk"]
_WHEN: TypeEngine[datetime] = DateTime(timezone=True)


@dataclass(frozen=True, slots=True)
class Sort:
    """A list's order: `key` then the case's id, both ascending; `key` is never NULL."""

    name: str
    key: ColumnElement[Any]
    type: TypeEngine[Any]  # what a cursor's text is cast back to


class Whole(Enum):
    """For whom a list holds all that stands in it, of the cases that he sees."""

    FOR_ALL = "for all"
    OF_AREAS = "of areas"  # for people of a street, a community or a grid, within it
    OF_STREETS = "of streets"  # for people of a street alone: others have a share


@dataclass(frozen=True, slots=True)
class Queue:
    """One list. `share(scope)` is which of the cases standing in it are the reader's."""

    id: str
    group: Group
    share: Callable[[Scope], Predicate]
    whole: Whole = Whole.OF_STREETS
    stage: Stage | None = None

    @property
    def sort(self) -> Sort:
        order = ORDERS[self.id]
        kind: TypeEngine[Any] = Text() if order is Order.URGENCY else _WHEN
        return Sort(order.value, literal_column(order.key, kind), kind)

    @property
    def stored(self) -> bool:
        """Whether a case's row says that it stands here."""
        return self.id not in PERSONAL

    @property
    def stands(self) -> Predicate:
        """That a case's row says so. Where none of it has ended, saying so opens the index by reader to the list."""
        says = literal_column(holds(self.id), Boolean())
        return says if self.id in ENDED else and_(cases.c.live, says)

    def holds(self, scope: Scope) -> Predicate:
        """The list's content within what the scope sees."""
        return and_(self.stands, self.share(scope)) if self.stored else self.share(scope)


BY_AGE = Sort(Order.AGE.value, literal_column(Order.AGE.key, _WHEN), _WHEN)


# --- shares ------------------------------------------------------------------------------------------------------
def _all(_: Scope) -> Predicate:
    return true()


def _mine(scope: Scope) -> Predicate:
    """Units see here what they lead; the street sees all."""
    return true() if scope.wide else cases.c.lead_unit.in_(sorted(scope.units))


def _my_task(kind: str, *states: TaskState) -> Callable[[Scope], Predicate]:
    """Units and people see here what is asked of them; the street sees all."""

    def share(scope: Scope) -> Predicate:
        if scope.wide:
            return true()
        mine = or_(tasks.c.person == scope.account, tasks.c.unit.in_(sorted(scope.units)))
        wanted = [tasks.c.case_id == cases.c.id, tasks.c.open, tasks.c.kind == kind, mine]
        if states:
            wanted.append(tasks.c.state.in_([state.value for state in states]))
        return exists(select(1).select_from(tasks).where(*wanted))

    return share


def _pending(scope: Scope) -> Predicate:
    """The street sees every request, a unit those of its cases, everybody else what waits for his word."""
    return true() if scope.wide else or_(_mine(scope), _awaited(scope))


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
    if Role.VERIFIER in scope.roles:
        return true()
    return or_(_my_task("verify")(scope), _my_areas(scope))


def _my_areas(scope: Scope) -> Predicate:
    """Cases of the caller's own grids and communities."""
    if scope.wide:
        return true()
    return or_(cases.c.grid.in_(sorted(scope.grids)), cases.c.community.in_(sorted(scope.communities)))


def _district(scope: Scope) -> Predicate:
    return true() if scope.wide or Role.DISTRICT in scope.roles else false()


def _to_respond(scope: Scope) -> Predicate:
    if scope.wide:
        return true()
    return or_(
        and_(cases.c.state == State.DISPATCHED.value, _mine(scope)),
        and_(cases.c.state == State.AT_DISTRICT.value, _district(scope)),
    )


def _in_handling(scope: Scope) -> Predicate:
    if scope.wide:
        return true()
    return or_(_mine(scope), and_(cases.c.state == State.DISTRICT_HANDLING.value, _district(scope)))


_D, _C, _S, _R, _H, _X = tuple(Stage)
_AREAS, _FOR_ALL = Whole.OF_AREAS, Whole.FOR_ALL

QUEUES: tuple[Queue, ...] = (
    Queue("branch_triage", "stage", _my_areas, _AREAS, _D),
    Queue("community_calls", "stage", _my_areas, _AREAS, _C),
    Queue("community_handling", "stage", _my_areas, _AREAS, _C),
    Queue("intake", "stage", _all, _FOR_ALL, _S),
    Queue("to_confirm", "stage", _my_task("confirm"), stage=_S),
    Queue("to_dispatch", "stage", _all, _FOR_ALL, _S),
    Queue("disputes", "stage", _all, _FOR_ALL, _S),
    Queue("to_sign", "stage", _mine, stage=_R),
    Queue("to_respond", "stage", _to_respond, stage=_R),
    Queue("in_handling", "stage", _in_handling, stage=_H),
    Queue("to_verify", "stage", _to_verify, _AREAS, _X),
    Queue("visits", "stage", _all, _FOR_ALL, _X),
    Queue("to_close", "stage", _my_areas, _AREAS, _X),
    Queue("red", "watch", _all, _FOR_ALL),
    Queue("overdue", "watch", _all, _FOR_ALL),
    Queue("due_soon", "watch", _all, _FOR_ALL),
    Queue("approvals", "watch", _pending),
    Queue("review_due", "watch", _all, _FOR_ALL),
    Queue("supervise_open", "watch", _all, _FOR_ALL),
    Queue("hard", "watch", _all, _FOR_ALL),
    Queue("no_rule", "watch", _all, _FOR_ALL),
    Queue("cross_border", "watch", _all, _FOR_ALL),
    Queue("grid_handling", "desk", _my_areas, _AREAS),
    Queue("grid_open", "desk", _my_areas, _AREAS),
    Queue("called_street", "desk", _my_areas, _AREAS),
    Queue("co_tasks", "desk", _my_task("co")),
    Queue("my_requests", "desk", _my_requests),
    Queue("to_claim", "desk", _my_task("co", TaskState.OFFERED)),
    Queue("pledged", "desk", _my_task("co", TaskState.DOING)),
    Queue("to_approve", "desk", _awaited),
    Queue("supervised", "desk", _all, _FOR_ALL),
    Queue("to_mediate", "desk", _to_mediate),
    Queue("whistles", "desk", _district),
)
BY_ID: Mapping[str, Queue] = {queue.id: queue for queue in QUEUES}


def queues_of_case(scope: Scope) -> ColumnElement[Any]:
    """An array column: the ids of the lists a case stands in for this scope."""
    hits = (case((queue.holds(scope), literal(queue.id))) for queue in QUEUES)
    return func.array_remove(array(list(hits)), None)

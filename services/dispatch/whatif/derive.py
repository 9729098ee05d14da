"""Questions that an earlier version did not keep, read off the facts that answered them.

Most of what a person filled in shows in what it changed. What does not show is taken as harmless: that there were words
and evidence, that nothing like it was near. Where that was wrong the replay differs from the record, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from schemas.asked import TYPED, Asked
from services.governance.acts import (
    Act,
    Actor,
    ActorRef,
    Around,
    AttachPhoto,
    Change,
    Classified,
    ClockStarted,
    Command,
    Fact,
    Inputs,
    Moved,
    OpenCase,
    Post,
    ReportAttached,
    RequestChanged,
    StateChanged,
    TaskChanged,
    TaskGiven,
    TimerFired,
)
from services.governance.case import Case, evolve, next_point
from services.governance.cycle import Action, Role, State

_INSTANT = timedelta(microseconds=1)
_Fields = dict[str, Any]  # fields of Inputs
T = TypeVar("T", bound=Change)


class Unknowable(Exception):
    """What was asked can not be found out; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Deriving:
    """Walks along the facts of one case; only folds them where something must be derived."""

    def __init__(self, opening: OpenCase, facts: Sequence[Fact]) -> None:
        self._opening, self._facts = opening, facts
        self._case: Case | None = None
        self._folded = 0
        self.used = False

    def asked(self, index: int) -> list[Asked]:
        """The question that the fact at `index` answers; none where it only follows from the one before."""
        self.used = True
        fact, around = self._facts[index], self._around(index)
        if index == 0:
            return [Asked(fact.at, self._opening, around)]
        if any((each.op_id, each.action) == (fact.op_id, fact.action) for each in self._facts[:index] if each.op_id):
            return []
        command = self._command(index)
        if command is None:
            return self._by_itself(index, around)
        return [Asked(fact.at, command, around)]

    def _by_itself(self, index: int, around: Around) -> list[Asked]:
        """A machine's fact: the clock's point that it acted on, or nothing where the act before it went on."""
        fact, case = self._facts[index], self._before(index)
        found = next_point(case, fact.at + _INSTANT)
        if found is None:
            return []
        clock, rung = found
        due = any(point.at == fact.at for each in case.clocks for point in each.rungs)
        now = fact.at + _INSTANT if due else fact.at
        return [Asked(now, TimerFired(clock.clock_id, clock.rev, rung.rung, rung.at), around)]

    def _command(self, index: int) -> Command | None:
        fact = self._facts[index]
        if fact.op_id is not None and fact.action is not None:
            return self._act(index, fact, fact.action, fact.op_id)
        attached = next(_those(fact.changes, ReportAttached), None)
        if attached is None:
            return None
        if attached.photo_ids:
            return AttachPhoto(attached.report_id, attached.photo_ids[0])
        return replace(self._opening, report_id=attached.report_id, reporter=fact.actor)

    def _act(self, index: int, fact: Fact, action: Action, op_id: str) -> Act:
        own = [each for each in self._facts[index:] if each.op_id == op_id and each.action is action]
        changes = tuple(change for each in own for change in each.changes)
        given: _Fields = {"reason": own[-1].reason, "note": TYPED, "evidence": (TYPED,)}
        given |= _GIVEN.get(action, _nothing)(replace(own[-1], changes=changes), self._before(index))
        return Act(action, _actor(fact), Inputs(**given), op_id)

    def _around(self, index: int) -> Around:
        """The grid had no branch where the machine passed its case on for that; a verifier is who got the task."""
        same = [each for each in self._facts[index:] if each.at == self._facts[index].at]
        passed_on = any(each.reason == "no_branch" for each in same) and self._opening.spot.grid is not None
        given = [change for each in same for change in _those(each.changes, TaskGiven)]
        tasks = [change.task for change in given if change.task.kind in ("verify", "confirm")]
        place = next((change.spot for change in _those(self._facts[index].changes, Moved)), None)
        person = tasks[0].person if tasks else None
        return Around(
            grid_has_branch=not passed_on,
            verifier=ActorRef(person, Role.VERIFIER) if person is not None else None,
            place=place,
        )

    def _before(self, index: int) -> Case:
        while self._folded < index:
            self._case = evolve(self._case, self._facts[self._folded])
            self._folded += 1
        if self._case is None:
            raise Unknowable("no_opening")
        return self._case


def _actor(fact: Fact) -> Actor:
    """With the post that the fact names, over the whole street: where it was allowed once it is allowed again."""
    role = fact.actor.role
    posts = [Post(role, unit=fact.actor.unit)] if role is not None else []
    if fact.action is Action.FILE_DISPATCH:
        posts.append(Post(Role.INTAKE_CLERK))
    return Actor(fact.actor.account or "", tuple(posts))


def _those(changes: Sequence[Change], kind: type[T]) -> Iterator[T]:
    return (change for change in changes if isinstance(change, kind))


# --- what was filled in, by action --------------------------------------------------------------------------------
def _nothing(_fact: Fact, _case: Case) -> _Fields:
    return {}


def _means(fact: Fact, _case: Case) -> _Fields:
    return {"means": fact.reason, "reason": None}


def _grade(fact: Fact, _case: Case) -> _Fields:
    return {"grade": fact.reason, "reason": None}


def _kind(fact: Fact, _case: Case) -> _Fields:
    return {"kind": fact.reason, "reason": None}


def _class(fact: Fact, _case: Case) -> _Fields:
    chosen = next(_those(fact.changes, Classified), None)
    moved = next(_those(fact.changes, Moved), None)
    given: _Fields = {"cell": moved.spot.cell} if moved is not None else {}
    if chosen is not None:
        code = chosen.category.code if chosen.category is not None else None
        given |= {"category": code, "condition": chosen.condition, "urgency": chosen.urgency}
    return given


def _units(fact: Fact, _case: Case) -> _Fields:
    tasks = [change.task for change in _those(fact.changes, TaskGiven)]
    lead = next((task.unit for task in tasks if task.kind == "lead"), None)
    return {"lead_unit": lead, "co_units": tuple(task.unit for task in tasks if task.kind == "co")}


def _until_clock(fact: Fact, _case: Case) -> _Fields:
    return {"until": next((change.clock.due_at for change in _those(fact.changes, ClockStarted)), None)}


def _request(fact: Fact, _case: Case) -> _Fields:
    request = next((change.request for change in _those(fact.changes, RequestChanged)), None)
    return {"request": request.request_id, "until": request.until} if request is not None else {}


def _task(fact: Fact, _case: Case) -> _Fields:
    return {"task": next((change.task.task_id for change in _those(fact.changes, TaskChanged)), None)}


def _reopened(fact: Fact, _case: Case) -> _Fields:
    filed = any(change.to is State.FILED for change in _those(fact.changes, StateChanged))
    return {"kind": "other_unit" if filed else "same_unit"}


def _recalled(fact: Fact, _case: Case) -> _Fields:
    calmed = next(_those(fact.changes, Classified), None)
    return {"urgency": calmed.urgency if calmed is not None else None, "reason": None}


def _person(fact: Fact, _case: Case) -> _Fields:
    task = next((change.task for change in _those(fact.changes, TaskGiven)), None)
    return {"person": task.person if task is not None and fact.rule is None else None}


_Given = Callable[[Fact, Case], _Fields]
_GIVEN: Mapping[Action, _Given] = {
    Action.RESPOND: _means,
    Action.VERIFY_PASS: _means,
    Action.SELF_RESOLVE_DONE: _means,
    Action.VISIT: _grade,
    Action.SATISFACTION: _grade,
    Action.WHISTLE: _kind,
    Action.FILE: _class,
    Action.RECLASSIFY: _class,
    Action.DISPATCH: _units,
    Action.REDISPATCH: _units,
    Action.RULE: _units,
    Action.ACCEPT: _units,
    Action.ADD_CO: lambda fact, case: {**_units(fact, case), **_until_clock(fact, case)},
    Action.FILE_DISPATCH: lambda fact, case: {**_class(fact, case), **_units(fact, case)},
    Action.SUPERVISE: _until_clock,
    Action.SUSPEND_REQUEST: _request,
    Action.APPROVE: _request,
    Action.DENY: _request,
    Action.DROP_CO: _task,
    Action.WAIVE: _task,
    Action.CO_DONE: _task,
    Action.CLAIM: _task,
    Action.DECLINE_OFFER: _task,
    Action.REOPEN: _reopened,
    Action.RECALL: _recalled,
    Action.CONFIRM_REQUEST: _person,
    Action.RETURN: lambda _fact, case: {"suggested_unit": case.lead},
    Action.FEEDBACK: lambda _fact, _case: {"close_condition_met": True},
    Action.CALL_CONFERENCE: lambda fact, _case: {"co_units": tuple(t.code for t in fact.tell if t.post == "HU")},
}

"""Shares of a joint disposal: one lead, any number of co-units; a member unit is offered, never ordered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.governance import sla
from services.governance.acts import (
    Actor,
    Change,
    Clock,
    ClockStarted,
    FactKind,
    HandledBy,
    Task,
    TaskGiven,
    TaskState,
    Told,
)
from services.governance.case.model import Case, clock_of, live_clock, open_tasks
from services.governance.case.turn import Turn, runs
from services.governance.cycle import ClockKind, State
from services.governance.errors import InvalidInput, UnknownTask
from services.governance.rulebook import Rulebook
from services.governance.sla import Allowance
from services.governance.worktime import Basis, spent

PARENT = {
    State.COMMUNITY_HANDLING: ClockKind.COMMUNITY_DISPOSAL,
    State.DISPATCHED: ClockKind.HANDLING,
    State.HANDLING: ClockKind.HANDLING,
    State.DISTRICT_HANDLING: ClockKind.DISTRICT_HANDLING,
}


def give_lead(turn: Turn, unit: str) -> list[Change]:
    """The lead's own task; its time is the handling clock itself."""
    return [TaskGiven(Task(turn.task_id(), "lead", unit, None, TaskState.DOING, turn.at))]


def give_co_tasks(
    turn: Turn, units: Sequence[str], parent: Clock | None, until: datetime | None = None, offset: int = 0
) -> list[Change]:
    """One task and one clock per unit, due no later than the parent clock."""
    changes: list[Change] = []
    for number, code in enumerate(units):
        unit = turn.book.require_unit(code)
        state = TaskState.OFFERED if unit.voluntary else TaskState.DOING
        task_id = turn.task_id(offset + number)
        changes.append(TaskGiven(Task(task_id, "co", code, None, state, turn.at)))
        if parent is not None and runs(turn.case.nature, ClockKind.CO_TASK):
            allowance = _share(turn, parent, until)
            clock_id = f"{task_id}:clock"
            kind, urgency = ClockKind.CO_TASK, turn.case.urgency
            changes.append(ClockStarted(sla.start(turn.book, clock_id, kind, allowance, turn.at, urgency, task_id)))
    return changes


def _share(turn: Turn, parent: Clock, until: datetime | None) -> Allowance:
    """What is left of the parent clock, or less where a person named an earlier moment."""
    end = parent.due_at if until is None else min(until, parent.due_at)
    left = spent(turn.at, end, parent.basis, turn.book.calendar)
    return Allowance(max(1, left), Basis(parent.basis))


def co_units_given(turn: Turn, lead: str | None) -> tuple[str, ...]:
    """The co-units asked for: known, not twice, not the lead, no member unit in a restricted matter. Else raises."""
    units = tuple(dict.fromkeys(turn.inputs.co_units))
    for unit in units:
        if turn.book.require_unit(unit).voluntary and turn.case.restricted:
            raise InvalidInput("co_units", unit)
    if lead is not None and lead in units:
        raise InvalidInput("co_units", lead)
    return units


def close_task(turn: Turn, task: Task, state: TaskState) -> list[Change]:
    """The task ends, and its clock with it."""
    clock = next((c for c in turn.case.clocks if c.task_id == task.task_id), None)
    changes: list[Change] = [turn.task_as(task, state)]
    if clock is not None and clock.stopped_at is None:
        changes.append(turn.stopped(clock))
    return changes


def drop_co_tasks(turn: Turn) -> list[Change]:
    """Every open co-task is nobody's any more."""
    return [c for t in open_tasks(turn.case, "co") for c in close_task(turn, t, TaskState.DROPPED)]


# --- moves ----------------------------------------------------------------------------------------------------------
def add_co(turn: Turn) -> None:
    case = turn.case
    units = co_units_given(turn, case.lead)
    busy = {t.unit for t in open_tasks(case, "co")}
    taken = next((u for u in units if u in busy), None)
    if taken is not None:
        raise InvalidInput("co_units", taken)
    parent = live_clock(case, PARENT[case.state]) or clock_of(case, ClockKind.REPLY)
    tell = tuple(Told("HU", u) for u in units)
    turn.emit(FactKind.CO_ADDED, give_co_tasks(turn, units, parent, turn.inputs.until), tell=tell)


def drop_co(turn: Turn) -> None:
    task = _named(turn)
    tell = (Told("HU", task.unit or ""),)
    turn.emit(FactKind.CO_DROPPED, close_task(turn, task, TaskState.DROPPED), reason=turn.inputs.reason, tell=tell)


def waive(turn: Turn) -> None:
    changes = close_task(turn, _named(turn), TaskState.WAIVED)
    turn.emit(FactKind.CO_WAIVED, changes, reason=turn.inputs.reason, tell=(Told("lead_unit", turn.case.lead or ""),))


def co_done(turn: Turn, actor: Actor) -> None:
    task = _own(turn, own_tasks(turn.case, actor))
    changes = close_task(turn, task, TaskState.DONE)
    if turn.who.account is not None:
        changes.append(HandledBy(turn.who.account))
    turn.emit(FactKind.CO_DONE, changes, tell=(Told("lead_unit", turn.case.lead or ""),))


def claim(turn: Turn, actor: Actor) -> None:
    """A member unit promises its share: from now on the lead waits for it."""
    task = _own(turn, own_offers(turn.case, actor))
    tell = (Told("lead_unit", turn.case.lead or ""),)
    turn.emit(FactKind.CO_CLAIMED, [turn.task_as(task, TaskState.DOING)], tell=tell)


def decline_offer(turn: Turn, actor: Actor) -> None:
    """A member unit says no by itself; a street unit asks, and who gave the work lets it off."""
    asked = turn.granting
    task = _own(turn, own_offers(turn.case, actor)) if asked is None else _share_of(turn, asked.by.unit)
    turn.emit(FactKind.CO_DROPPED, close_task(turn, task, TaskState.DECLINED), reason="declined")


def _share_of(turn: Turn, unit: str | None) -> Task:
    named = turn.inputs.task
    for task in open_tasks(turn.case, "co"):
        if task.unit == unit and named in (None, task.task_id):
            return task
    raise UnknownTask(named or "")


def has_offer(case: Case, _book: Rulebook, _now: datetime, actor: Actor) -> None:
    """Only what a member unit was asked for can be claimed or declined; a task of a street unit cannot."""
    if not own_offers(case, actor):
        raise UnknownTask("")


def own_tasks(case: Case, actor: Actor) -> tuple[Task, ...]:
    """The open co-tasks of the actor's own units."""
    units = {p.unit for p in actor.posts}
    return tuple(t for t in open_tasks(case, "co") if t.unit in units)


def own_offers(case: Case, actor: Actor) -> tuple[Task, ...]:
    """Those of them that a unit was asked for and may still decline."""
    return tuple(t for t in own_tasks(case, actor) if t.state is TaskState.OFFERED)


def has_co_task(case: Case, _book: Rulebook, _now: datetime, _actor: Actor) -> None:
    if not open_tasks(case, "co"):
        raise UnknownTask("")


def _named(turn: Turn) -> Task:
    wanted = turn.inputs.task or ""
    for task in open_tasks(turn.case, "co"):
        if task.task_id == wanted:
            return task
    raise UnknownTask(wanted)


def _own(turn: Turn, able: Sequence[Task]) -> Task:
    """The task named among those that the actor may end, or the first; he acts for the unit that it was given to."""
    wanted = turn.inputs.task
    for task in able:
        if wanted in (None, task.task_id):
            turn.who = replace(turn.who, unit=task.unit)
            return task
    raise UnknownTask(wanted or "")

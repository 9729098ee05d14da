"""Joint disposal, one lane per unit or person: what was asked, until when, what it did last, and what it showed."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.api.dispatch import CasePhotoOut, DueOut, TaskActOut, TaskOut
from services.dispatch.store.detail import FactRow
from services.dispatch.usecases.page import CasePage, by_machine
from services.governance.acts import Clock, ClockState, Task, TaskGiven
from services.governance.cycle import ClockKind

_ASKED = frozenset({"lead", "co", "confirm"})
"""Shares that somebody gives with words of his own; the others follow by themselves."""

_OF_LEAD = (ClockKind.RESPONSE, ClockKind.HANDLING)
"""The lead has no clock of its own: its time is the case's."""


def shares_of(page: CasePage) -> tuple[TaskOut, ...]:
    """In the order in which they were given."""
    return tuple(_share(task, page) for task in page.case.tasks)


def _share(task: Task, page: CasePage) -> TaskOut:
    given = _giving(task, page)
    acts = _acts(task, page)
    clock = _clock_of(task, page.case.clocks)
    used = {fact.fact_id for fact in acts}
    return TaskOut(
        id=task.task_id,
        kind=task.kind,
        unit=task.unit,
        unit_name=page.words.place(task.unit) or None,
        person_name=page.words.person(task.person),
        state=task.state,
        given_at=task.given_at,
        done_at=task.done_at,
        ask=_asked(given, page) if given and task.kind in _ASKED else None,
        given_by=page.words.person(given.account) if given else None,
        due=_due(clock) if clock else None,
        last=_act(acts[-1], page) if acts else None,
        evidence=tuple(
            CasePhotoOut(id=piece.id, url=page.photo_url(piece.id)) for piece in page.evidence if piece.fact_id in used
        ),
    )


def _giving(task: Task, page: CasePage) -> FactRow | None:
    """The act that gave it."""
    for fact, whole in zip(page.facts, page.history, strict=False):
        if any(isinstance(change, TaskGiven) and change.task.task_id == task.task_id for change in whole.changes):
            return fact
    return None


def _asked(given: FactRow, page: CasePage) -> str | None:
    """What was written when it was given; 立案并派遣 is two facts of one act, with the words under the first."""
    same = (fact for fact in page.facts if (fact.account, fact.at) == (given.account, given.at))
    return next((fact.note for fact in same if fact.note), None)


def _acts(task: Task, page: CasePage) -> list[FactRow]:
    """What its unit or person did while it had the task, oldest first."""
    return [
        fact
        for fact in page.facts
        if not by_machine(fact)
        and (fact.unit == task.unit if task.unit is not None else fact.account == task.person)
        and task.given_at <= fact.at
        and (task.done_at is None or fact.at <= task.done_at)
    ]


def _act(fact: FactRow, page: CasePage) -> TaskActOut:
    words = page.words
    return TaskActOut(
        at=fact.at, label=words.fact(fact.kind, fact.intent, fact.stage), by_name=words.person(fact.account)
    )


def _clock_of(task: Task, clocks: Iterable[Clock]) -> Clock | None:
    """The one that runs for it now: its own, or the case's first to fall due where it leads."""
    own = (c for c in clocks if c.task_id == task.task_id or (task.kind == "lead" and c.kind in _OF_LEAD))
    live = [c for c in own if c.state is not ClockState.STOPPED] if task.done_at is None else []
    return min(live, key=lambda c: c.due_at) if live else None


def _due(clock: Clock) -> DueOut:
    return DueOut(
        clock_id=clock.clock_id,
        kind=clock.kind,
        due_at=clock.due_at,
        basis=clock.basis,
        started_at=clock.started_at,
        budget_s=clock.budget_s,
        provisional=clock.provisional,
    )

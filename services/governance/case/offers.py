"""What an actor may do with a case now: the same table and guards that `decide` reads, turned into a list."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from services.governance.acts import Actor, Input, InputType, Task
from services.governance.case.cotasks import own_offers, own_tasks
from services.governance.case.model import Case, open_tasks
from services.governance.case.permits import permit
from services.governance.case.requests import decidable
from services.governance.case.rows import guard
from services.governance.cycle import Action
from services.governance.errors import GovernanceError
from services.governance.moves import BY_STATE, Move
from services.governance.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class Offer:
    """One possible action with the fields of its form. `label` is the word's id, `ask` that somebody else approves."""

    action: Action
    inputs: tuple[Input, ...]
    primary: bool
    label: str = ""
    ask: bool = False


def offers(case: Case, actor: Actor, rulebook: Rulebook, now: datetime) -> tuple[Offer, ...]:
    """Actions of the main road first."""
    if case.history:
        return ()
    found = []
    for move in BY_STATE[case.state]:
        allowed_by = permit(case, actor, move.who)
        if allowed_by is None or not _holds(move, case, actor, rulebook, now):
            continue
        inputs = tuple(_filled(field, move, case, actor, rulebook) for field in move.inputs)
        found.append(Offer(move.action, inputs, move.primary, move.label_id, allowed_by[0].ask))
    return tuple(found)


def _holds(move: Move, case: Case, actor: Actor, rulebook: Rulebook, now: datetime) -> bool:
    try:
        guard(move.row, case, rulebook, now, actor)
    except GovernanceError:
        return False
    return True


def _every_task(case: Case, _actor: Actor) -> tuple[Task, ...]:
    return open_tasks(case, "co")


# A unit ends its own share; the lead and the street speak of anybody's.
_TASKS = {"20.done": own_tasks, "20.decline": own_offers}


def _filled(field: Input, move: Move, case: Case, actor: Actor, rulebook: Rulebook) -> Input:
    """What only the case knows: its conditions, open tasks, requests to decide, whether a class is still missing."""
    if field.type is InputType.CONDITION:
        category = rulebook.category_of(case.category)
        return replace(field, choices=category.conditions if category else tuple(rulebook.conditions))
    if field.type is InputType.CATEGORY:
        return replace(field, required=rulebook.category_of(case.category) is None)
    if field.type is InputType.TASK:
        return replace(field, choices=tuple(t.task_id for t in _TASKS.get(move.row, _every_task)(case, actor)))
    if field.name == "request":
        return replace(field, choices=tuple(r.request_id for r in decidable(case, rulebook, actor)))
    if field.name == "evidence" and move.row in ("9", "28"):
        return replace(field, required=rulebook.condition_of(case.condition, case.danger).evidence_required)
    return field

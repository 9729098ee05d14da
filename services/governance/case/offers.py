"""What an actor may do with a case now: the same table and guards that `decide` reads, turned into a list."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from services.governance.acts import Actor, Input, InputType, Task
from services.governance.case.closing import tried_now
from services.governance.case.cotasks import own_offers, own_tasks
from services.governance.case.model import Case, open_tasks, pending
from services.governance.case.proposals import decidable
from services.governance.case.rows import grantable, road
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
        if move.action is Action.UNDO:
            continue  # what was done last, and when, stands beside the case
        try:
            grant, _ = road(move, case, rulebook, now, actor)
        except GovernanceError:
            continue
        if move.action is Action.APPROVE and not grantable(case, rulebook, now, actor):
            continue
        inputs = tuple(_filled(field, move, case, actor, rulebook, now) for field in fields_of(move, rulebook))
        found.append(Offer(move.action, inputs, move.primary and not grant.ask, move.label_id, grant.ask))
    return tuple(found)


def fields_of(move: Move, rulebook: Rulebook) -> tuple[Input, ...]:
    """What the move asks for; to choose a reason from the street has its own list where its rulebook tells one."""
    own = rulebook.reasons.get(move.label_id)
    if own is None:
        return move.inputs
    return tuple(replace(field, choices=tuple(own)) if field.name == "reason" else field for field in move.inputs)


def _every_task(case: Case, _actor: Actor) -> tuple[Task, ...]:
    return open_tasks(case, "co")


# A unit ends its own share; the lead and the street speak of anybody's.
_TASKS = {"20.claim": own_offers, "20.done": own_tasks, "20.decline": own_offers}


def _filled(field: Input, move: Move, case: Case, actor: Actor, rulebook: Rulebook, now: datetime) -> Input:
    """What only the case knows: its conditions, open tasks, requests to decide, whether a class is still missing."""
    if field.type is InputType.CONDITION:
        category = rulebook.category_of(case.category)
        return replace(field, choices=category.conditions if category else tuple(rulebook.conditions))
    if field.type is InputType.CATEGORY:
        return replace(field, required=rulebook.category_of(case.category) is None)
    if field.type is InputType.TASK:
        return replace(field, choices=tuple(t.task_id for t in _TASKS.get(move.row, _every_task)(case, actor)))
    if field.name == "grade" and move.row == "31" and tried_now(case, now):
        return replace(field, choices=tuple(c for c in field.choices if c != "not_reached"))
    if field.name == "request":
        able = grantable if move.action is Action.APPROVE else decidable
        return replace(field, choices=tuple(r.request_id for r in able(case, rulebook, now, actor)))
    if move.action is Action.WHISTLE and field.name == "kind" and any(r.kind is move.action for r in pending(case)):
        return replace(field, choices=("emergency",))  # any other is being asked for already
    if field.name == "evidence" and move.row in ("9", "28"):
        return replace(field, required=rulebook.condition_of(case.condition, case.danger).evidence_required)
    return field

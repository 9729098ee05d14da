"""调解: of a restricted matter its owner chain names who mediates. He sees all of the case; what is said in mediation
is a record apart, no fact, so that it goes nowhere facts go."""

from __future__ import annotations

from datetime import datetime

from services.governance.acts import Actor, Change, FactKind, Task, TaskGiven, TaskState, Told
from services.governance.case.model import Case, open_tasks
from services.governance.case.permits import permit
from services.governance.case.sight import Sight, may_see
from services.governance.case.turn import Turn
from services.governance.cycle import Action, Role
from services.governance.errors import InvalidInput, NotPermitted
from services.governance.moves import GRANTS
from services.governance.rulebook import Rulebook

KIND = "mediate"


def name_mediator(turn: Turn) -> None:
    """Another one takes the place of the one before. Who reported does not mediate."""
    case, person = turn.case, turn.inputs.person or ""
    before = open_tasks(case, KIND)
    if person == case.reporter or person in {task.person for task in before}:
        raise InvalidInput("person", person)
    changes: list[Change] = [*turn.drop_tasks(KIND)]
    changes.append(TaskGiven(Task(turn.task_id(), KIND, None, person, TaskState.DOING, turn.at)))
    turn.emit(FactKind.MEDIATOR_NAMED, changes, tell=(Told("mediator", account=person),))


def may_name(case: Case, _book: Rulebook, _now: datetime, actor: Actor) -> None:
    """Only of a restricted matter, and only who may see all of it."""
    if not case.restricted:
        raise NotPermitted(Action.NAME_MEDIATOR, "not_restricted")
    if may_see(case, actor) is not Sight.FULL:
        raise NotPermitted(Action.NAME_MEDIATOR, "restricted")


def mediators(case: Case) -> tuple[str, ...]:
    """The accounts that mediate or mediated to the end."""
    kept = (TaskState.DOING, TaskState.DONE)
    return tuple(task.person for task in case.tasks if task.kind == KIND and task.person and task.state in kept)


def mediates(case: Case, actor: Actor) -> bool:
    """Whether the actor is the one who mediates now: he alone writes what is said."""
    return any(task.person == actor.account for task in open_tasks(case, KIND))


def may_read(case: Case, actor: Actor) -> bool:
    """The mediator and the owner chain; no helper, verifier or reporter."""
    if actor.account in mediators(case):
        return True
    chain = tuple(grant for grant in GRANTS[Action.NAME_MEDIATOR] if grant.role is not Role.VERIFIER)
    return case.restricted and may_see(case, actor) is Sight.FULL and permit(case, actor, chain) is not None

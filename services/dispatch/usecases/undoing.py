"""What a person did last with a case: how it stood before, and until when he may undo it."""

from __future__ import annotations

from datetime import timedelta
from functools import reduce
from itertools import takewhile

from schemas.api.dispatch import UndoOut
from services.dispatch.store import Tx
from services.dispatch.store.detail import whole_facts
from services.dispatch.usecases.page import CasePage
from services.governance.acts import Actor, Fact, LastAct
from services.governance.case import Case, evolve, standing_before
from services.governance.cycle import Action, State


async def last_act(tx: Tx, case: Case) -> LastAct | None:
    """None where the last thing that happened was no act of a person, or the opening. The caller holds the case."""
    facts = await whole_facts(tx, case.case_id)
    own = _of_one_act(facts)
    first, before = facts[len(facts) - len(own)] if own else None, facts[: len(facts) - len(own)]
    if first is None or first.actor.account is None or first.action is None or not before:
        return None
    stood = reduce(evolve, before, None)
    assert stood is not None, "a case has a first fact"
    return LastAct(first.actor.account, standing_before(stood, first, first.action.value))


def _of_one_act(facts: list[Fact]) -> list[Fact]:
    """The facts at the end that one request made."""
    op_id = facts[-1].op_id
    return list(takewhile(lambda fact: fact.op_id == op_id, reversed(facts))) if op_id is not None else []


def undo_of(page: CasePage, actor: Actor) -> UndoOut | None:
    """What this person may undo now; the rules look at it again."""
    own = _of_one_act(page.history)
    first, rules = (own[-1] if own else None), page.rulebook.settings
    if first is None or first.actor.account != actor.account or first.action not in rules.undo:
        return None
    until = first.at + timedelta(seconds=rules.undo_s)
    if until <= page.now or len(own) == len(page.history):
        return None
    came_from = next((fact.from_state for fact in page.facts if fact.sequence > len(page.history) - len(own)), None)
    state = State(came_from) if came_from is not None else page.case.state
    return UndoOut(label=page.words.action(Action(first.action), state), until=until)

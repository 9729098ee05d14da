"""A person acts on a case: seen under lock, version compared, decided, saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.chassis.audit import Audited, Entry, record
from services.chassis.db import grid_now
from services.chassis.directory import DirectoryCache
from services.chassis.ids import IdSource
from services.dispatch.store import Tx
from services.dispatch.store.audience import Scope, scope_of
from services.dispatch.store.detail import FactRow, facts_since, find_case
from services.dispatch.store.evidence import missing_evidence, pictures_of, use_evidence
from services.dispatch.store.lists import rows_of
from services.dispatch.store.locks import ids_of_numbers, lock_cases
from services.dispatch.store.near import near_cases
from services.dispatch.store.notes import Note, keep_notes, note_at
from services.dispatch.store.write import Step, save
from services.dispatch.usecases.around import around_case
from services.dispatch.usecases.deciding import Cause, carry_out
from services.dispatch.usecases.limits import hold_to_bounds
from services.dispatch.usecases.merging import MERGES, Held, hold, with_consequences
from services.dispatch.usecases.undoing import last_act
from services.governance.acts import Act, Actor, FactKind, Inputs
from services.governance.case import Case, Sight, comes_to, pending
from services.governance.cycle import Action
from services.governance.errors import InvalidInput, NotPermitted
from services.governance.moves import BY_STEP, required


class UnknownCase(LookupError):
    """There is no such case, or the caller may not know of it: the two look the same from outside."""


class EvidenceUnknown(LookupError):
    """The act names evidence that was not stored with this case first."""

    def __init__(self, ids: list[str]) -> None:
        super().__init__(", ".join(ids))
        self.ids = ids


class VersionConflict(Exception):
    """The case is not the one the caller was looking at. `facts` are what happened since, oldest first."""

    def __init__(self, case: Case, facts: list[FactRow]) -> None:
        super().__init__(f"case {case.case_no} is at version {case.version}")
        self.case = case
        self.facts = facts


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asks for. `version` is the one that he was looking at; `op_id` makes it idempotent."""

    case_no: str
    action: Action
    inputs: Inputs
    version: int
    op_id: str


async def act(tx: Tx, wish: Wish, actor: Actor, directory: DirectoryCache, ids: IdSource) -> Case:
    """Do it in `tx` and return the case afterwards.

    Raises UnknownCase, VersionConflict, EvidenceUnknown, OutOfBounds or a GovernanceError; nothing is kept then.
    """
    held = await _held(tx, wish, actor)
    found = await find_case(tx, wish.case_no, scope_of(actor), lock=held is None)
    if found is None:
        raise UnknownCase(wish.case_no)
    case = found.case
    if found.sight is not Sight.FULL:
        raise NotPermitted(wish.action, "restricted")
    if wish.version != case.version:
        raise VersionConflict(case, await facts_since(tx, case.case_id, wish.version))
    missing = await missing_evidence(tx, case.case_id, wish.inputs.evidence)
    if missing:
        raise EvidenceUnknown(missing)
    now = await grid_now(tx)
    if wish.inputs.person and not directory.posts_of(wish.inputs.person, now):
        raise InvalidInput("person", wish.inputs.person)
    rulebook = await directory.rulebook(case.rulebook)
    _, given = comes_to(case, wish.action, wish.inputs)
    hold_to_bounds(wish.action, wish.inputs.until, case, rulebook, now)
    beside = await near_cases(tx, [case])
    around = around_case(directory.current(), case, now, beside.get(case.case_id, ()), given.cell, book=rulebook)
    if wish.action is Action.UNDO:
        around = replace(around, last_act=await last_act(tx, case))
    if held is not None:
        around = replace(around, master=held.master_for(case, actor))
    command = Act(wish.action, actor, wish.inputs, wish.op_id)
    steps = carry_out(case, command, rulebook, now, around, ids=ids, cause=Cause())
    if not steps:
        return case
    words = await _words_asked_with(tx, wish, case)
    shown = await pictures_of(tx, case.case_id, wish.inputs.evidence)
    steps = [replace(step, pictures=shown) if step is _own(wish, steps) else step for step in steps]
    case = steps[-1].after
    if held is not None:
        await save(tx, await with_consequences(steps, held, now, directory, ids), {})
    else:
        await save(tx, steps, {})
    await _keep_inputs(tx, wish, steps, words)
    told = {"action": wish.action, "version": case.version}
    await record(tx, Entry(Audited.CASE_ACTED, actor.account, wish.case_no, details=told))
    return case


async def hold_seen(tx: Tx, numbers: Sequence[str], scope: Scope) -> None:
    """Those that the scope sees, locked in one order: two who act on several wait for each other, but never both."""
    ids = await ids_of_numbers(tx, numbers)
    await lock_cases(tx, await rows_of(tx, ids.values(), scope, with_queues=False))


async def _held(tx: Tx, wish: Wish, actor: Actor) -> Held | None:
    """The cases of a merge, also of one that is approved. What was looked at before the lock is compared by version."""
    action, given = wish.action, wish.inputs
    looked = await find_case(tx, wish.case_no, scope_of(actor)) if action is Action.APPROVE else None
    if looked is not None:
        action, given = comes_to(looked.case, action, given)
    return await hold(tx, wish.case_no, given.master) if action in MERGES else None


async def _words_asked_with(tx: Tx, wish: Wish, case: Case) -> str | None:
    """Who grants what needs words (an advice, a ruling, an order) and adds none of his own takes those it was asked
    with."""
    asked = [r for r in pending(case) if wish.inputs.request in (None, r.request_id)]
    if wish.action is not Action.APPROVE or not asked:
        return None
    move = BY_STEP.get((asked[0].kind, case.state))
    worded = move is not None and move.asked is FactKind.PROPOSED and any(i.name == "note" for i in required(move))
    return await note_at(tx, case.case_id, asked[0].by.account, asked[0].at) if worded else None


def _written(wish: Wish) -> str | None:
    """What was typed: the note, below it the item of the duty list that a call to the street names."""
    item = wish.inputs.kind if wish.action is Action.CALL_UP else None
    return "\n".join(filter(None, (wish.inputs.note, item))) or None


def _own(wish: Wish, steps: list[Step]) -> Step:
    """The act itself; the clock may have made facts before it."""
    return next((step for step in steps if step.fact.op_id == wish.op_id), steps[-1])


async def _keep_inputs(tx: Tx, wish: Wish, steps: list[Step], asked_with: str | None) -> None:
    """What was typed and shown goes under the fact of the act itself, not under one the clock made before it."""
    own = _own(wish, steps)
    note = _written(wish) or asked_with
    if note:
        await keep_notes(tx, [Note(own.fact_id, own.after.case_id, note)])
    await use_evidence(tx, own.after.case_id, wish.inputs.evidence, own.fact_id)

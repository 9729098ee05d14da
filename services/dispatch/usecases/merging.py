"""A merge, done or undone: every case that it concerns is held, and each is asked what follows for it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.chassis.directory import DirectoryCache
from services.chassis.ids import IdSource
from services.dispatch.store import Tx
from services.dispatch.store.locks import ids_of_numbers, lock_together, relatives_of
from services.dispatch.store.write import LostCase, Step
from services.dispatch.usecases.around import around_case
from services.dispatch.usecases.deciding import Cause, carry_out
from services.governance.acts import Actor, Other
from services.governance.case import Case, Sight, consequences, may_see, other_of
from services.governance.cycle import Action

MERGES = frozenset({Action.MERGE, Action.UNMERGE})


@dataclass(frozen=True, slots=True)
class Held:
    """Cases under lock, by id; `named` is the id of the master that was asked for, where there is such a case."""

    cases: dict[str, Case]
    named: str | None

    def master_for(self, case: Case, actor: Actor) -> Other | None:
        """The other case of a merge, as the rules look at it: the one that the case is part of, else the one that is
        named. That one's own master stands for it. None where the actor may not read it."""
        if case.master is not None:
            return other_of(self.cases[case.master.case_id])
        found = self.cases.get(self.named or "")
        if found is not None and found.master is not None:
            found = self.cases[found.master.case_id]
        return other_of(found) if found is not None and may_see(found, actor) is Sight.FULL else None


async def hold(tx: Tx, case_no: str, master: str | None) -> Held:
    """Lock the case, its master (the present one, or the one named), and whoever came with either."""
    named = (master or "").strip().upper()  # as people type it
    numbers = await ids_of_numbers(tx, [case_no, named])
    locked = await lock_together(tx, numbers.values(), relatives_of)
    return Held(locked.cases, numbers.get(named))


async def with_consequences(
    steps: Sequence[Step], held: Held, now: datetime, directory: DirectoryCache, ids: IdSource
) -> list[Step]:
    """The steps of one case, and those of every other that they concern. Raises LostCase where one is not held."""
    told, cases = list(steps), dict(held.cases)
    waiting = deque(steps)
    while waiting:
        step = waiting.popleft()
        cases[step.after.case_id] = step.after
        for case_id, command in consequences(step.before, step.fact, await directory.rulebook(step.after.rulebook)):
            case = cases.get(case_id)
            if case is None:
                raise LostCase(f"case {case_id} is concerned and was not held")
            book = await directory.rulebook(case.rulebook)
            around = around_case(directory.current(), case, now, book=book)
            followed = carry_out(case, command, book, now, around, ids=ids, cause=Cause())
            told += followed
            waiting.extend(followed)
            cases |= {step.after.case_id: step.after for step in followed}
    return told

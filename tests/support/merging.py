"""Several cases side by side: a merge is carried out on all that it concerns, as dispatch does in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from services.governance.acts import Act, Actor, ActorRef, Around, Command, Fact, Inputs, OpenCase
from services.governance.case import Case, consequences, decide, evolve, other_of
from services.governance.cycle import Action, Role
from services.governance.rulebook import Rulebook
from tests.support.governance import BOOK, CLERK

CHECKER = ActorRef("wangge07", Role.GRID_WORKER)


@dataclass
class Cases:
    """All cases of a test, by id; every fact of each is kept."""

    book: Rulebook = BOOK
    cases: dict[str, Case] = field(default_factory=dict)
    facts: dict[str, list[Fact]] = field(default_factory=dict)
    numbers: count[int] = field(default_factory=count)

    def __getitem__(self, case_id: str) -> Case:
        return self.cases[case_id]

    def add(self, case: Case, facts: list[Fact]) -> None:
        self.cases[case.case_id] = case
        self.facts[case.case_id] = list(facts)

    def do(self, case_id: str, command: Command, now: datetime, master: str | None = None) -> list[Fact]:
        """The command on its case, and what follows from it on the others; nothing is kept of a refusal."""
        asked = [(case_id, command)]
        told: list[Fact] = []
        kept = dict(self.cases)
        new: list[tuple[str, Fact]] = []
        while asked:
            at, each = asked.pop(0)
            case = kept.get(at)
            around = Around(verifier=CHECKER, master=other_of(kept[master]) if master else None)
            for fact in decide(case, each, self.book, now, around):
                asked += consequences(case, fact, self.book)
                case = evolve(case, fact)
                new.append((at, fact))
                told.append(fact)
            if case is not None:
                kept[at] = case
        self.cases = kept
        for at, fact in new:
            self.facts.setdefault(at, []).append(fact)
        return told

    def open(self, command: OpenCase, now: datetime | None = None) -> Case:
        self.do(command.case_id, command, now or command.reported_at)
        return self[command.case_id]

    def act(self, case_id: str, actor: Actor, action: Action, now: datetime, **inputs: object) -> list[Fact]:
        master = self.followed(inputs.get("master"))
        if action is Action.UNMERGE and self[case_id].master is not None:
            master = self[case_id].master.case_id  # type: ignore[union-attr]
        act = Act(action, actor, Inputs(**inputs), f"op{next(self.numbers)}")  # type: ignore[arg-type]
        return self.do(case_id, act, now, master)

    def merge(self, case_id: str, master: str, now: datetime, actor: Actor = CLERK) -> list[Fact]:
        return self.act(case_id, actor, Action.MERGE, now, master=master, reason="same_matter")

    def unmerge(self, case_id: str, now: datetime, actor: Actor = CLERK) -> list[Fact]:
        return self.act(case_id, actor, Action.UNMERGE, now, reason="other_matter")

    def followed(self, case_no: object) -> str | None:
        """The case that a number means now: the one that it was merged into, where it was."""
        found = next((c for c in self.cases.values() if c.case_no == case_no or c.case_id == case_no), None)
        if found is None:
            return None
        return found.master.case_id if found.master is not None else found.case_id

    def check(self) -> None:
        """What holds of all cases together, at every moment."""
        for case_id, case in self.cases.items():
            again: Case | None = None
            for fact in self.facts[case_id]:
                again = evolve(again, fact)
            assert again == case, "replay gives the same case"
            if case.master is not None:
                master = self[case.master.case_id]
                assert master.master is None, "a master is nobody's duplicate"
                assert [d.case.case_id for d in master.absorbed].count(case_id) == 1
                assert not case.absorbed, "duplicates of a duplicate are its master's"
                assert set(case.reports) <= set(master.reports)
            for duplicate in case.absorbed:
                other = self[duplicate.case.case_id]
                assert other.master is not None
                assert other.master.case_id == case_id
                assert set(duplicate.reports) <= set(case.reports)
        homes = [r for c in self.cases.values() if c.master is None for r in c.reports]
        assert len(homes) == len(set(homes)), "a report is part of one case"

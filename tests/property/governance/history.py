"""What an onlooker writes down of one case, and asks of every fact of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.governance.acts import Actor, Fact
from services.governance.case import Case, Sight, evolve, may_see
from services.governance.cycle import State
from services.governance.rulebook import Rulebook


@dataclass(frozen=True)
class Step:
    """One fact: the case before and after it, and the commit that it is part of. `last`: the commit ends with it."""

    before: Case | None
    fact: Fact
    after: Case
    commit: tuple[Fact, ...]
    last: bool
    past: History


@dataclass
class History:
    """What happened to one case so far, as an onlooker writes it down."""

    book: Rulebook
    people: Sequence[Actor] = ()
    facts: list[Fact] = field(default_factory=list)
    case: Case | None = None
    stretches: list[tuple[State, datetime, datetime]] = field(default_factory=list)
    sight: Callable[[Case, Actor], Sight] = may_see
    checks: Mapping[str, Check] = field(default_factory=dict)

    def takes(self, facts: Sequence[Fact], fold: Callable[[Case | None, Fact], Case] = evolve) -> Case | None:
        """A commit: fold its facts and ask everything of each."""
        for number, fact in enumerate(facts):
            before, after = self.case, fold(self.case, fact)
            self.facts.append(fact)
            if before is not None:
                self.stretches.append((before.state, before.last_at, after.last_at))
            step = Step(before, fact, after, tuple(facts), number == len(facts) - 1, self)
            self.case = after
            for name, check in self.checks.items():
                try:
                    check(step)
                except AssertionError as wrong:
                    raise AssertionError(f"{name}: {wrong} ({fact.kind} of {after.case_id})") from wrong
        return self.case


Check = Callable[[Step], None]

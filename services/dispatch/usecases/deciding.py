"""One command through the rules: facts, and the case after each of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from schemas.asked import Asked
from services.chassis.ids import IdSource
from services.dispatch.store.write import Step
from services.governance.acts import Around, Command
from services.governance.case import Case, advance, evolve
from services.governance.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class Cause:
    """The message that a command came with; its facts name it."""

    event: UUID | None = None
    correlation: str | None = None


def carry_out(
    case: Case | None,
    command: Command,
    rulebook: Rulebook,
    now: datetime,
    around: Around,
    *,
    ids: IdSource,
    cause: Cause,
) -> list[Step]:
    """Ask the rules and apply their facts. An empty list: nothing happened. Raises GovernanceError for a refusal.

    `now` is never before the case's last fact, whatever clock read it.
    """
    moment = max(now, case.last_at) if case is not None else now
    facts, last = advance(case, command, rulebook, moment, around)
    asked: Asked | None = Asked(moment, command, around, rulebook.calendar.revision)
    steps: list[Step] = []
    for number, fact in enumerate(facts, 1):
        after = last if number == len(facts) and last is not None else evolve(case, fact)
        told = (rulebook.calendar, cause.event, cause.correlation, asked, moment)
        steps.append(Step(ids.uuid7(), fact, case, after, *told))
        case, asked = after, None
    return steps

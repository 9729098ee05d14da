"""What the facts say about clocks: no point of a ladder may be acted on before its time, or while its clock stands."""

from __future__ import annotations

from typing import Final

from schemas.cases import load_fact
from services.governance.acts import ClockChanged, ClockState, Fact
from services.governance.case import Case, evolve
from tests.chaos.violation import Connection, Violation

_FACTS: Final = "SELECT case_id::text, body::text FROM dispatch.case_facts ORDER BY case_id, sequence"


def acted_early(connection: Connection) -> list[Violation]:
    """Rungs that a fact acted on though the clock, as it stood before that fact, had not come to them."""
    cases: dict[str, Case] = {}
    found = []
    for case_id, body in connection.execute(_FACTS):
        before, fact = cases.get(case_id), load_fact(body.encode())
        if before is not None:
            found += [Violation("acted early", f"{before.case_no}: {what}") for what in _early(before, fact)]
        cases[case_id] = evolve(before, fact)
    return found


def _early(before: Case, fact: Fact) -> list[str]:
    known = {clock.clock_id: clock for clock in before.clocks}
    found = []
    for change in fact.changes:
        if not isinstance(change, ClockChanged) or change.why == "recalled":
            continue
        was = known.get(change.clock.clock_id)
        for number in set(change.clock.fired) - set(was.fired if was is not None else ()):
            rung = next((each for each in was.rungs if each.rung == number), None) if was is not None else None
            if was is None or rung is None or was.state is not ClockState.RUNNING or fact.at < rung.at:
                found.append(f"{fact.kind} at {fact.at} for rung {number} of {change.clock.clock_id}")
    return found

"""What a case's page tells of other cases: those that are part of it, and those that a fact of merging is about."""

from __future__ import annotations

from schemas.api.dispatch import AbsorbedOut
from services.governance.acts import Fact, Followed, LetGo, TookIn
from services.governance.case import Case


def absorbed_of(case: Case) -> tuple[AbsorbedOut, ...]:
    """In the order in which they were merged."""
    return tuple(
        AbsorbedOut(case_no=d.case.case_no, opened_at=d.opened_at, merged_at=d.at, reports=len(d.reports))
        for d in case.absorbed
        if d.case.case_no
    )


def others_in(fact: Fact) -> tuple[str, ...]:
    """Numbers of the other cases."""
    found: list[str] = []
    for change in fact.changes:
        match change:
            case Followed(master) if master is not None:
                found.append(master.case_no)
            case TookIn(duplicates) | LetGo(duplicates):
                found += [d.case.case_no for d in duplicates if d.case.case_no]
    return tuple(found)

"""Who has cases open, as somebody may be told: only of cases that he may read, names for accounts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from schemas.api.presence import CasePresenceOut, PresentOut
from services.chassis.directory import Directory
from services.dispatch.store import Tx
from services.dispatch.store.audience import Scope
from services.dispatch.store.presence import Present, readable


async def presence_for(
    tx: Tx, scope: Scope, present: Mapping[str, Present], directory: Directory, only: Iterable[str] | None = None
) -> tuple[CasePresenceOut, ...]:
    """Of all that is open, or of the cases `only` of them; a case of these with nobody in `present` is left."""
    wanted = list(present if only is None else only)
    if not wanted:
        return ()
    may = await readable(tx, wanted, scope)
    return tuple(_case_out(present[case_id], directory) for case_id in wanted if case_id in may)


def _case_out(one: Present, directory: Directory) -> CasePresenceOut:
    people = tuple(PresentOut(account=who, name=_name(directory, who), acting=acting) for who, acting in one.people)
    return CasePresenceOut(case_no=one.case_no, people=people)


def _name(directory: Directory, account: str) -> str:
    known = directory.accounts.get(account)
    return known.name if known is not None else account

"""What a day has brought so far, within somebody's sight."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, select

from services.dispatch.store import Tx
from services.dispatch.store.audience import Scope, visible_cases
from services.dispatch.tables import cases
from services.governance.cycle import State


@dataclass(frozen=True, slots=True)
class SoFar:
    """Cases reported and cases closed since a moment."""

    opened: int
    closed: int


async def since(tx: Tx, scope: Scope, start: datetime, rulebooks: Collection[str]) -> SoFar:
    """`rulebooks`: every version that a case may keep; closed cases are found by version and time."""
    seen = and_(visible_cases(scope), ~cases.c.history)
    opened = select(func.count()).where(cases.c.opened_at >= start, seen)
    closed = select(func.count()).where(
        cases.c.state == State.CLOSED.value,
        cases.c.rulebook.in_(sorted(rulebooks)),
        cases.c.closed_at >= start,
        seen,
    )
    found = (await tx.execute(select(opened.scalar_subquery(), closed.scalar_subquery()))).one()
    return SoFar(found[0], found[1])

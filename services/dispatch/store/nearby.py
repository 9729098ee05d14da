"""What else stands around a case, of whatever class: for the sketch beside it, and for whoever asks if it is new."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select

from services.dispatch.store import Tx
from services.dispatch.store.audience import Scope, handled_cases, readable_cases
from services.dispatch.store.candidates import RADIUS_M, beside, distance
from services.dispatch.tables import cases
from services.governance.case import Case
from services.governance.cycle import ClosedKind, State, Urgency

MOST = 12
_LOOKED_AT = 200
_NEEDED = ("case_no", "state", "closed_as", "urgency", "summary", "address", "category", "reports", "opened_at")
_SHOWN = tuple(cases.c[name] for name in (*_NEEDED, "lng", "lat", "due", "live"))


@dataclass(frozen=True, slots=True)
class Nearby:
    """`distance_m` None: one of the two has no pin, they share a cell. `handled`: house numbers are for the reader."""

    case_no: str
    state: State
    closed_as: ClosedKind | None
    urgency: Urgency
    summary: str
    address: str
    category: str | None
    reports: int
    opened_at: datetime
    distance_m: int | None
    lng: float | None
    lat: float | None
    due: dict[str, Any] | None
    live: bool
    handled: bool


async def nearby(
    tx: Tx, case: Case, scope: Scope, classes: Collection[str], closed_days: int, within_m: float = RADIUS_M
) -> list[Nearby]:
    """Open cases close by, and those of the same class closed in the last `closed_days`; the nearest first, and only
    what the caller may read. `classes` are all there are: with them the index of places is of use."""
    known = or_(cases.c.category.in_(sorted(classes)), cases.c.category.is_(None))
    lately = func.directory.grid_now() - func.make_interval(0, 0, 0, closed_days)
    same = cases.c.category == (case.category.code if case.category else None)
    alive = or_(cases.c.live, and_(same, cases.c.state == State.CLOSED.value, cases.c.closed_at > lately))
    query = (
        select(*_SHOWN, handled_cases(scope).label("handled"))
        .where(known, cases.c.case_no != case.case_no, ~cases.c.history, alive, beside(case), readable_cases(scope))
        .order_by(cases.c.opened_at.desc())
        .limit(_LOOKED_AT)
    )
    found = [_nearby(case, row) for row in (await tx.execute(query)).mappings()]
    near = [one for one in found if one.distance_m is None or one.distance_m <= within_m]
    near.sort(key=lambda one: within_m if one.distance_m is None else one.distance_m)
    return near[:MOST]


def _nearby(case: Case, row: Any) -> Nearby:
    return Nearby(
        case_no=row["case_no"],
        state=State(row["state"]),
        closed_as=ClosedKind(row["closed_as"]) if row["closed_as"] else None,
        urgency=Urgency(row["urgency"]),
        summary=row["summary"],
        address=row["address"],
        category=row["category"],
        reports=row["reports"],
        opened_at=row["opened_at"],
        distance_m=distance(case, row["lng"], row["lat"]),
        lng=row["lng"],
        lat=row["lat"],
        due=row["due"],
        live=row["live"],
        handled=row["handled"],
    )

"""Cases that another one may be a repetition of, for whoever looks whether to merge: what a person compares by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select

from services.dispatch.store import Tx
from services.dispatch.store.audience import Scope, readable_cases
from services.dispatch.store.near import Point, metres
from services.dispatch.tables import cases
from services.governance.case import Case
from services.governance.cycle import ClosedKind, State

RADIUS_M = 300.0
MOST = 8
_LOOKED_AT = 100
_METRES_PER_DEGREE = 111_320.0
_NEEDED = ("case_no", "state", "closed_as", "summary", "address", "category", "reports", "opened_at", "lng", "lat")
_SHOWN = tuple(cases.c[name] for name in _NEEDED)
"""No more than these: some moments of a row lie at infinity, which no datetime can hold."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """`distance_m` None: one of the two has no pin, they share a cell."""

    case_no: str
    state: State
    closed_as: ClosedKind | None
    summary: str
    address: str
    category: str
    reports: int
    opened_at: datetime
    distance_m: int | None


async def candidates(tx: Tx, case: Case, scope: Scope, closed_days: int) -> list[Candidate]:
    """Of the same class, close by, open or closed in the last `closed_days`; the nearest first, and only what the
    caller may read."""
    if case.category is None:
        return []
    lately = func.directory.grid_now() - func.make_interval(0, 0, 0, closed_days)
    alive = or_(cases.c.live, and_(cases.c.state == State.CLOSED.value, cases.c.closed_at > lately))
    others = (cases.c.category == case.category.code, cases.c.case_no != case.case_no, ~cases.c.history)
    query = select(*_SHOWN).where(*others, alive, beside(case), readable_cases(scope))
    rows = (await tx.execute(query.order_by(cases.c.opened_at.desc()).limit(_LOOKED_AT))).mappings()
    found = [
        Candidate(
            case_no=row["case_no"],
            state=State(row["state"]),
            closed_as=ClosedKind(row["closed_as"]) if row["closed_as"] else None,
            summary=row["summary"],
            address=row["address"],
            category=row["category"],
            reports=row["reports"],
            opened_at=row["opened_at"],
            distance_m=distance(case, row["lng"], row["lat"]),
        )
        for row in rows
    ]
    near = [one for one in found if one.distance_m is None or one.distance_m <= RADIUS_M]
    near.sort(key=lambda one: RADIUS_M if one.distance_m is None else one.distance_m)
    return near[:MOST]


def beside(case: Case) -> ColumnElement[bool]:
    """A box around the pin; without one the same cell."""
    spot = case.spot
    if spot.lng is None or spot.lat is None:
        return cases.c.cell == spot.cell
    dlat = RADIUS_M / _METRES_PER_DEGREE
    dlng = RADIUS_M / max(1.0, metres(Point("", spot.lng, spot.lat), spot.lng + 1, spot.lat))
    return and_(
        cases.c.lng.between(spot.lng - dlng, spot.lng + dlng), cases.c.lat.between(spot.lat - dlat, spot.lat + dlat)
    )


def distance(case: Case, lng: float | None, lat: float | None) -> int | None:
    spot = case.spot
    if spot.lng is None or spot.lat is None or lng is None or lat is None:
        return None
    return round(metres(Point("", spot.lng, spot.lat), lng, lat))

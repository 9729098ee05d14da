"""What escalation's tables tell about its health: timers past due, deliveries that wait, call-backs without answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_OVERDUE: Final = text(
    "SELECT count(*) AS timers, coalesce(extract(epoch FROM directory.grid_now() - min(due_at)), 0) AS age"
    " FROM (SELECT due_at FROM escalation.sla_timers WHERE state = 'armed' AND due_at <= directory.grid_now()"
    " ORDER BY due_at LIMIT 10001) t"
)
_ENDPOINTS: Final = text(
    "SELECT e.id, e.open_until > directory.grid_now() IS TRUE AS open, coalesce(d.pending, 0) AS pending,"
    " coalesce(extract(epoch FROM directory.grid_now() - d.oldest), 0) AS age, coalesce(x.dead, 0) AS dead,"
    " coalesce(extract(epoch FROM directory.grid_now() - x.oldest), 0) AS dead_age"
    " FROM escalation.webhook_endpoints e LEFT JOIN (SELECT endpoint_id, count(*) AS pending, min(created_at) AS oldest"
    " FROM escalation.webhook_deliveries WHERE state IN ('waiting', 'sending') GROUP BY endpoint_id) d"
    " ON d.endpoint_id = e.id LEFT JOIN (SELECT endpoint_id, count(*) AS dead, min(died_at) AS oldest"
    " FROM escalation.webhook_deliveries WHERE state = 'dead' GROUP BY endpoint_id) x ON x.endpoint_id = e.id"
    " WHERE e.removed_at IS NULL AND (e.active OR x.dead > 0)"
)
_UNANSWERED: Final = text(
    "SELECT count(*) AS callbacks, coalesce(extract(epoch FROM directory.grid_now() - min(at)), 0) AS age"
    " FROM escalation.platform_receipts WHERE state = 'passed_on' AND answer IS NULL"
    " AND at > directory.grid_now() - interval '1 day'"
)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The platform's call-backs of the last day that dispatch has not answered, and the age of the oldest."""

    callbacks: int
    age_s: float


@dataclass(frozen=True, slots=True)
class Overdue:
    """Armed timers whose time has come, counted up to 10001, and the age in seconds of the oldest."""

    timers: int
    age_s: float


@dataclass(frozen=True, slots=True)
class EndpointHealth:
    """One endpoint that is active or has dead letters: what waits for it, how long the oldest has, whether its breaker
    is open, and its dead letters with the age of the oldest."""

    endpoint: str
    pending: int
    age_s: float
    open: bool
    dead: int
    dead_age_s: float


async def overdue_timers(tx: AsyncConnection) -> Overdue:
    """Timers that should have fired by now."""
    row = (await tx.execute(_OVERDUE)).one()
    return Overdue(row.timers, max(0.0, float(row.age)))


async def unanswered(tx: AsyncConnection) -> Unanswered:
    """What the platform waits for."""
    row = (await tx.execute(_UNANSWERED)).one()
    return Unanswered(row.callbacks, max(0.0, float(row.age)))


async def endpoint_health(tx: AsyncConnection) -> list[EndpointHealth]:
    """Every endpoint that is active or has dead letters."""
    return [
        EndpointHealth(
            str(row.id), row.pending, max(0.0, float(row.age)), row.open, row.dead, max(0.0, float(row.dead_age))
        )
        for row in await tx.execute(_ENDPOINTS)
    ]

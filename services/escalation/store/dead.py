"""Dead letters: how many of which kind, sending a choice of deliveries again, setting aside what nobody needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.escalation.tables import webhook_deliveries as deliveries
from services.escalation.tables import webhook_endpoints as endpoints

_SUMMARY: Final = text(
    "SELECT e.id, e.name, coalesce(d.failure, 'unreachable') AS failure, count(*) AS count,"
    " min(d.died_at) AS oldest, max(d.died_at) AS newest"
    " FROM escalation.webhook_deliveries d JOIN escalation.webhook_endpoints e ON e.id = d.endpoint_id"
    " WHERE d.state = 'dead' AND e.removed_at IS NULL"
    " GROUP BY e.id, e.name, coalesce(d.failure, 'unreachable') ORDER BY count DESC, e.name, failure"
)


@dataclass(frozen=True, slots=True)
class Dead:
    """Dead letters of one endpoint that failed in one way; the moments are those at which they were given up."""

    endpoint_id: UUID
    endpoint_name: str
    failure: str
    count: int
    oldest_at: datetime
    newest_at: datetime


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which deliveries; None narrows nothing. `since` and `until` are about when they were queued."""

    delivery_id: str | None = None
    endpoint_id: UUID | None = None
    event_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    failure: str | None = None
    state: str | None = None


async def summary(tx: AsyncConnection) -> tuple[Dead, ...]:
    """Every kind of dead letter, the most first. Those of removed endpoints are history."""
    return tuple(Dead(*row) for row in await tx.execute(_SUMMARY))


async def send_again(tx: AsyncConnection, chosen: Chosen) -> int:
    """Let these deliveries go now with a fresh schedule; ids and numbers stay. One under way is left alone."""
    there = sa.select(endpoints.c.id).where(endpoints.c.removed_at.is_(None))
    statement = (
        sa.update(deliveries)
        .where(deliveries.c.state != "sending", deliveries.c.endpoint_id.in_(there), *_narrowed(chosen))
        .values(state="waiting", next_at=sa.func.directory.grid_now(), round=0, died_at=None, note=None)
    )
    return (await tx.execute(statement)).rowcount


async def set_aside(tx: AsyncConnection, chosen: Chosen, reason: str) -> int:
    """Dead letters that nobody needs any more: they count no longer and stay in the log with the reason."""
    statement = (
        sa.update(deliveries)
        .where(deliveries.c.state == "dead", *_narrowed(chosen))
        .values(state="skipped", next_at=None, note=reason)
    )
    return (await tx.execute(statement)).rowcount


def _narrowed(chosen: Chosen) -> list[sa.ColumnElement[bool]]:
    wanted: list[sa.ColumnElement[bool]] = []
    if chosen.delivery_id is not None:
        wanted.append(deliveries.c.id == chosen.delivery_id)
    if chosen.endpoint_id is not None:
        wanted.append(deliveries.c.endpoint_id == chosen.endpoint_id)
    if chosen.event_id is not None:
        wanted.append(deliveries.c.event_id == chosen.event_id)
    if chosen.since is not None:
        wanted.append(deliveries.c.created_at >= chosen.since)
    if chosen.until is not None:
        wanted.append(deliveries.c.created_at < chosen.until)
    if chosen.failure is not None:
        wanted.append(deliveries.c.failure == chosen.failure)
    if chosen.state is not None:
        wanted.append(deliveries.c.state == chosen.state)
    return wanted

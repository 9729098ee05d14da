"""Webhook endpoints and their breakers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.chassis.coordinates import Crs
from services.escalation.dialects.base import Auth
from services.escalation.tables import webhook_endpoints as endpoints
from services.escalation.webhooks.plan import Breaker, Slice


@dataclass(frozen=True, slots=True)
class Manner:
    """How a receiver is spoken to: dialect, authentication, datum, and the partner whose cases alone it hears of."""

    dialect: str = "cloudevents"
    auth: Auth = Auth.STANDARD_WEBHOOKS
    app_key: str = ""
    crs: Crs = Crs.WGS84
    partner: str | None = None


@dataclass(frozen=True, slots=True)
class Interest:
    """Of which cases a receiver wants to hear; empty: of every street, at every tier."""

    streets: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()

    def covers(self, street: str, tier: str) -> bool:
        return (not self.streets or street in self.streets) and (not self.tiers or tier in self.tiers)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One place that deliveries go to. Secrets stay sealed until somebody signs."""

    id: UUID
    name: str
    url: str
    events: tuple[str, ...]
    active: bool
    secret: bytes
    previous_secret: bytes | None
    previous_until: datetime | None
    secret_hint: str
    breaker: Breaker
    created_at: datetime
    last_success_at: datetime | None
    manner: Manner
    interest: Interest = Interest()
    public_key: str | None = None
    signing_key: bytes | None = None
    off_because: str | None = None

    def breaker_state(self, now: datetime) -> str:
        """closed | open | probing, as the delivery log shows it."""
        if self.breaker.open_until is None:
            return "closed"
        return "open" if self.breaker.open_until > now else "probing"


async def add(tx: AsyncConnection, values: Mapping[str, Any]) -> Endpoint:
    """A new endpoint."""
    row = await tx.execute(sa.insert(endpoints).values(**values).returning(endpoints))
    return _endpoint(row.mappings().one())


async def every(tx: AsyncConnection) -> tuple[Endpoint, ...]:
    """All that were not removed, oldest first."""
    query = (
        sa.select(endpoints).where(endpoints.c.removed_at.is_(None)).order_by(endpoints.c.created_at, endpoints.c.id)
    )
    return tuple(_endpoint(row) for row in (await tx.execute(query)).mappings())


async def by_id(tx: AsyncConnection, endpoint_id: UUID) -> Endpoint | None:
    """One endpoint, locked against a change at the same time; None when unknown or removed.

    Messages may be queued for it meanwhile.
    """
    query = (
        sa.select(endpoints)
        .where(endpoints.c.id == endpoint_id, endpoints.c.removed_at.is_(None))
        .with_for_update(key_share=True)
    )
    row = (await tx.execute(query)).mappings().one_or_none()
    return None if row is None else _endpoint(row)


async def read(tx: AsyncConnection, endpoint_id: UUID) -> Endpoint | None:
    """One endpoint as it is, for whoever changes nothing; None when unknown or removed."""
    query = sa.select(endpoints).where(endpoints.c.id == endpoint_id, endpoints.c.removed_at.is_(None))
    row = (await tx.execute(query)).mappings().one_or_none()
    return None if row is None else _endpoint(row)


async def locked(tx: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Endpoint]:
    """These endpoints, locked in one order; those removed are missing."""
    query = (
        sa.select(endpoints)
        .where(endpoints.c.id.in_(ids), endpoints.c.removed_at.is_(None))
        .order_by(endpoints.c.id)
        .with_for_update(key_share=True)
    )
    found = [_endpoint(row) for row in (await tx.execute(query)).mappings()]
    return {one.id: one for one in found}


async def change(tx: AsyncConnection, endpoint_id: UUID, values: Mapping[str, Any]) -> None:
    """Set columns of one endpoint."""
    await tx.execute(sa.update(endpoints).where(endpoints.c.id == endpoint_id).values(**values))


async def set_breaker(tx: AsyncConnection, endpoint_id: UUID, breaker: Breaker, success_at: datetime | None) -> None:
    """Keep how the endpoint fares; `success_at` only after an accepted delivery."""
    values: dict[str, Any] = {
        "failures": breaker.failures,
        "open_for_s": breaker.open_for_s,
        "open_until": breaker.open_until,
        "recent": [[one.second, one.tried, one.failed] for one in breaker.recent],
    }
    if success_at is not None:
        values["last_success_at"] = success_at
    await change(tx, endpoint_id, values)


def _endpoint(row: sa.RowMapping) -> Endpoint:
    return Endpoint(
        id=row["id"],
        name=row["name"],
        url=row["url"],
        events=tuple(row["events"]),
        active=row["active"],
        secret=row["secret"],
        previous_secret=row["previous_secret"],
        previous_until=row["previous_until"],
        secret_hint=row["secret_hint"],
        breaker=Breaker(
            row["failures"], row["open_for_s"], row["open_until"], tuple(Slice(*one) for one in row["recent"])
        ),
        created_at=row["created_at"],
        last_success_at=row["last_success_at"],
        manner=Manner(row["dialect"], Auth(row["auth"]), row["app_key"], Crs(row["crs"]), row["partner"]),
        interest=Interest(tuple(row["streets"]), tuple(row["tiers"])),
        public_key=row["public_key"],
        signing_key=row["signing_key"],
        off_because=row["off_because"],
    )

"""Places that an administrator vouches for: they may be called over plain http or on private addresses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.escalation.tables import webhook_allowed as allowed

_TAKE_BACK: Final = text(
    "UPDATE escalation.webhook_allowed SET removed_by = :by, removed_at = directory.grid_now()"
    " WHERE id = :id AND removed_at IS NULL RETURNING scheme, host, port"
)
KEPT: Final = 200
"""Entries that were taken back and are still shown."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """One entry, in force while `removed_at` is None."""

    id: UUID
    scheme: str
    host: str
    port: int
    reason: str
    added_by: str
    added_at: datetime
    removed_by: str | None
    removed_at: datetime | None


def place(scheme: str, host: str, port: int) -> str:
    """`scheme://host:port`, an IPv6 address in brackets."""
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


async def in_force(tx: AsyncConnection) -> frozenset[str]:
    """What may be called now, as `scheme://host:port`."""
    query = sa.select(allowed.c.scheme, allowed.c.host, allowed.c.port).where(allowed.c.removed_at.is_(None))
    return frozenset(place(*row) for row in await tx.execute(query))


async def every(tx: AsyncConnection) -> tuple[Allowed, ...]:
    """Entries in force, newest first, then those taken back."""
    order = (allowed.c.removed_at.is_not(None), allowed.c.removed_at.desc(), allowed.c.added_at.desc(), allowed.c.id)
    newest = sa.or_(
        allowed.c.removed_at.is_(None),
        allowed.c.id.in_(
            sa.select(allowed.c.id)
            .where(allowed.c.removed_at.is_not(None))
            .order_by(allowed.c.removed_at.desc())
            .limit(KEPT)
        ),
    )
    return tuple(
        Allowed(*row)
        for row in await tx.execute(
            sa.select(
                *(allowed.c.id, allowed.c.scheme, allowed.c.host, allowed.c.port, allowed.c.reason),
                *(allowed.c.added_by, allowed.c.added_at, allowed.c.removed_by, allowed.c.removed_at),
            )
            .where(newest)
            .order_by(*order)
        )
    )


async def add(
    tx: AsyncConnection, entry_id: UUID, target: tuple[str, str, int], reason: str, by: str
) -> Allowed | None:
    """A new entry; None where this place is vouched for already."""
    scheme, host, port = target
    row = (
        await tx.execute(
            insert(allowed)
            .values(id=entry_id, scheme=scheme, host=host, port=port, reason=reason, added_by=by)
            .on_conflict_do_nothing(
                index_elements=["scheme", "host", "port"], index_where=allowed.c.removed_at.is_(None)
            )
            .returning(allowed.c.added_at)
        )
    ).one_or_none()
    return None if row is None else Allowed(entry_id, *target, reason, by, row.added_at, None, None)


async def take_back(tx: AsyncConnection, entry_id: UUID, by: str) -> str | None:
    """Take an entry out of force; answers its place, None where there is none in force."""
    row = (await tx.execute(_TAKE_BACK, {"id": entry_id, "by": by})).one_or_none()
    return None if row is None else place(row.scheme, row.host, row.port)

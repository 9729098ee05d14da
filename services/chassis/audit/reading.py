"""Reading the record: newest first, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.chassis.auth.tables import audit_log

Place = tuple[datetime, int, int]
"""Where a page ended: time, shard, number."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows; what is None does not narrow."""

    account: str | None = None
    action: str | None = None  # a kind, or the first part of one: 'session'
    subject: str | None = None
    outcome: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """One row."""

    shard: int
    n: int
    at: datetime
    service: str
    account: str | None
    action: str
    subject: str | None
    outcome: str
    reason: str | None
    details: Mapping[str, Any]
    request_id: str | None
    address: str | None


_COLUMNS = tuple(audit_log.c[name] for name in Recorded.__dataclass_fields__)


async def recorded(tx: AsyncConnection, wanted: Wanted, after: Place | None, limit: int) -> list[Recorded]:
    """Up to `limit` rows older than `after`."""
    query = sa.select(*_COLUMNS).where(*_conditions(wanted))
    place = sa.tuple_(audit_log.c.at, audit_log.c.shard, audit_log.c.n)
    if after is not None:
        query = query.where(place < sa.tuple_(*(sa.literal(part) for part in after)))
    query = query.order_by(*(column.desc() for column in (audit_log.c.at, audit_log.c.shard, audit_log.c.n)))
    return [Recorded(**row) for row in (await tx.execute(query.limit(limit))).mappings()]


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    exact = {"account": wanted.account, "subject": wanted.subject, "outcome": wanted.outcome}
    found: list[sa.ColumnElement[bool]] = [audit_log.c[k] == value for k, value in exact.items() if value is not None]
    if wanted.action is not None:
        kind = audit_log.c.action
        found.append(sa.or_(kind == wanted.action, kind.startswith(f"{wanted.action}.", autoescape=True)))
    if wanted.since is not None:
        found.append(audit_log.c.at >= wanted.since)
    if wanted.until is not None:
        found.append(audit_log.c.at < wanted.until)
    return found

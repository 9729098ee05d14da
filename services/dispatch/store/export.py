"""Rows for a file: every case that a scope sees, a page at a time in the order of their opening."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Text, cast, literal, select, tuple_
from sqlalchemy.dialects.postgresql import UUID

from services.dispatch.store import Tx
from services.dispatch.store.audience import Scope, handled_cases, readable_cases, visible_cases
from services.dispatch.tables import cases


@dataclass(frozen=True, slots=True)
class ExportRow:
    """A case as a file tells of it; where it is not `readable`, class and community alone."""

    id: str
    readable: bool
    handled: bool
    case_no: str
    state: str
    stage: str
    tier: str
    urgency: str
    nature: str
    source: str
    category: str | None
    rulebook: str
    community: str | None
    grid: str | None
    summary: str
    address: str
    lead_unit: str | None
    opened_at: datetime
    due_at: datetime | None
    closed_at: datetime | None
    closed_as: str | None
    reports: int
    hand_overs: int


@dataclass(frozen=True, slots=True)
class Span:
    """Cases opened from `since` on and before `until`."""

    since: datetime | None = None
    until: datetime | None = None


_COLUMNS = [name for name in ExportRow.__dataclass_fields__ if name not in ("id", "readable", "handled")]


async def export_page(
    tx: Tx, scope: Scope, span: Span, after: tuple[datetime, str] | None, limit: int
) -> list[ExportRow]:
    """Up to `limit` rows behind the place where the page before ended."""
    columns = (
        cast(cases.c.id, Text).label("id"),
        readable_cases(scope).label("readable"),
        handled_cases(scope).label("handled"),
    )
    query = select(*columns, *(cases.c[name] for name in _COLUMNS)).where(visible_cases(scope))
    if span.since is not None:
        query = query.where(cases.c.opened_at >= span.since)
    if span.until is not None:
        query = query.where(cases.c.opened_at < span.until)
    if after is not None:
        opened_at, case_id = after
        place = tuple_(literal(opened_at), cast(literal(case_id, Text), UUID))
        query = query.where(tuple_(cases.c.opened_at, cases.c.id) > place)
    rows = await tx.execute(query.order_by(cases.c.opened_at, cases.c.id).limit(limit))
    return [ExportRow(**row) for row in rows.mappings()]

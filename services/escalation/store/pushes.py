"""Notices on their way out: for which of them ways were chosen, what goes in which message, what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.escalation.notices.notice import Notice
from services.escalation.notices.pushes import Claimed, Due, Message, Push, Standing, Tried
from services.escalation.store.notices import notice_of
from services.escalation.tables import told as t

_NOW = sa.func.directory.grid_now()
_TO_CONSIDER: Final = text(
    "UPDATE escalation.notices AS n SET considered_at = directory.grid_now() FROM ("
    "SELECT id FROM escalation.notices WHERE considered_at IS NULL AND merged_into IS NULL AND NOT gathering"
    " ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED) p WHERE n.id = p.id RETURNING n.*"
)
_QUEUE: Final = text(
    "INSERT INTO escalation.notice_pushes (notice_id, outlet, account_id, digest, due_at)"
    " SELECT * FROM json_to_recordset(CAST(:rows AS json))"
    " AS r(notice_id bigint, outlet text, account_id text, digest boolean, due_at timestamptz)"
    " ON CONFLICT DO NOTHING"
)
_DUE: Final = text(
    "SELECT p.notice_id, p.outlet, p.account_id, p.digest, CASE WHEN n.kind = 'notice.merged'"
    " THEN '00000000-0000-0000-0000-000000000000'::uuid ELSE n.fact_id END AS fact_id, n.urgent,"
    " n.read_at IS NOT NULL AS read"
    " FROM escalation.notice_pushes p JOIN escalation.notices n ON n.id = p.notice_id"
    " WHERE p.message_id IS NULL AND p.dropped_at IS NULL AND p.due_at <= directory.grid_now()"
    " ORDER BY p.due_at, p.notice_id LIMIT :limit FOR UPDATE OF p SKIP LOCKED"
)
_PACE: Final = text(
    "SELECT outlet, count(*) AS n FROM ("
    "SELECT outlet FROM escalation.notice_attempts WHERE outlet = ANY (:outlets)"
    " AND at > directory.grid_now() - interval '60 seconds'"
    " UNION ALL SELECT outlet FROM escalation.notice_messages WHERE state IN ('waiting', 'sending')"
    " AND outlet = ANY (:outlets)) u GROUP BY outlet"
)
_EXPIRE: Final = text(
    "UPDATE escalation.notice_messages SET state = 'waiting', lease_until = NULL, next_at = directory.grid_now()"
    " WHERE state = 'sending' AND lease_until < directory.grid_now()"
)
_CLAIM: Final = text(
    "WITH picked AS (SELECT id FROM escalation.notice_messages WHERE state = 'waiting'"
    " AND next_at <= directory.grid_now() ORDER BY next_at LIMIT :limit FOR UPDATE SKIP LOCKED)"
    " UPDATE escalation.notice_messages AS m SET state = 'sending', attempts = m.attempts + 1, round = m.round + 1,"
    " lease_until = directory.grid_now() + make_interval(secs => :lease) FROM picked WHERE m.id = picked.id"
    " RETURNING m.id, m.outlet, m.account_id, m.attempts, m.round"
)
_STANDING: Final = text(
    "SELECT count(*) FILTER (WHERE state IN ('waiting', 'sending')) AS waiting,"
    " coalesce(extract(epoch FROM directory.grid_now() - min(created_at)"
    " FILTER (WHERE state IN ('waiting', 'sending'))), 0)::float AS age_s,"
    " count(*) FILTER (WHERE state = 'dead') AS dead"
    " FROM escalation.notice_messages WHERE created_at > directory.grid_now() - interval '1 day'"
)


async def to_consider(tx: AsyncConnection, limit: int) -> list[Notice]:
    """Notices for which no way was chosen yet; they count as looked at once this transaction commits."""
    rows = (await tx.execute(_TO_CONSIDER, {"limit": limit})).mappings()
    return sorted((notice_of(row) for row in rows), key=lambda notice: notice.id)


async def pushed_since(tx: AsyncConnection, account_ids: Sequence[str], moment: datetime) -> dict[str, int]:
    """How many notices went, or are to go, singly to each of these people from a moment on."""
    p = t.pushes
    query = (
        sa.select(p.c.account_id, sa.func.count(sa.distinct(p.c.notice_id)))
        .where(p.c.account_id.in_(account_ids), p.c.due_at >= moment, sa.not_(p.c.digest))
        .group_by(p.c.account_id)
    )
    return {row[0]: row[1] for row in await tx.execute(query)}


async def queue(tx: AsyncConnection, new: Sequence[Push]) -> None:
    """Let these go when they are due; once per notice and way."""
    rows = [
        {
            "notice_id": one.notice_id,
            "outlet": one.outlet,
            "account_id": one.account_id,
            "digest": one.digest,
            "due_at": one.due_at.isoformat(),
        }
        for one in new
    ]
    if rows:
        await tx.execute(_QUEUE, {"rows": orjson.dumps(rows).decode()})


async def due(tx: AsyncConnection, limit: int) -> list[Due]:
    """Pushes whose time has come and that are in no message yet, oldest first."""
    return [Due(**row) for row in (await tx.execute(_DUE, {"limit": limit})).mappings()]


async def pace(tx: AsyncConnection, outlets: Sequence[str]) -> dict[str, int]:
    """What went to each of these within a minute, or is about to."""
    return {row.outlet: row.n for row in await tx.execute(_PACE, {"outlets": list(outlets)})}


async def put_together(tx: AsyncConnection, messages: Sequence[Message]) -> None:
    """Write messages down; they may go at once."""
    for one in messages:
        values = {"id": one.id, "outlet": one.outlet, "account_id": one.account_id, "size": len(one.notice_ids)}
        await tx.execute(sa.insert(t.messages).values(**values, state="waiting", next_at=_NOW))
        mine = (t.pushes.c.outlet == one.outlet, t.pushes.c.notice_id.in_(one.notice_ids))
        await tx.execute(sa.update(t.pushes).where(*mine).values(message_id=one.id))


async def drop(tx: AsyncConnection, outlet: str, notice_ids: Sequence[int]) -> None:
    """These need not go any more."""
    gone = (t.pushes.c.outlet == outlet, t.pushes.c.notice_id.in_(notice_ids), t.pushes.c.message_id.is_(None))
    await tx.execute(sa.update(t.pushes).where(*gone).values(dropped_at=_NOW))


async def claim(tx: AsyncConnection, limit: int, lease_s: float) -> list[Claimed]:
    """Messages that may go now. A lease that ran out means that its sender is gone: its message goes again."""
    await tx.execute(_EXPIRE)
    rows = await tx.execute(_CLAIM, {"limit": limit, "lease": lease_s})
    return [Claimed(row.id, row.outlet, row.account_id, row.attempts, row.round) for row in rows]


async def notices_in(tx: AsyncConnection, message_id: UUID) -> list[Notice]:
    """What a message tells, in the order in which it happened."""
    query = sa.select(t.notices).join(t.pushes, t.pushes.c.notice_id == t.notices.c.id)
    rows = await tx.execute(query.where(t.pushes.c.message_id == message_id).order_by(t.notices.c.id))
    return [notice_of(row) for row in rows.mappings()]


async def record(tx: AsyncConnection, one: Claimed, tried: Tried, values: Mapping[str, Any]) -> None:
    """Keep an attempt and what follows from it. Who comes back after his lease changes nothing but that it was sent."""
    attempt = {
        "message_id": one.id,
        "n": tried.n,
        "outlet": one.outlet,
        "at": tried.at,
        "status": tried.status,
        "latency_ms": tried.latency_ms,
        "error": tried.error,
        "reply": tried.reply,
    }
    await tx.execute(insert(t.attempts).values(attempt).on_conflict_do_nothing())
    m = t.messages.c
    mine = sa.and_(m.state == "sending", m.attempts == one.attempt)
    late_success = sa.and_(sa.literal(values["state"] == "sent"), m.state.in_(("waiting", "sending")))
    changed = sa.update(t.messages).where(m.id == one.id, sa.or_(mine, late_success))
    await tx.execute(changed.values(lease_until=None, last_status=tried.status, last_error=tried.error, **values))


async def standing(tx: AsyncConnection) -> Standing:
    """What waits to be sent, the age of the oldest in seconds, and what was given up within a day."""
    return Standing(**(await tx.execute(_STANDING)).mappings().one())


# --- reading --------------------------------------------------------------------------------------------------------
async def newest(
    tx: AsyncConnection, limit: int, after: tuple[datetime, UUID] | None, *, state: str | None, outlet: str | None
) -> list[dict[str, Any]]:
    """A page of what was sent, newest first."""
    m = t.messages.c
    query = sa.select(t.messages).order_by(m.created_at.desc(), m.id.desc()).limit(limit)
    if after is not None:
        query = query.where(sa.tuple_(m.created_at, m.id) < sa.tuple_(*after))
    if state is not None:
        query = query.where(m.state == state)
    if outlet is not None:
        query = query.where(m.outlet == outlet)
    return [dict(row) for row in (await tx.execute(query)).mappings()]


async def tries_of(tx: AsyncConnection, ids: Sequence[UUID]) -> dict[UUID, list[Tried]]:
    """Every attempt of these messages, in order."""
    query = sa.select(t.attempts).where(t.attempts.c.message_id.in_(ids))
    found: dict[UUID, list[Tried]] = {}
    for row in await tx.execute(query.order_by(t.attempts.c.message_id, t.attempts.c.n)):
        tried = Tried(row.n, row.at, row.status, row.latency_ms, row.error, row.reply)
        found.setdefault(row.message_id, []).append(tried)
    return found


async def told_by(tx: AsyncConnection, ids: Sequence[UUID]) -> dict[UUID, list[Notice]]:
    """The notices in each of these messages."""
    query = sa.select(t.notices, t.pushes.c.message_id).join(t.pushes, t.pushes.c.notice_id == t.notices.c.id)
    found: dict[UUID, list[Notice]] = {}
    rows = await tx.execute(query.where(t.pushes.c.message_id.in_(ids)).order_by(t.notices.c.id))
    for row in rows.mappings():
        found.setdefault(row["message_id"], []).append(notice_of(row))
    return found


async def again(tx: AsyncConnection, message_id: UUID) -> bool | None:
    """Let a message go once more, with a fresh schedule; None when unknown, False while it is on its way."""
    m = t.messages.c
    known = (await tx.execute(sa.select(m.state).where(m.id == message_id).with_for_update())).scalar_one_or_none()
    if known is None:
        return None
    if known == "sending":
        return False
    changed = sa.update(t.messages).where(m.id == message_id)
    await tx.execute(changed.values(state="waiting", next_at=_NOW, round=0))
    return True

"""Deliveries: queue them with their dense numbers, claim the head of each (endpoint, case), keep every attempt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.escalation.tables import webhook_attempts as attempts
from services.escalation.tables import webhook_deliveries as deliveries
from services.escalation.tables import webhook_endpoints as endpoints

_KNOWN: Final = text(
    "SELECT d.endpoint_id, d.event_id FROM escalation.webhook_deliveries d"
    " JOIN json_to_recordset(CAST(:rows AS json)) AS w(endpoint uuid, event uuid)"
    " ON d.endpoint_id = w.endpoint AND d.event_id = w.event"
)
_NUMBER: Final = text(
    "INSERT INTO escalation.webhook_sequences AS s (endpoint_id, case_id, last_seq)"
    " SELECT w.endpoint, w.case_id, w.n FROM json_to_recordset(CAST(:rows AS json))"
    " AS w(endpoint uuid, case_id text, n bigint) ORDER BY w.endpoint, w.case_id"
    " ON CONFLICT (endpoint_id, case_id) DO UPDATE SET last_seq = s.last_seq + excluded.last_seq"
    " RETURNING endpoint_id, case_id, last_seq"
)
AFTER_A_FAILURE: Final = 8
"""How many messages an endpoint is given at a time while its last one failed."""
# Heads: the first unfinished message of each (endpoint, case). An endpoint takes so many at a time, fewer after a
# failure, and one whose breaker was open a single one, its probe. Each endpoint is looked at for itself, so that a long
# queue for one costs the others nothing, and by number, so that the heads of a long queue lie before what waits behind
# them. What is locked by another sender is left to it.
_CLAIM: Final = text(
    "WITH room AS (SELECT e.id, CASE WHEN e.open_until IS NOT NULL THEN 1"
    " WHEN e.failures > 0 THEN least(CAST(:each AS bigint), :careful) ELSE CAST(:each AS bigint) END"
    " - (SELECT count(*) FROM escalation.webhook_deliveries s WHERE s.endpoint_id = e.id AND s.state = 'sending')"
    " AS free FROM escalation.webhook_endpoints e WHERE e.active AND e.removed_at IS NULL"
    " AND (e.open_until IS NULL OR e.open_until <= directory.grid_now())),"
    " heads AS (SELECT ready.id, ready.next_at FROM room CROSS JOIN LATERAL"
    " (SELECT d.id, d.next_at FROM escalation.webhook_deliveries d"
    " WHERE d.endpoint_id = room.id AND d.state = 'waiting' AND d.next_at <= directory.grid_now()"
    " AND NOT EXISTS (SELECT FROM escalation.webhook_deliveries p WHERE p.endpoint_id = d.endpoint_id"
    " AND p.case_id = d.case_id AND p.seq < d.seq AND p.state IN ('waiting', 'sending'))"
    " ORDER BY d.seq, d.next_at LIMIT greatest(room.free, 0)) ready ORDER BY ready.next_at LIMIT :limit),"
    " picked AS (SELECT d.id FROM escalation.webhook_deliveries d JOIN heads ON heads.id = d.id"
    " WHERE d.state = 'waiting' FOR UPDATE OF d SKIP LOCKED)"
    " UPDATE escalation.webhook_deliveries AS d SET state = 'sending', attempts = d.attempts + 1, round = d.round + 1,"
    " lease_until = directory.grid_now() + make_interval(secs => :lease)"
    " FROM picked, escalation.webhook_endpoints e WHERE d.id = picked.id AND e.id = d.endpoint_id"
    " RETURNING d.id, d.endpoint_id, d.case_id, d.case_no, d.type, d.attempts, d.round, d.headers, d.body,"
    " e.url, e.secret, e.previous_secret, e.previous_until, e.signing_key, e.previous_signing_key,"
    " e.dialect, e.auth, e.app_key, e.partner, d.pictures"
)
_EXPIRE: Final = text(
    "UPDATE escalation.webhook_deliveries SET state = 'waiting', lease_until = NULL, next_at = directory.grid_now()"
    " WHERE state = 'sending' AND lease_until < directory.grid_now()"
)


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A message to queue; `number` is its place in the (endpoint, case) order."""

    id: str
    endpoint_id: UUID
    event_id: UUID
    type: str
    case_id: str
    case_no: str | None
    number: int
    case_sequence: int | None
    intent: str | None
    headers: dict[str, str]
    body: bytes
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message to send now; the lease protects it from a second sender."""

    id: str
    endpoint_id: UUID
    case_id: str
    case_no: str | None
    type: str
    attempt: int
    round: int
    headers: dict[str, str]
    body: bytes
    url: str
    secret: bytes
    previous_secret: bytes | None
    previous_until: datetime | None
    signing_key: bytes | None
    previous_signing_key: bytes | None
    dialect: str
    auth: str
    app_key: str
    partner: str | None
    pictures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one try met."""

    n: int
    at: datetime
    status: int | None
    latency_ms: int
    error: str | None
    reply: str | None
    address: str | None = None


async def already_queued(tx: AsyncConnection, pairs: Sequence[tuple[UUID, UUID]]) -> frozenset[tuple[UUID, UUID]]:
    """Which (endpoint, event) pairs have a delivery."""
    if not pairs:
        return frozenset()
    rows = [{"endpoint": str(endpoint), "event": str(event)} for endpoint, event in pairs]
    found = await tx.execute(_KNOWN, {"rows": orjson.dumps(rows).decode()})
    return frozenset((row.endpoint_id, row.event_id) for row in found)


async def take_numbers(tx: AsyncConnection, wanted: dict[tuple[UUID, str], int]) -> dict[tuple[UUID, str], int]:
    """Reserve so many numbers per (endpoint, case); answers the first of each run. Locks the counters until commit."""
    rows = [{"endpoint": str(key[0]), "case_id": key[1], "n": count} for key, count in wanted.items()]
    if not rows:
        return {}
    taken = await tx.execute(_NUMBER, {"rows": orjson.dumps(rows).decode()})
    return {(row.endpoint_id, row.case_id): row.last_seq - wanted[(row.endpoint_id, row.case_id)] + 1 for row in taken}


async def queue(tx: AsyncConnection, new: Sequence[NewDelivery]) -> None:
    """Queue messages; due at once."""
    if not new:
        return
    rows = [
        {
            "id": one.id,
            "endpoint_id": one.endpoint_id,
            "event_id": one.event_id,
            "type": one.type,
            "case_id": one.case_id,
            "case_no": one.case_no,
            "seq": one.number,
            "case_sequence": one.case_sequence,
            "intent": one.intent,
            "headers": one.headers,
            "body": one.body,
            "pictures": list(one.pictures),
        }
        for one in new
    ]
    now = sa.func.directory.grid_now()
    await tx.execute(sa.insert(deliveries).values(state="waiting", next_at=now), rows)


async def expire(tx: AsyncConnection) -> None:
    """Let go again what a sender that is gone had taken."""
    await tx.execute(_EXPIRE)


async def claim(tx: AsyncConnection, limit: int, *, each: int, lease_s: float) -> tuple[Claimed, ...]:
    """Take up to `limit` messages that may go now: heads only, at most `each` under way to one endpoint.

    `lease_s` is longer than any attempt may take: a lease that ran out means that its sender is gone (`expire`).
    """
    rows = (
        await tx.execute(_CLAIM, {"limit": limit, "each": each, "careful": AFTER_A_FAILURE, "lease": lease_s})
    ).all()
    return tuple(
        Claimed(
            id=row.id,
            endpoint_id=row.endpoint_id,
            case_id=row.case_id,
            case_no=row.case_no,
            type=row.type,
            attempt=row.attempts,
            round=row.round,
            headers=dict(row.headers),
            body=bytes(row.body),
            url=row.url,
            secret=bytes(row.secret),
            previous_secret=None if row.previous_secret is None else bytes(row.previous_secret),
            previous_until=row.previous_until,
            signing_key=None if row.signing_key is None else bytes(row.signing_key),
            previous_signing_key=None if row.previous_signing_key is None else bytes(row.previous_signing_key),
            dialect=row.dialect,
            auth=row.auth,
            app_key=row.app_key,
            partner=row.partner,
            pictures=tuple(row.pictures),
        )
        for row in rows
    )


async def skip_waiting(tx: AsyncConnection, endpoint_id: UUID) -> None:
    """What still waited for an endpoint that is removed will never go; the log says so."""
    await tx.execute(
        sa.update(deliveries)
        .where(deliveries.c.endpoint_id == endpoint_id, deliveries.c.state == "waiting")
        .values(state="skipped", next_at=None)
    )


async def try_now(tx: AsyncConnection, endpoint_id: UUID) -> None:
    """What waits for a later try is due at once; its count of tries stays."""
    now = sa.func.directory.grid_now()
    await tx.execute(
        sa.update(deliveries)
        .where(deliveries.c.endpoint_id == endpoint_id, deliveries.c.state == "waiting", deliveries.c.next_at > now)
        .values(next_at=now)
    )


async def newest(
    tx: AsyncConnection,
    limit: int,
    after: tuple[datetime, str] | None,
    *,
    endpoint_id: UUID | None = None,
    state: str | None = None,
    case_no: str | None = None,
    failure: str | None = None,
) -> list[dict[str, Any]]:
    """A page of the delivery log, newest first, with the endpoint's name."""
    query = (
        sa.select(deliveries, endpoints.c.name.label("endpoint_name"))
        .join(endpoints, endpoints.c.id == deliveries.c.endpoint_id)
        .order_by(deliveries.c.created_at.desc(), deliveries.c.id.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(sa.tuple_(deliveries.c.created_at, deliveries.c.id) < sa.tuple_(*after))
    if endpoint_id is not None:
        query = query.where(deliveries.c.endpoint_id == endpoint_id)
    if state is not None:
        query = query.where(deliveries.c.state == state)
    if case_no is not None:
        query = query.where(deliveries.c.case_no == case_no)
    if failure is not None:
        query = query.where(deliveries.c.failure == failure)
    return [dict(row) for row in (await tx.execute(query)).mappings()]


async def attempts_of(tx: AsyncConnection, ids: Sequence[str]) -> dict[str, list[Attempt]]:
    """Every try of these deliveries, in order."""
    query = sa.select(attempts).where(attempts.c.delivery_id.in_(ids)).order_by(attempts.c.delivery_id, attempts.c.n)
    found: dict[str, list[Attempt]] = {}
    for row in (await tx.execute(query)).mappings():
        values = (row[name] for name in ("n", "at", "status", "latency_ms", "error", "reply", "address"))
        attempt = Attempt(*values)
        found.setdefault(row["delivery_id"], []).append(attempt)
    return found


async def exists(tx: AsyncConnection, delivery_id: str) -> bool:
    """Whether there is such a delivery."""
    found = await tx.execute(sa.select(deliveries.c.id).where(deliveries.c.id == delivery_id))
    return found.scalar_one_or_none() is not None


async def message_of(tx: AsyncConnection, delivery_id: str) -> tuple[str, dict[str, Any], bytes] | None:
    """Where a delivery goes, with which headers and body; None when unknown."""
    query = (
        sa.select(endpoints.c.url, deliveries.c.headers, deliveries.c.body)
        .join(endpoints, endpoints.c.id == deliveries.c.endpoint_id)
        .where(deliveries.c.id == delivery_id)
    )
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else (row.url, dict(row.headers), bytes(row.body))


async def newest_of_kind(tx: AsyncConnection, endpoint_id: UUID, kind: str) -> tuple[str, dict[str, Any], bytes] | None:
    """The newest message of a kind that was made for an endpoint, as `message_of`; None where there was none yet."""
    query = (
        sa.select(deliveries.c.id)
        .where(deliveries.c.endpoint_id == endpoint_id, deliveries.c.type == kind)
        .order_by(deliveries.c.created_at.desc(), deliveries.c.id.desc())
        .limit(1)
    )
    delivery_id = (await tx.execute(query)).scalar_one_or_none()
    return None if delivery_id is None else await message_of(tx, delivery_id)

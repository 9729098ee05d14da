"""How attempts ended: many of them are kept with one statement, in the log and for their deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# A sender that was thought gone may come back after another has taken over: its failure changes nothing then, but that
# the message was accepted stays true.
_KEEP: Final = text(
    "WITH ended AS (SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS e(id text, n int, status int,"
    " latency_ms int, error text, reply text, address text, failure text, state text, next_at timestamptz)),"
    " logged AS (INSERT INTO escalation.webhook_attempts"
    " (delivery_id, n, at, status, latency_ms, error, reply, address)"
    " SELECT id, n, :at, status, latency_ms, error, reply, address FROM ended ON CONFLICT DO NOTHING)"
    " UPDATE escalation.webhook_deliveries d SET state = e.state, lease_until = NULL, next_at = e.next_at,"
    " last_status = e.status, last_error = e.error, failure = coalesce(e.failure, d.failure),"
    " delivered_at = CASE WHEN e.state = 'delivered' THEN CAST(:at AS timestamptz) ELSE d.delivered_at END,"
    " died_at = CASE WHEN e.state = 'dead' THEN CAST(:at AS timestamptz) END"
    " FROM ended e WHERE d.id = e.id AND ((d.state = 'sending' AND d.attempts = e.n)"
    " OR (e.state = 'delivered' AND d.state IN ('waiting', 'sending')))"
)


@dataclass(frozen=True, slots=True)
class Ending:
    """What one attempt met and what follows for its delivery. `error` and `failure` None: it was accepted."""

    delivery_id: str
    n: int
    status: int | None
    latency_ms: int
    error: str | None
    reply: str | None
    address: str | None
    failure: str | None
    state: Literal["delivered", "waiting", "dead", "skipped"]
    next_at: datetime | None = None


async def keep(tx: AsyncConnection, endings: Sequence[Ending], at: datetime) -> None:
    """Log these attempts, at this moment, and let their deliveries go on."""
    rows = [
        {
            "id": one.delivery_id,
            "n": one.n,
            "status": one.status,
            "latency_ms": one.latency_ms,
            "error": one.error,
            "reply": one.reply,
            "address": one.address,
            "failure": one.failure,
            "state": one.state,
            "next_at": one.next_at,
        }
        for one in endings
    ]
    if rows:
        await tx.execute(_KEEP, {"rows": orjson.dumps(rows).decode(), "at": at})

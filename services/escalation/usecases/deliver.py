"""Send what is due: claim, post without any open transaction, record. At least once, in order per (endpoint, case)."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime
from typing import Any, Protocol

from services.chassis.db import Database, grid_now
from services.chassis.telemetry import Metrics, logger
from services.escalation.settings import WebhookSettings
from services.escalation.store import deliveries, endpoints
from services.escalation.store.deliveries import Attempt, Claimed
from services.escalation.webhooks.client import Outcome
from services.escalation.webhooks.plan import GONE, next_try, retry_after
from services.escalation.webhooks.secretbox import SecretBox
from services.escalation.webhooks.signing import sign


class Poster(Protocol):
    """Whatever can post one message."""

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> Outcome:
        """One attempt; never raises for what the other side does."""
        ...


class Deliverer:
    """Sends claimed messages; `once` answers how many it sent."""

    def __init__(
        self,
        db: Database,
        poster: Poster,
        box: SecretBox,
        settings: WebhookSettings,
        jitter: random.Random,
        metrics: Metrics,
    ) -> None:
        self._db = db
        self._poster = poster
        self._box = box
        self._settings = settings
        self._jitter = jitter
        self._attempts = metrics.counter("grid_webhook_attempts_total", "Webhook attempts", ["outcome"])

    async def once(self) -> int:
        """Claim what may go now and send it side by side."""
        async with self._db.transaction() as tx:
            claimed = await deliveries.claim(tx, self._settings.concurrency)
            now = await grid_now(tx)
        await asyncio.gather(*(self._send(one, now) for one in claimed))
        return len(claimed)

    async def _send(self, one: Claimed, now: datetime) -> None:
        outcome = await self._poster.post(one.url, {**one.headers, **self._signature(one, now)}, one.body)
        self._attempts.labels("accepted" if outcome.accepted else "failed").inc()
        async with self._db.transaction() as tx:
            at = await grid_now(tx)
            endpoint = await endpoints.by_id(tx, one.endpoint_id)
            attempt = Attempt(
                one.attempt, at, outcome.status, outcome.latency_ms, _error(outcome), outcome.reply or None
            )
            await deliveries.record(tx, one.id, attempt, self._consequence(one, outcome, at))
            if endpoint is None:
                return
            breaker = endpoint.breaker.after_success() if outcome.accepted else endpoint.breaker.after_failure(at)
            await endpoints.set_breaker(tx, endpoint.id, breaker, at if outcome.accepted else None)
            if outcome.status == GONE:
                await endpoints.change(tx, endpoint.id, {"active": False})
                logger("webhooks").warning("endpoint_gone", endpoint=str(endpoint.id))

    def _signature(self, one: Claimed, now: datetime) -> dict[str, str]:
        secrets = [self._box.open(one.secret)]
        if one.previous_secret is not None and one.previous_until is not None and one.previous_until > now:
            secrets.append(self._box.open(one.previous_secret))
        return sign(secrets, one.id, now, one.body)

    def _consequence(self, one: Claimed, outcome: Outcome, at: datetime) -> dict[str, Any]:
        if outcome.accepted:
            return {"state": "delivered", "delivered_at": at, "next_at": None}
        patience = retry_after(outcome.retry_after, at)
        again = next_try(self._settings.schedule_s, one.round, at, self._jitter, patience)
        if again is None:
            logger("webhooks").error("dead_letter", delivery=one.id, type=one.type)
            return {"state": "dead", "next_at": None}
        return {"state": "waiting", "next_at": again}


def _error(outcome: Outcome) -> str | None:
    if outcome.accepted:
        return None
    return outcome.error or f"status_{outcome.status}"

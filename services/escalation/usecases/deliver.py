"""Send what is due: claim, post without any open transaction, record. At least once, in order per (endpoint, case)."""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, Protocol

from cryptography.exceptions import InvalidTag

from services.chassis.clock import monotonic
from services.chassis.db import Database, grid_now, is_transient
from services.chassis.secretbox import SecretBox
from services.chassis.signing import sign
from services.chassis.telemetry import Metrics, logger
from services.chassis.watchdog.pulse import Pulse
from services.chassis.watchdog.weather import Weather
from services.escalation.dialects.base import Auth, Message, Sender
from services.escalation.dialects.known import dialect
from services.escalation.settings import WebhookSettings
from services.escalation.store import deliveries, endpoints
from services.escalation.store.deliveries import Attempt, Claimed
from services.escalation.webhooks.client import Outcome
from services.escalation.webhooks.plan import GONE, next_try, retry_after

IDLE_S: Final = 0.2
AWAY_S: Final = 0.5


class Poster(Protocol):
    """Whatever can post one message."""

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> Outcome:
        """One attempt; never raises for what the other side does."""
        ...


class Deliverer:
    """Sends messages side by side; a slow endpoint fills its own places only."""

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
        for outcome in ("accepted", "failed"):  # there from the start: the first one counts as an increase
            self._attempts.labels(outcome)
        self._freed = asyncio.Event()
        self.pulse = Pulse("deliver", Weather(db).excuse)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; then what is under way is seen through. A database that is away only makes deliveries late."""
        async with asyncio.TaskGroup() as under_way:
            sending: set[asyncio.Task[None]] = set()
            while not stop.is_set():
                self.pulse.turn()
                self._freed.clear()
                pause = await self._start(under_way, sending)
                if pause:
                    await _either(stop, self._freed, pause)

    async def once(self) -> int:
        """Send what may go now and see it through; answers how many."""
        claimed, now = await self._claim(self._settings.concurrency)
        await asyncio.gather(*(self._send(one, now) for one in claimed))
        return len(claimed)

    async def _start(self, under_way: asyncio.TaskGroup, sending: set[asyncio.Task[None]]) -> float:
        """Begin what may go now; answers how long to wait before looking again."""
        room = self._settings.concurrency - len(sending)
        self.pulse.has(0 if room else len(sending))
        if not room:
            return IDLE_S
        try:
            claimed, now = await self._claim(room)
        except Exception as error:
            if not is_transient(error):
                raise
            logger("webhooks").warning("database_away", error=str(error))
            return AWAY_S
        for one in claimed:
            task = under_way.create_task(self._send(one, now))
            sending.add(task)
            task.add_done_callback(sending.discard)
            task.add_done_callback(lambda _: self._ended())
        return 0.0 if claimed else IDLE_S

    def _ended(self) -> None:
        self._freed.set()
        self.pulse.did()

    async def _claim(self, room: int) -> tuple[tuple[Claimed, ...], datetime]:
        settings = self._settings
        async with self._db.transaction() as tx:
            claimed = await deliveries.claim(tx, room, each=settings.per_endpoint, lease_s=settings.lease_s)
            return claimed, await grid_now(tx)

    async def _send(self, one: Claimed, now: datetime) -> None:
        try:
            message = self._message(one, now)
        except InvalidTag:
            outcome = Outcome(None, "secret_unreadable", 0, "")  # sealed under another key file
        else:
            outcome = understood(one, await self._poster.post(one.url, dict(message.headers), message.body))
        self._attempts.labels("accepted" if outcome.accepted else "failed").inc()
        await self._keep(one, outcome)

    async def _keep(self, one: Claimed, outcome: Outcome) -> None:
        """Record the outcome, through a short absence of the database; after the lease it would be sent again."""
        give_up = monotonic() + self._settings.lease_s - self._settings.timeout_s
        while True:
            try:
                await self._record(one, outcome)
            except Exception as error:
                if not is_transient(error):
                    raise
                if monotonic() > give_up:
                    logger("webhooks").warning("attempt_not_recorded", delivery=one.id, error=str(error))
                    return
                await asyncio.sleep(AWAY_S)
            else:
                return

    async def _record(self, one: Claimed, outcome: Outcome) -> None:
        async with self._db.transaction() as tx:
            at = await grid_now(tx)
            endpoint = await endpoints.by_id(tx, one.endpoint_id)
            attempt = Attempt(
                one.attempt, at, outcome.status, outcome.latency_ms, _error(outcome), outcome.reply or None
            )
            await deliveries.record(tx, one.id, attempt, self._consequence(one, outcome, at, endpoint is None))
            if endpoint is None:
                return
            breaker = endpoint.breaker.after_success(at) if outcome.accepted else endpoint.breaker.after_failure(at)
            await endpoints.set_breaker(tx, endpoint.id, breaker, at if outcome.accepted else None)
            if outcome.status == GONE:
                await endpoints.change(tx, endpoint.id, {"active": False})
                logger("webhooks").warning("endpoint_gone", endpoint=str(endpoint.id))

    def _message(self, one: Claimed, now: datetime) -> Message:
        """What this attempt posts, in the endpoint's dialect."""
        secrets = [self._box.open(one.secret)]
        if one.previous_secret is not None and one.previous_until is not None and one.previous_until > now:
            secrets.append(self._box.open(one.previous_secret))
        sender = Sender(
            message_id=one.id,
            at=now,
            auth=Auth(one.auth),
            secrets=secrets,
            sign=lambda body: sign(secrets, one.id, now, body),
            app_key=one.app_key,
        )
        return dialect(one.dialect).send_off(Message(one.headers, one.body), sender)

    def _consequence(self, one: Claimed, outcome: Outcome, at: datetime, removed: bool) -> dict[str, Any]:
        if outcome.accepted:
            return {"state": "delivered", "delivered_at": at, "next_at": None}
        if removed:
            return {"state": "skipped", "next_at": None}
        patience = retry_after(outcome.retry_after, at)
        again = next_try(self._settings.schedule_s, one.round, at, self._jitter, patience)
        if again is None:
            logger("webhooks").error("dead_letter", delivery=one.id, type=one.type)
            return {"state": "dead", "next_at": None}
        return {"state": "waiting", "next_at": again}


def understood(one: Claimed, outcome: Outcome) -> Outcome:
    """The outcome as the endpoint's dialect reads the answer: a 200 may hold a failure."""
    if outcome.status is None:
        return outcome
    verdict = dialect(one.dialect).verdict(outcome.status, outcome.reply)
    return replace(outcome, error=verdict.failure, their_number=verdict.their_number)


def _error(outcome: Outcome) -> str | None:
    if outcome.accepted:
        return None
    return outcome.error or f"status_{outcome.status}"


async def _either(stop: asyncio.Event, freed: asyncio.Event, seconds: float) -> None:
    """Wait until asked to end, until a place became free, or so long."""
    waiting = {asyncio.ensure_future(stop.wait()), asyncio.ensure_future(freed.wait())}
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*waiting, return_exceptions=True)

"""Send what is due: claim, post without any open transaction, record. At least once, in order per (endpoint, case)."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal, Protocol

from cryptography.exceptions import InvalidTag

from services.chassis.clock import monotonic
from services.chassis.db import Database, Tx, grid_now, is_transient
from services.chassis.secretbox import SecretBox
from services.chassis.signing import sign
from services.chassis.telemetry import Metrics, logger
from services.chassis.watchdog.pulse import Pulse
from services.chassis.watchdog.weather import Weather
from services.escalation.dialects.base import Auth, Message, Sender
from services.escalation.dialects.known import dialect
from services.escalation.settings import WebhookSettings
from services.escalation.store import deliveries, endings, endpoints, numbers
from services.escalation.store.deliveries import Claimed
from services.escalation.store.endings import Ending
from services.escalation.usecases.links import Links
from services.escalation.usecases.parting import SENDER_ENDED, Parting
from services.escalation.usecases.vouch import AllowList
from services.escalation.webhooks.client import KEPT_REPLY, Outcome
from services.escalation.webhooks.failures import OTHER_DIALECT, failure_of
from services.escalation.webhooks.plan import GONE, next_try, retry_after

NOT_THEIRS: Final = frozenset({OTHER_DIALECT, SENDER_ENDED})
"""Errors of attempts that say nothing of the endpoint."""
IDLE_S: Final = 0.2
AWAY_S: Final = 0.5
SWEEP_S: Final = 2.0
"""Between two looks for messages whose sender is gone."""
LAST_WORDS_S: Final = 8.0
"""How long what was sent may wait for the database when the process is to end: less than it has for that."""


class Poster(Protocol):
    """Whatever can post one message."""

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> Outcome:
        """One attempt; never raises for what the other side does."""
        ...


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that was posted, and what came of it."""

    claimed: Claimed
    outcome: Outcome


class Deliverer:
    """Sends messages side by side; a slow endpoint fills its own places only.

    One transaction a round keeps everything that has ended since the last one and takes what may go next.
    """

    def __init__(
        self,
        db: Database,
        poster: Poster,
        box: SecretBox,
        settings: WebhookSettings,
        jitter: random.Random,
        metrics: Metrics,
        allow_list: AllowList | None = None,
        links: Links | None = None,
    ) -> None:
        self._db = db
        self._poster = poster
        self._box = box
        self._settings = settings
        self._jitter = jitter
        self._allow_list = allow_list
        self._links = links
        self._attempts = metrics.counter("grid_webhook_attempts_total", "Webhook attempts", ["outcome"])
        for outcome in ("accepted", "failed"):  # there from the start: the first one counts as an increase
            self._attempts.labels(outcome)
        self._sending: set[asyncio.Task[None]] = set()
        self._sent: list[Sent] = []
        self._freed = asyncio.Event()
        self._swept_at = -SWEEP_S
        self._parting = Parting()
        self.pulse = Pulse("deliver", Weather(db).excuse)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; then what is under way has a little while left. A database that is away only makes deliveries
        late."""
        async with self._parting.kept(stop), asyncio.TaskGroup() as under_way:
            until: float | None = None
            while not stop.is_set() or self._sending or self._sent:
                self.pulse.turn()
                self._freed.clear()
                if stop.is_set():
                    until = until or monotonic() + LAST_WORDS_S
                    if monotonic() > until:
                        logger("webhooks").warning("attempts_not_recorded", count=len(self._sent))
                        return
                pause = await self._round(under_way, taking=not stop.is_set())
                if pause:  # a wish to end that is known already wakes nobody up
                    await _either(asyncio.Event() if stop.is_set() else stop, self._freed, pause)

    async def once(self) -> int:
        """Send what may go now and see it through; answers how many."""
        self._swept_at = -SWEEP_S
        claimed, now = await self._turn(self._settings.concurrency)
        await asyncio.gather(*(self._send(one, now) for one in claimed))
        await self._turn(0)
        return len(claimed)

    async def _round(self, under_way: asyncio.TaskGroup, *, taking: bool) -> float:
        """Keep what ended, begin what may go now; answers how long to wait before looking again."""
        room = self._settings.concurrency - len(self._sending) if taking else 0
        self.pulse.has(0 if room else len(self._sending))
        if not room and not self._sent:
            return IDLE_S
        try:
            claimed, now = await self._turn(room)
        except Exception as error:
            if not is_transient(error):
                raise
            logger("webhooks").warning("database_away", error=str(error))
            return AWAY_S
        for one in claimed:
            task = under_way.create_task(self._send(one, now))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
            task.add_done_callback(lambda _: self._freed.set())
        return 0.0 if claimed else IDLE_S

    async def _turn(self, room: int) -> tuple[tuple[Claimed, ...], datetime]:
        """One transaction. What could not be kept is kept by the next; after its lease a message would go again."""
        sent, settings = list(self._sent), self._settings
        sweeps = monotonic() - self._swept_at >= SWEEP_S
        async with self._db.transaction() as tx:
            now = await grid_now(tx)
            if sent:
                await self._keep(tx, sent, now)
            if sweeps:
                await deliveries.expire(tx)
            claimed: tuple[Claimed, ...] = ()
            if room:
                claimed = await deliveries.claim(tx, room, each=settings.per_endpoint, lease_s=settings.lease_s)
            if claimed and self._allow_list is not None:
                await self._allow_list.refresh(tx)
        del self._sent[: len(sent)]
        if sweeps:
            self._swept_at = monotonic()
        if sent:
            self.pulse.did(len(sent))
        return claimed, now

    async def _send(self, one: Claimed, now: datetime) -> None:
        outcome = await self._tried(one, now)
        self._attempts.labels("accepted" if outcome.accepted else "failed").inc()
        self._sent.append(Sent(one, outcome))

    async def _tried(self, one: Claimed, now: datetime) -> Outcome:
        try:
            message = self._message(one, now)
        except InvalidTag:
            return Outcome(None, "secret_unreadable", 0, "")  # sealed under another key file
        except (LookupError, ValueError) as error:  # a dialect that is gone, a body that it cannot send
            logger("webhooks").error("message_not_made", delivery=one.id, error=str(error))
            return Outcome(None, "message_not_made", 0, "")
        if message is None:
            return Outcome(None, OTHER_DIALECT, 0, "")
        met = await self._parting.of(self._poster.post(one.url, dict(message.headers), message.body))
        return Outcome(None, SENDER_ENDED, 0, "") if met is None else understood(one, met)

    async def _keep(self, tx: Tx, sent: Sequence[Sent], at: datetime) -> None:
        """Log the attempts, let their deliveries go on, and note how each endpoint fared."""
        known = await endpoints.locked(tx, {one.claimed.endpoint_id for one in sent})
        await endings.keep(tx, [self._ending(one, at, one.claimed.endpoint_id not in known) for one in sent], at)
        await numbers.learn(tx, [number for one in sent if (number := learnt(one.claimed, one.outcome)) is not None])
        for endpoint in known.values():
            met = [
                one.outcome
                for one in sent
                if one.claimed.endpoint_id == endpoint.id and one.outcome.error not in NOT_THEIRS
            ]
            if not met:
                continue
            breaker = endpoint.breaker
            for outcome in met:
                breaker = breaker.after_success(at) if outcome.accepted else breaker.after_failure(at)
            succeeded = any(outcome.accepted for outcome in met)
            await endpoints.set_breaker(tx, endpoint.id, breaker, at if succeeded else None)
            if any(outcome.status == GONE for outcome in met):
                await endpoints.change(tx, endpoint.id, {"active": False, "off_because": "gone"})
                logger("webhooks").warning("endpoint_gone", endpoint=str(endpoint.id))

    def _ending(self, sent: Sent, at: datetime, removed: bool) -> Ending:
        one, outcome = sent.claimed, sent.outcome
        state, next_at = self._consequence(one, outcome, at, removed)
        return Ending(
            delivery_id=one.id,
            n=one.attempt,
            status=outcome.status,
            latency_ms=outcome.latency_ms,
            error=_error(outcome),
            reply=outcome.reply[:KEPT_REPLY] or None,
            address=outcome.address,
            failure=None
            if outcome.accepted or outcome.error == SENDER_ENDED
            else failure_of(outcome.status, outcome.error),
            state=state,
            next_at=next_at,
        )

    def _message(self, one: Claimed, now: datetime) -> Message | None:
        """What this attempt posts, in the endpoint's dialect; None where it was written in another one."""
        spoken, written = dialect(one.dialect), Message(one.headers, one.body)
        if not spoken.wrote(written):
            return None
        overlap = one.previous_until is not None and one.previous_until > now
        secrets = self._opened(one.secret, one.previous_secret if overlap else None)
        keys = self._opened(one.signing_key, one.previous_signing_key if overlap else None)
        sender = Sender(
            message_id=one.id,
            at=now,
            auth=Auth(one.auth),
            secrets=secrets,
            sign=lambda body: sign(secrets, one.id, now, body, keys),
            app_key=one.app_key,
            links=() if self._links is None else self._links.made(one.pictures, now),
        )
        return spoken.send_off(written, sender)

    def _opened(self, *sealed: bytes | None) -> list[bytes]:
        return [self._box.open(one) for one in sealed if one is not None]

    def _consequence(
        self, one: Claimed, outcome: Outcome, at: datetime, removed: bool
    ) -> tuple[Literal["delivered", "waiting", "dead", "skipped"], datetime | None]:
        if outcome.accepted:
            return "delivered", None
        if removed:
            return "skipped", None
        if outcome.error == SENDER_ENDED:
            return "waiting", at
        patience = retry_after(outcome.retry_after, at)
        hopeless = outcome.error == OTHER_DIALECT
        again = None if hopeless else next_try(self._settings.schedule_s, one.round, at, self._jitter, patience)
        if again is None:
            logger("webhooks").error("dead_letter", delivery=one.id, type=one.type)
            return "dead", None
        return "waiting", again


def understood(one: Claimed, outcome: Outcome) -> Outcome:
    """The outcome as the endpoint's dialect reads the answer: a 200 may hold a failure."""
    if outcome.status is None:
        return outcome
    verdict = dialect(one.dialect).verdict(outcome.status, outcome.reply)
    return replace(outcome, error=verdict.failure, their_number=verdict.their_number)


def learnt(one: Claimed, outcome: Outcome) -> tuple[str, str, str] | None:
    """(case, system, number) where the receiver has told how it calls the case."""
    if outcome.their_number in (None, one.case_no) or one.case_no is None:
        return None
    return one.case_id, one.partner or "platform", str(outcome.their_number)


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

"""What escalation's HTTP process tells about timers and deliveries, whoever works on them."""

from __future__ import annotations

from services.chassis.db import Tx
from services.chassis.telemetry import Metrics
from services.escalation.store import pushes
from services.escalation.store.health import endpoint_health, overdue_timers, unanswered
from services.escalation.store.platform import receipts_waiting


class TimerProbe:
    """Timers that are armed although their time has come."""

    def __init__(self, metrics: Metrics) -> None:
        self._count = metrics.gauge("grid_timers_overdue", "Armed timers past due, counted up to 10001")
        self._age = metrics.gauge("grid_timers_overdue_seconds", "How long the oldest of them is past due")

    async def read(self, tx: Tx) -> None:
        found = await overdue_timers(tx)
        self._count.set(found.timers)
        self._age.set(found.age_s)


class PlatformProbe:
    """Call-backs of the platform that dispatch has not answered, and those that wait for a person."""

    def __init__(self, metrics: Metrics) -> None:
        self._count = metrics.gauge("grid_commands_unanswered", "Commands that dispatch has not answered")
        self._age = metrics.gauge("grid_commands_unanswered_oldest_seconds", "Age of the oldest of them")
        self._waiting = metrics.gauge("grid_receipts_waiting", "Call-backs that wait for a person")
        self._waiting_age = metrics.gauge("grid_receipts_waiting_oldest_seconds", "Age of the oldest of them")

    async def read(self, tx: Tx) -> None:
        found = await unanswered(tx)
        self._count.set(found.callbacks)
        self._age.set(found.age_s)
        waiting, age_s = await receipts_waiting(tx)
        self._waiting.set(waiting)
        self._waiting_age.set(age_s)


class WebhookProbe:
    """What waits for each endpoint."""

    def __init__(self, metrics: Metrics) -> None:
        self._pending = metrics.gauge("grid_webhook_pending", "Deliveries not yet accepted", ["endpoint"])
        self._age = metrics.gauge("grid_webhook_oldest_seconds", "Age of the oldest of them", ["endpoint"])
        self._open = metrics.gauge("grid_webhook_breaker_open", "1 while nothing is sent to the endpoint", ["endpoint"])
        self._dead = metrics.gauge("grid_webhook_dead", "Dead letters that nobody has settled", ["endpoint"])
        self._dead_age = metrics.gauge("grid_webhook_dead_oldest_seconds", "Age of the oldest of them", ["endpoint"])

    async def read(self, tx: Tx) -> None:
        found = await endpoint_health(tx)
        for gauge in (self._pending, self._age, self._open, self._dead, self._dead_age):
            gauge.clear()  # an endpoint that was removed tells nothing any more
        for one in found:
            self._pending.labels(one.endpoint).set(one.pending)
            self._age.labels(one.endpoint).set(one.age_s)
            self._open.labels(one.endpoint).set(int(one.open))
            self._dead.labels(one.endpoint).set(one.dead)
            self._dead_age.labels(one.endpoint).set(one.dead_age_s)


class NoticeProbe:
    """Messages to people that wait or were given up."""

    def __init__(self, metrics: Metrics) -> None:
        self._waiting = metrics.gauge("grid_notice_waiting", "Messages to people not yet sent, of the last day")
        self._age = metrics.gauge("grid_notice_oldest_seconds", "Age of the oldest of them")
        self._dead = metrics.gauge("grid_notice_dead", "Messages to people given up within a day")

    async def read(self, tx: Tx) -> None:
        found = await pushes.standing(tx)
        self._waiting.set(found.waiting)
        self._age.set(max(0.0, found.age_s))
        self._dead.set(found.dead)

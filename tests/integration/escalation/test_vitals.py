"""What escalation tells about timers past due and deliveries that wait."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.chassis.telemetry import Metrics
from services.escalation.settings import TimerSettings
from services.escalation.tables import outbox
from services.escalation.timers import TimerLoop
from services.escalation.usecases.vitals import TimerProbe, WebhookProbe
from tests.integration.escalation.conftest import DOWN, House, clock, endpoint_id, fact

pytestmark = pytest.mark.anyio


async def look(house: House) -> Metrics:
    metrics = Metrics("escalation")
    async with house.db.reading() as tx:
        for probe in (TimerProbe(metrics), WebhookProbe(metrics)):
            await probe.read(tx)
    return metrics


async def test_timers_past_due_are_counted_until_they_fire(house: House) -> None:
    due = await house.now() + timedelta(seconds=10)
    await house.hear(fact("c1", clock("c1", due)), fact("c2", clock("c2", due + timedelta(hours=1))))
    told = (await look(house)).registry.get_sample_value
    assert (told("grid_timers_overdue"), told("grid_timers_overdue_seconds")) == (0, 0)
    await house.later(40)
    told = (await look(house)).registry.get_sample_value
    assert told("grid_timers_overdue") == 1
    assert 30 <= (told("grid_timers_overdue_seconds") or 0) < 300
    await house.fire()
    assert (await look(house)).registry.get_sample_value("grid_timers_overdue") == 0


async def test_what_waits_for_an_endpoint_and_its_breaker(house: House) -> None:
    made = await house.endpoint("case.overdue")
    label = {"endpoint": str(endpoint_id(made))}
    told = (await look(house)).registry.get_sample_value
    assert told("grid_webhook_pending", label) == 0
    house.platform.answer = lambda _: DOWN
    await house.hear(*(fact(f"c{n}", kind="case.overdue") for n in range(6)))
    await house.deliverer().once()
    await house.later(300)
    told = (await look(house)).registry.get_sample_value
    assert told("grid_webhook_pending", label) == 6
    assert (told("grid_webhook_oldest_seconds", label) or 0) >= 300


async def test_a_step_of_the_clock_is_counted(house: House) -> None:
    metrics = Metrics("escalation")
    steady = iter(range(100))
    loop = TimerLoop(house.db, outbox, house.ids, TimerSettings(), metrics, lambda: float(next(steady)))
    await loop._tick()
    await house.later(600)
    await loop._tick()
    told = metrics.registry.get_sample_value
    assert told("grid_clock_jumps_total") == 1
    assert 590 < (told("grid_clock_jump_seconds") or 0) < 1200

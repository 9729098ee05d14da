"""The whole way to a receiver on loopback, judged by the public Standard Webhooks library."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook

from schemas.api.escalation import WebhookIn
from services.chassis.clock import monotonic
from services.chassis.telemetry import Metrics
from services.escalation.settings import WebhookSettings
from services.escalation.usecases.deliver import Deliverer
from services.escalation.usecases.manage import EndpointDesk
from services.escalation.usecases.parting import Parting
from services.escalation.usecases.vouch import AllowList
from services.escalation.webhooks.client import WebhookClient
from tests.integration.escalation.conftest import House, fact

pytestmark = pytest.mark.anyio
_LEFT = "SELECT 1 FROM escalation.webhook_deliveries WHERE state <> 'delivered'"


@dataclass
class Receiver:
    """Answers by `statuses`, then 204 for ever."""

    statuses: list[int] = field(default_factory=list)
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    address: str = ""
    silent: asyncio.Event | None = None
    """Until it is set nobody gets an answer."""

    async def take(self, request: web.Request) -> web.Response:
        self.taken.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        if self.silent is not None:
            await self.silent.wait()
        status = self.statuses.pop(0) if self.statuses else 204
        return web.Response(status=status, headers={"location": "/elsewhere"} if status == 302 else {})


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    app = web.Application()
    app.router.add_post("/{path:.*}", made.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.address = f"127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.fixture
async def sender(house: House, receiver: Receiver) -> AsyncIterator[Deliverer]:
    client = WebhookClient(AllowList(frozenset({receiver.address})), 5.0, monotonic)
    settings = WebhookSettings(GRID_WEBHOOK_SCHEDULE_S=(0.1,) * 5)
    yield Deliverer(house.db, client, house.box, settings, random.Random(1), Metrics("test"))
    await client.close()


async def test_every_delivery_verifies_and_is_whole(house: House, receiver: Receiver, sender: Deliverer) -> None:
    desk = EndpointDesk(house.ids, house.box, frozenset({receiver.address}))
    house_desk_url = f"http://{receiver.address}/hook"
    async with house.db.transaction() as tx:
        made = await desk.add(tx, WebhookIn(url=house_desk_url, events=("case.overdue",)), "admin")
    receiver.statuses = [503, 302]
    await house.hear(*(fact(case, kind="case.overdue") for case in ("a", "b", "a", "a")))
    stop = asyncio.Event()
    running = asyncio.create_task(sender.run(stop))
    async with asyncio.timeout(20):
        while await house.rows(_LEFT):  # noqa: ASYNC110 - a table tells nobody that it changed
            await asyncio.sleep(0.05)
    stop.set()
    await running
    for headers, body in receiver.taken:
        verified = Webhook(made.secret).verify(body, headers)
        assert verified == json.loads(body)
        assert set(verified) == {"type", "timestamp", "data"}
        assert len(body) < 20_000
        assert headers["ce-specversion"] == "1.0"
    first_sight: dict[str, list[int]] = {}
    for headers, body in receiver.taken[2:]:
        first_sight.setdefault(headers["ce-subject"], []).append(json.loads(body)["data"]["sequence"])
    assert first_sight == {"a": [1, 2, 3], "b": [1]}
    attempts = await house.rows("SELECT status FROM escalation.webhook_attempts ORDER BY at, n")
    assert sorted(row[0] for row in attempts) == [204, 204, 204, 204, 302, 503]


async def test_asked_to_end_it_does_not_wait_for_a_receiver_that_never_answers(
    house: House, receiver: Receiver, sender: Deliverer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was let go is noted, is nobody's failure, and goes again at once under the same id."""
    monkeypatch.setattr(sender, "_parting", Parting(0.2))
    desk = EndpointDesk(house.ids, house.box, frozenset({receiver.address}))
    async with house.db.transaction() as tx:
        await desk.add(tx, WebhookIn(url=f"http://{receiver.address}/hook", events=("case.overdue",)), "admin")
    receiver.silent = asyncio.Event()
    await house.hear(fact("a", kind="case.overdue"))
    stop = asyncio.Event()
    running = asyncio.create_task(sender.run(stop))
    async with asyncio.timeout(20):
        while not receiver.taken:  # noqa: ASYNC110 - a list tells nobody that it grew
            await asyncio.sleep(0.02)
        stop.set()
        await running
    left = await house.rows("SELECT state, attempts, last_error, failure FROM escalation.webhook_deliveries")
    assert left == [("waiting", 1, "sender_ended", None)]
    assert await house.rows("SELECT failures FROM escalation.webhook_endpoints") == [(0,)]
    receiver.silent.set()
    monkeypatch.setattr(sender, "_parting", Parting())
    assert await sender.once() == 1
    assert len({headers["webhook-id"] for headers, _ in receiver.taken}) == 1
    assert await house.rows(_LEFT) == []


async def test_a_name_that_leads_home_is_not_called(house: House, receiver: Receiver) -> None:
    client = WebhookClient(AllowList(frozenset()), 5.0, monotonic)
    port = receiver.address.rpartition(":")[2]
    outcome = await client.post(f"https://localhost:{port}/hook", {}, b"{}")
    await client.close()
    assert (outcome.status, outcome.error) == (None, "refused_address")
    assert receiver.taken == []

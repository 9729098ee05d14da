"""Our side and the simulated platform, over real HTTP: in every mood nothing is lost, nothing is taken twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random
from typing import Any
from urllib.parse import parse_qsl

import pytest
from aiohttp import web

from schemas.api.escalation import WebhookIn
from services.chassis.clock import monotonic
from services.chassis.ids import SystemIds
from services.chassis.signing import decode_secret
from services.chassis.telemetry import Metrics
from services.escalation.dialects.base import Auth, Incoming
from services.escalation.dialects.known import dialect
from services.escalation.settings import WebhookSettings
from services.escalation.simulator.platform import Manner, Mood, Simulator
from services.escalation.simulator.tongues import FormTongue, NativeTongue
from services.escalation.usecases.deliver import Deliverer
from services.escalation.usecases.manage import EndpointDesk
from services.escalation.usecases.vouch import AllowList
from services.escalation.webhooks.client import WebhookClient
from services.governance.cycle import Intent
from tests.integration.escalation.conftest import House, fact

pytestmark = pytest.mark.anyio
KEY = "handed-out-by-the-platform"


@dataclass
class Door:
    """Where the platform calls back: what came, in order."""

    url: str
    came: list[tuple[dict[str, str], bytes]]
    news: asyncio.Event

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(30):
            while len(self.came) < count:
                await self.news.wait()
                self.news.clear()


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    found = Door("", [], asyncio.Event())

    async def take(request: web.Request) -> web.Response:
        found.came.append(({k.lower(): v for k, v in request.headers.items()}, await request.read()))
        found.news.set()
        return web.json_response({"code": "0"}, status=202)

    app = web.Application()
    app.router.add_post("/back", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/back"
    yield found
    await runner.cleanup()


@dataclass
class Stand:
    """An endpoint that leads to a simulator, and a sender."""

    house: House
    simulator: Simulator
    deliverer: Deliverer
    lines: list[str]

    async def tell(self, *kinds: str, intent: Intent | None = None) -> None:
        """Facts of one case, each sent once."""
        for kind in kinds:
            told = fact("a", kind=kind)
            object.__setattr__(told, "data", told.data.model_copy(update={"intent": intent}))
            await self.house.hear(told)
        await self.deliverer.once()

    async def arrive(self) -> None:
        """Send until everything has been accepted."""
        async with asyncio.timeout(30):
            while any(state != "delivered" for state, *_ in await self.log()):
                await self.deliverer.once()
                await asyncio.sleep(0.01)

    async def log(self) -> list[tuple[Any, ...]]:
        query = "SELECT state, attempts, last_status, last_error FROM escalation.webhook_deliveries ORDER BY seq"
        return await self.house.rows(query)


@asynccontextmanager
async def standing(house: House, door: Door, spoken: str = "cloudevents") -> AsyncIterator[Stand]:
    lines: list[str] = []
    manner = Manner(FormTongue("street-1", KEY), door.url, slow_s=2.0, pace_s=0.01)
    simulator = Simulator(manner, SystemIds(), lambda: datetime.now(UTC), lines.append)
    at = await simulator.start("127.0.0.1", 0)
    allowed = frozenset({at.removeprefix("http://").removesuffix("/hook")})
    wanted: dict[str, Any] = {"url": at, "events": ("case.escalated", "case.fed_back", "case.closed")}
    if spoken == "city_form":
        wanted |= {"dialect": spoken, "app_key": "street-1", "secret": KEY}
    async with house.db.transaction() as tx:
        made = await EndpointDesk(house.ids, house.box, allowed).add(tx, WebhookIn(**wanted), "admin")
    if spoken == "cloudevents":
        simulator.manner = replace(manner, tongue=NativeTongue(made.secret, made.secret))
    settings = WebhookSettings(GRID_WEBHOOK_SCHEDULE_S=(0.01,) * 6)
    client = WebhookClient(AllowList(allowed), 1.0, monotonic)
    yield Stand(house, simulator, Deliverer(house.db, client, house.box, settings, Random(1), Metrics("test")), lines)
    await client.close()
    await simulator.stop()


@pytest.mark.parametrize("spoken", ["cloudevents", "city_form"])
async def test_it_takes_checks_and_answers_a_whistle(house: House, door: Door, spoken: str) -> None:
    """What it sends back is what our own side takes for genuine, and means."""
    async with standing(house, door, spoken) as stand:
        await stand.tell("case.escalated", intent=Intent.WHISTLE)
        await stand.tell("case.fed_back")
        await stand.arrive()
        assert stand.simulator.book.told() == "taken 2, repeats 0, not genuine 0, out of order 0"
        await door.wait_for(3)
        tongue = stand.simulator.manner.tongue
        if isinstance(tongue, NativeTongue):
            proof = Auth.STANDARD_WEBHOOKS, (decode_secret(tongue.secret),)
        else:
            proof = Auth.APP_KEY, (KEY.encode(),)
        now = datetime.now(UTC)
        heard = [dialect(spoken).hear(Incoming(headers, body, *proof, now, "street-1")) for headers, body in door.came]
    assert [one.outcome for one in heard] == ["accepted", "disposed", "closed"]
    assert {one.case_no for one in heard} == {"FC-a"}
    assert any("no. 1 → 200" in line for line in stand.lines)


async def test_a_failure_inside_a_200_is_a_failure(house: House, door: Door) -> None:
    async with standing(house, door, "city_form") as stand:
        stand.simulator.mood = Mood.ERROR200
        await stand.tell("case.fed_back")
        assert await stand.log() == [("waiting", 1, 200, "code_5001")]
        stand.simulator.mood = Mood.OK
        await stand.arrive()
        assert stand.simulator.book.taken == 1


@pytest.mark.parametrize(("mood", "status"), [(Mood.WRONG, 500), (Mood.DOWN, None), (Mood.SLOW, None)])
async def test_what_it_did_not_take_comes_again_in_order(
    house: House, door: Door, mood: Mood, status: int | None
) -> None:
    async with standing(house, door) as stand:
        stand.simulator.mood = mood
        await stand.tell("case.fed_back", "case.closed")
        assert [row[:3] for row in await stand.log()] == [("waiting", 1, status), ("waiting", 0, None)]
        stand.simulator.mood = Mood.OK
        await stand.arrive()
        book = stand.simulator.book
        assert (book.taken, book.broken, book.forged) == (2, 0, 0)
        assert book.repeats == (1 if mood is Mood.SLOW else 0)  # it had been taken when nobody waited any more


async def test_it_can_call_back_twice_and_backwards_and_in_words_of_its_own(house: House, door: Door) -> None:
    async with standing(house, door, "city_form") as stand:
        stand.simulator.mood = Mood.DUPLICATE
        await stand.tell("case.escalated", intent=Intent.WHISTLE)
        await door.wait_for(6)
        stand.simulator.mood = Mood.UNORDERED
        await stand.tell("case.escalated", intent=Intent.WHISTLE)
        await door.wait_for(9)
        stand.simulator.mood = Mood.WRONG
        await stand.tell("case.escalated", intent=Intent.WHISTLE)
        await stand.arrive()
        await door.wait_for(13)
    came = [dict(parse_qsl(body.decode())) for _, body in door.came]
    assert [one["eventState"] for one in came] == [
        *("118", "118", "105", "105", "107", "107"),
        *("107", "105", "118"),
        *("777", "118", "105", "107"),
    ]
    assert len({one["msgId"] for one in came}) == 10


async def test_a_message_with_another_key_is_not_taken(house: House, door: Door) -> None:
    async with standing(house, door, "city_form") as stand:
        stand.simulator.manner = replace(stand.simulator.manner, tongue=FormTongue("street-1", "another-key"))
        await stand.tell("case.fed_back")
        assert (await stand.log())[0][:3] == ("waiting", 1, 401)
        assert stand.simulator.book.told() == "taken 0, repeats 0, not genuine 1, out of order 0"

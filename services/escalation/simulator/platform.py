"""The simulated platform: takes messages in a mood, and calls back about every whistle."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

import aiohttp
from aiohttp import web

from services.chassis.ids import IdSource
from services.escalation.simulator.book import Arrived, Book
from services.escalation.simulator.tongues import STEPS, STRANGE, Posted, Tongue

BODY_MAX: Final = 1 << 20
ATTEMPTS: Final = 5
PATIENCE: Final = aiohttp.ClientTimeout(total=15)


class Mood(StrEnum):
    """How it behaves."""

    OK = "ok"
    SLOW = "slow"  # answers when nobody waits any more
    WRONG = "wrong"  # answers everything 500 at first, and calls back with a code that nobody agreed on
    DOWN = "down"  # hangs up
    DUPLICATE = "duplicate"  # calls back everything twice
    UNORDERED = "unordered"  # calls back the last step first
    ERROR200 = "error200"  # answers 200, and says inside that it failed


@dataclass(frozen=True, slots=True)
class Manner:
    """What it is set to. `call_back`: where whistles are answered; None: nowhere."""

    tongue: Tongue
    call_back: str | None = None
    slow_s: float = 20.0
    pace_s: float = 2.0


@dataclass(slots=True)
class Simulator:
    """One platform. `say` takes each line that it prints."""

    manner: Manner
    ids: IdSource
    now: Callable[[], datetime]
    say: Callable[[str], None]
    mood: Mood = Mood.OK
    book: Book = field(default_factory=Book)
    _runner: web.AppRunner | None = None
    _calling: set[asyncio.Task[None]] = field(default_factory=set)
    _called: set[str] = field(default_factory=set)
    _refused: set[str] = field(default_factory=set)

    async def start(self, host: str, port: int) -> str:
        """Listen; answers the address. Raises OSError where the port is taken."""
        app = web.Application(client_max_size=BODY_MAX)
        app.router.add_post("/hook", self._take)
        app.router.add_put("/mood", self._change)
        app.router.add_get("/mood", self._tell)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        return f"http://{host}:{self._runner.addresses[0][1]}/hook"

    async def stop(self) -> None:
        for task in self._calling:
            task.cancel()
        await asyncio.gather(*self._calling, return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()

    # --- taking -------------------------------------------------------------------------------------------------------
    async def _take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if self.mood is Mood.DOWN:
            self.say("  ✗ hung up")
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=503)
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            arrived = self.manner.tongue.read(headers, body, self.now())
        except (ValueError, KeyError) as error:
            self.say(f"  ✗ cannot be read: {error!r}")
            return web.Response(status=400)
        return await self._answered(arrived)

    async def _answered(self, arrived: Arrived) -> web.Response:
        if arrived.why is not None:
            self._line(arrived, self.book.enter(arrived), "401")
            return web.Response(status=401)
        if self.mood is Mood.WRONG and arrived.message_id not in self._refused:
            self._refused.add(arrived.message_id)
            self._line(arrived, "", "500")
            return web.Response(status=500, text="<html>500 Internal Server Error</html>")
        if self.mood is Mood.ERROR200:
            self._line(arrived, "", "200, failed inside")
            return self._json(arrived, failing=True)
        odd = self.book.enter(arrived)
        self._line(arrived, odd, "200" if self.mood is not Mood.SLOW else f"200 after {self.manner.slow_s:g} s")
        if self.mood is Mood.SLOW:
            await asyncio.sleep(self.manner.slow_s)
        if arrived.message_id not in self._called:
            self._called.add(arrived.message_id)
            self._begin(self._fetches(arrived.pictures))
            if arrived.whistle and self.manner.call_back is not None:
                self._begin(self._calls(arrived, self.manner.call_back))
        return self._json(arrived, failing=False)

    def _json(self, arrived: Arrived, *, failing: bool) -> web.Response:
        return web.Response(
            text=self.manner.tongue.answer(arrived, failing=failing), content_type="application/json", charset="utf-8"
        )

    def _line(self, arrived: Arrived, odd: str, answered: str) -> None:
        pictures = f", {len(arrived.pictures)} picture(s)" if arrived.pictures else ""
        remark = f"  [{odd}]" if odd else ""
        mark = "✗" if arrived.why is not None else "✓"
        self.say(f"  {mark} {arrived.what}  {arrived.case}  no. {arrived.sequence}{pictures} → {answered}{remark}")

    # --- calling back -------------------------------------------------------------------------------------------------
    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._calling.add(task)
        task.add_done_callback(self._calling.discard)

    async def _fetches(self, pictures: Sequence[str]) -> None:
        """The pictures behind a message's links."""
        for url in pictures:
            try:
                async with aiohttp.ClientSession(timeout=PATIENCE) as session, session.get(url) as answer:
                    size = len(await answer.read())
                    self.say(f"  ⇣ picture → {answer.status} {answer.content_type}, {size} bytes")
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                self.say(f"  ⇣ picture: {type(error).__name__}")

    async def _calls(self, arrived: Arrived, url: str) -> None:
        """What such a platform tells of a whistle, one after the other."""
        steps = list(STEPS)
        if self.mood is Mood.UNORDERED:
            steps.reverse()
        async with aiohttp.ClientSession(timeout=PATIENCE) as session:
            for step in (STRANGE, *steps) if self.mood is Mood.WRONG else steps:
                await asyncio.sleep(self.manner.pace_s)
                posted = self.manner.tongue.call_back(step, arrived, f"sim_{self.ids.uuid7().hex}", self.now())
                for _ in range(2 if self.mood is Mood.DUPLICATE else 1):
                    await self._post(session, url, step, arrived, posted)

    async def _post(
        self, session: aiohttp.ClientSession, url: str, step: str, arrived: Arrived, posted: Posted
    ) -> None:
        """Until it is answered; who is called may just be starting anew."""
        for n in range(ATTEMPTS):
            try:
                async with session.post(url, data=posted.body, headers=dict(posted.headers)) as answer:
                    told = (await answer.text())[:200]
            except (aiohttp.ClientError, TimeoutError) as error:
                self.say(f"  … {step} {arrived.case}: {type(error).__name__}")
                await asyncio.sleep(self.manner.pace_s * (n + 1))
                continue
            self.say(f"  ↩ {step}  {arrived.case} → {answer.status} {told}")
            if answer.status < 500:
                return
            await asyncio.sleep(self.manner.pace_s * (n + 1))

    # --- its mood -----------------------------------------------------------------------------------------------------
    async def _change(self, request: web.Request) -> web.Response:
        wanted = (await request.text()).strip()
        if wanted not in tuple(Mood):
            return web.Response(status=422, text=f"one of {', '.join(Mood)}\n")
        self.mood = Mood(wanted)
        self.say(f"— now {self.mood}")
        return web.Response(text=f"{self.mood}\n")

    async def _tell(self, _: web.Request) -> web.Response:
        return web.Response(text=f"{self.mood}\n{self.book.told()}\n")

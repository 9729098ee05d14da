"""The city platform's side: takes deliveries, verifies each signature with the public library, remembers the order."""

from __future__ import annotations

import asyncio
import json
import random
import threading
from collections import defaultdict
from dataclasses import dataclass, field

from aiohttp import web
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

SLOW_S = 8.0
"""Longer than the run's senders wait."""


@dataclass(slots=True)
class Seen:
    """What arrived. `ids` names the webhook-ids that carried an event: one each, however often it came."""

    by_id: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    first_sight: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    events: set[str] = field(default_factory=set)
    ids: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    bad_signatures: int = 0
    refused_on_purpose: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def copy(self) -> Seen:
        """As it is at one moment: deliveries go on arriving while the checker works in another thread."""
        with self.lock:
            return Seen(
                by_id=defaultdict(int, self.by_id),
                first_sight=defaultdict(list, {case: [*numbers] for case, numbers in self.first_sight.items()}),
                events={*self.events},
                ids=defaultdict(set, {event: {*ids} for event, ids in self.ids.items()}),
                bad_signatures=self.bad_signatures,
                refused_on_purpose=self.refused_on_purpose,
            )


class Receiver:
    """Runs inside the caller's loop. `fail_share` of the first attempts get a 503, so that retries are exercised.

    `answers`: a status for everything (nothing is taken then); `slow`: take it, and answer when nobody waits any more.
    """

    def __init__(self, fail_share: float = 0.1, seed: int = 1) -> None:
        self.seen = Seen()
        self.secret: str | None = None
        self.answers: int | None = None
        self.slow = False
        self._fail_share = fail_share
        self._rng = random.Random(seed)
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._port = 0

    async def start(self) -> str:
        """Listens on a free port of loopback; answers host:port."""
        app = web.Application()
        app.router.add_post("/hook", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await self.open_door()
        self._port = self._runner.addresses[0][1]
        return f"127.0.0.1:{self._port}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def close_door(self) -> None:
        """Connections are refused from here on."""
        if self._site is not None:
            await self._site.stop()
            self._site = None

    async def open_door(self) -> None:
        """At the same port as before."""
        if self._runner is not None and self._site is None:
            self._site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
            await self._site.start()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        message_id = request.headers["webhook-id"]
        if self.answers is not None:
            self.seen.refused_on_purpose += 1
            return web.Response(status=self.answers)
        try:
            Webhook(self.secret or "").verify(body, dict(request.headers))
        except WebhookVerificationError:
            self.seen.bad_signatures += 1
            return web.Response(status=401)
        if message_id not in self.seen.by_id and self._rng.random() < self._fail_share:
            self.seen.refused_on_purpose += 1
            return web.Response(status=503)
        with self.seen.lock:
            self._remember(message_id, json.loads(body)["data"])
        if self.slow:
            await asyncio.sleep(SLOW_S)
        return web.Response(status=204)

    def _remember(self, message_id: str, data: dict[str, object]) -> None:
        self.seen.by_id[message_id] += 1
        if "event_id" not in data:
            return
        self.seen.ids[str(data["event_id"])].add(message_id)
        if self.seen.by_id[message_id] == 1:
            self.seen.first_sight[str(data["case_no"])].append(int(str(data["sequence"])))
            self.seen.events.add(str(data["event_id"]))

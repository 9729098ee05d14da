"""The city platform's side: takes deliveries, verifies each signature with the public library, remembers the order."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from dataclasses import dataclass, field

from aiohttp import web
from standardwebhooks.webhooks import Webhook, WebhookVerificationError


@dataclass(slots=True)
class Seen:
    """What arrived."""

    by_id: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    first_sight: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    events: set[str] = field(default_factory=set)
    bad_signatures: int = 0
    refused_on_purpose: int = 0


class Receiver:
    """Runs inside the caller's loop. `fail_share` of the first attempts get a 503, so that retries are exercised."""

    def __init__(self, fail_share: float = 0.1, seed: int = 1) -> None:
        self.seen = Seen()
        self.secret: str | None = None
        self._fail_share = fail_share
        self._rng = random.Random(seed)
        self._runner: web.AppRunner | None = None

    async def start(self) -> str:
        """Listens on a free port of loopback; answers host:port."""
        app = web.Application()
        app.router.add_post("/hook", self._take)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        return f"127.0.0.1:{port}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        message_id = request.headers["webhook-id"]
        try:
            Webhook(self.secret or "").verify(body, dict(request.headers))
        except WebhookVerificationError:
            self.seen.bad_signatures += 1
            return web.Response(status=401)
        if message_id not in self.seen.by_id and self._rng.random() < self._fail_share:
            self.seen.refused_on_purpose += 1
            return web.Response(status=503)
        self.seen.by_id[message_id] += 1
        if self.seen.by_id[message_id] == 1 and "event_id" in (data := json.loads(body)["data"]):
            self.seen.first_sight[data["case_no"]].append(data["sequence"])
            self.seen.events.add(data["event_id"])
        return web.Response(status=204)

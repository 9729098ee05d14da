"""The receiving side of the webhook bench: `python -m tests.bench.hook_receiver PORT`, a process of its own.

POST /alive answers 204, POST /dead takes the message and never answers. GET /seen tells how many came, in how many
seconds, and how often a message overtook an earlier one of its case.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass, field

from aiohttp import web

SILENT_S = 3_600.0
"""Longer than any sender waits."""


@dataclass(slots=True)
class Seen:
    """Counts of one run."""

    count: int = 0
    overtaken: int = 0
    first: float = 0.0
    last: float = 0.0
    newest: dict[tuple[str, str], int] = field(default_factory=dict)


def main(port: int) -> None:
    """Serve until terminated."""
    seen = Seen()

    async def alive(request: web.Request) -> web.Response:
        await request.read()
        seen.last = time.monotonic()
        seen.first = seen.first or seen.last
        key, number = (request.path, request.headers["ce-subject"]), int(request.headers["ce-sequence"])
        seen.overtaken += number != seen.newest.get(key, 0) + 1
        seen.newest[key] = number
        seen.count += 1
        return web.Response(status=204)

    async def dead(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(SILENT_S)
        return web.Response(status=204)

    async def told(_: web.Request) -> web.Response:
        return web.json_response({"count": seen.count, "overtaken": seen.overtaken, "seconds": seen.last - seen.first})

    app = web.Application()
    app.router.add_post("/alive/{n}", alive)
    app.router.add_post("/dead", dead)
    app.router.add_get("/seen", told)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=lambda _: None)


if __name__ == "__main__":
    main(int(sys.argv[1]))

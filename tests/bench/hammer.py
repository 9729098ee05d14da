"""A load generator on plain sockets, a process of its own: `python -m tests.bench.hammer PORT SECONDS CLIENTS COOKIE…`.

Each client sends a report, waits for the answer, sends the next under a new key; the cookies (sign-ins) go round among
the clients. Prints what was accepted as JSON. It shares the machine with the server, so it does as little as it can.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from collections.abc import Sequence
from typing import cast

import uvloop

BODY = {
    "category": {"scheme": "GB/T 30428.2", "version": "2013", "code": "0110"},
    "text": "垃圾桶满了没人清，味道很大",
    "position": {"cell": "441802001001001"},
    "place_words": "鸣翠花苑南门",
}
_LENGTH = b"content-length: "


class Client(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, port: int, cookie: str, until: float) -> None:
        body = json.dumps(BODY, ensure_ascii=False).encode()
        self._head = (
            f"POST /api/v1/reports HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\norigin: http://127.0.0.1:{port}\r\n"
            f"content-type: application/json\r\ncookie: sid={cookie}\r\ncontent-length: {len(body)}\r\n"
            "idempotency-key: "
        ).encode()
        self._tail = b"\r\n\r\n" + body
        self._until = until
        self._kept = b""
        self._began = 0.0
        self._transport: asyncio.Transport | None = None
        self.took: list[float] = []
        self.refused: list[str] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one, though not by descent
        self._send()

    def _send(self) -> None:
        assert self._transport is not None
        self._began = time.monotonic()
        if self._began >= self._until:
            self._transport.close()
            return
        self._transport.write(self._head + str(uuid.uuid4()).encode() + self._tail)

    def data_received(self, data: bytes) -> None:
        data = self._kept + data
        head, end, body = data.partition(b"\r\n\r\n")
        length = head.lower().partition(_LENGTH)[2].partition(b"\r\n")[0]
        if not end or len(body) < int(length):
            self._kept = data
            return
        self._kept = b""
        if head.startswith(b"HTTP/1.1 201"):
            self.took.append(time.monotonic() - self._began)
        else:
            self.refused.append(body.decode())
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def _hammer(port: int, seconds: float, clients: int, cookies: Sequence[str]) -> dict[str, float]:
    loop, began = asyncio.get_running_loop(), time.monotonic()
    made = []
    for n in range(clients):
        cookie = cookies[n % len(cookies)]
        _, client = await loop.create_connection(lambda c=cookie: Client(port, c, began + seconds), "127.0.0.1", port)
        made.append(client)
    await asyncio.gather(*(client.done for client in made))
    refused = [words for client in made for words in client.refused]
    if refused:
        raise AssertionError(f"{len(refused)} reports were refused: {refused[0]}")
    took = sorted(seconds for client in made for seconds in client.took)
    return {
        "per_s": len(took) / (time.monotonic() - began),
        "accepted": len(took),
        "p50_ms": took[len(took) // 2] * 1000,
        "p99_ms": took[len(took) * 99 // 100] * 1000,
    }


if __name__ == "__main__":
    port, seconds, clients, *cookies = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(_hammer(int(port), float(seconds), int(clients), cookies))))

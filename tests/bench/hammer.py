"""A load generator on plain sockets, a process of its own: `python -m tests.bench.hammer PORT SECONDS CLIENTS COOKIE`.

Each client sends a report, waits for the answer, sends the next under a new key. Prints what was accepted as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid

import uvloop

BODY = {
    "category": {"scheme": "GB/T 30428.2", "version": "2013", "code": "0110"},
    "text": "垃圾桶满了没人清，味道很大",
    "position": {"cell": "441802001001001"},
    "place_words": "鸣翠花苑南门",
}


def _request(port: int, cookie: str, body: bytes) -> bytes:
    head = (
        f"POST /api/v1/reports HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\norigin: http://127.0.0.1:{port}\r\n"
        f"content-type: application/json\r\ncookie: sid={cookie}\r\nidempotency-key: {uuid.uuid4()}\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _client(port: int, cookie: str, until: float, took: list[float], refused: list[str]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = json.dumps(BODY, ensure_ascii=False).encode()
    while (began := time.monotonic()) < until:
        writer.write(_request(port, cookie, body))
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(
            next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")).split()[-1]
        )
        answer = await reader.readexactly(length)
        if head.startswith(b"HTTP/1.1 201"):
            took.append(time.monotonic() - began)
        else:
            refused.append(answer.decode())
    writer.close()


async def _hammer(port: int, seconds: float, clients: int, cookie: str) -> dict[str, float]:
    took: list[float] = []
    refused: list[str] = []
    began = time.monotonic()
    await asyncio.gather(*(_client(port, cookie, began + seconds, took, refused) for _ in range(clients)))
    if refused:
        raise AssertionError(f"{len(refused)} reports were refused: {refused[0]}")
    took.sort()
    return {
        "per_s": len(took) / (time.monotonic() - began),
        "p50_ms": took[len(took) // 2] * 1000,
        "p99_ms": took[len(took) * 99 // 100] * 1000,
    }


if __name__ == "__main__":
    port, seconds, clients, cookie = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(_hammer(int(port), float(seconds), int(clients), cookie))))

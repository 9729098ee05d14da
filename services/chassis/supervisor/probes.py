"""Questions to a running part, asked without any library."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

ANSWER_WITHIN = 2.0


async def http_status(port: int, path: str, host: str = "127.0.0.1") -> int | None:
    """Status of a GET, or None where nobody answers in time."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
                line = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return None
    words = line.split()
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else None


def http_ready(port: int, path: str = "/readyz") -> Callable[[], Awaitable[bool]]:
    """Ready when GET answers 200."""

    async def probe() -> bool:
        return await http_status(port, path) == 200

    return probe


def quick(question: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    """A probe from a question that answers within milliseconds."""

    async def probe() -> bool:
        return question()

    return probe

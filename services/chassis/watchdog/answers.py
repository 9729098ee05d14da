"""Whether a web server answers, asked over its own port: only there a full table of files or a dead
listener shows."""

from __future__ import annotations

import asyncio
from typing import Final

from services.chassis.watchdog.pulse import Pulse

ANSWER_WITHIN: Final = 2.0
ASK_EVERY_S: Final = 10.0
PATIENCE_S: Final = 8.0
ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where such a listener is reached from here


async def http_status(port: int, path: str, host: str = "127.0.0.1", within: float = ANSWER_WITHIN) -> int | None:
    """Status of a GET, or None where nobody answers in time."""
    try:
        async with asyncio.timeout(within):
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


async def watch_answers(pulse: Pulse, address: tuple[str, int], every_s: float = ASK_EVERY_S) -> None:
    """Ask /healthz until cancelled; every answer is a turn of the pulse."""
    host, port = ANYWHERE.get(address[0], address[0]), address[1]
    while True:
        if await http_status(port, "/healthz", host, PATIENCE_S) is not None:
            pulse.turn()
        await asyncio.sleep(every_s)

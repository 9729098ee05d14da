"""The supervisor's own metrics, in Prometheus' text form, made by hand: it has to start without any library."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress

from services.chassis.supervisor.part import PartState
from services.chassis.supervisor.status import PartStatus

READ_WITHIN = 5.0
HOST = "127.0.0.1"

Restarts = Counter[tuple[str, str]]
"""How often each part was started again, by part and reason."""


def exposition(parts: Mapping[str, PartStatus], restarts: Restarts) -> str:
    """What GET /metrics answers."""
    lines = [
        "# HELP grid_part_restarts_total Lives of a part that ended, by reason: exit, signal, failed, asked, or the"
        " watchdog's rule silent, stuck, stalled, memory",
        "# TYPE grid_part_restarts_total counter",
        *(f'grid_part_restarts_total{{part="{p}",reason="{r}"}} {n}' for (p, r), n in sorted(restarts.items())),
        "# HELP grid_part_up Whether a part runs and counts as ready",
        "# TYPE grid_part_up gauge",
        *(f'grid_part_up{{part="{name}"}} {_up(part)}' for name, part in parts.items()),
    ]
    ages = {name: part.beat_age_s for name, part in parts.items()}
    memory = {name: part.rss_mb for name, part in parts.items()}
    lines += _gauges("grid_part_heartbeat_age_seconds", "Since a part's last heartbeat", ages)
    lines += _gauges("grid_part_resident_megabytes", "Memory a part holds", memory)
    return "\n".join(lines) + "\n"


def _gauges(metric: str, text: str, values: Mapping[str, float | None]) -> list[str]:
    head = [f"# HELP {metric} {text}", f"# TYPE {metric} gauge"]
    return head + [f'{metric}{{part="{name}"}} {value}' for name, value in values.items() if value is not None]


def _up(part: PartStatus) -> int:
    return int(part.state in (PartState.READY, PartState.DONE))


async def serve_metrics(port: int, text: Callable[[], str]) -> asyncio.Server | None:
    """Answer every request on loopback with `text`; None where the port is taken."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(READ_WITHIN):
                await reader.readuntil(b"\r\n\r\n")
                body = text().encode()
                head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
                writer.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
                await writer.drain()
        writer.close()

    try:
        return await asyncio.start_server(answer, HOST, port)
    except OSError:
        return None

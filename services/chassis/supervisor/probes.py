"""Questions to a running part, asked without any library."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from services.chassis.watchdog.answers import http_status


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

"""How long after a phone sends a report an operator sees it in his queue: all parts running, over the live feed."""

from __future__ import annotations

import asyncio
import json
import random
import string
import time
import uuid
from typing import Any

import httpx

from services.dispatch.feed.people import PersonClient
from tests.bench.hammer import BODY
from tests.bench.result import Result
from tests.chaos.stand import Stand

REPORTS = 150
PER_SECOND = 5.0
PATIENCE_S = 20.0


async def watch(stand: Stand) -> list[Result]:
    """Report → visible, p50 and p99."""
    took = await times(stand)
    p50 = took[len(took) // 2]
    runs = [{"p50": p50, "p99": p99(took), "most": took[-1], "reports": len(took)}]
    return [
        Result("report_to_queue_p50", round(p50, 1), "ms", runs=runs),
        Result("report_to_queue_p99", round(p99(took), 1), "ms", runs=runs),
    ]


def p99(took: list[float]) -> float:
    """Of sorted times."""
    return took[len(took) * 99 // 100]


async def times(stand: Stand) -> list[float]:
    """Milliseconds from report to visible, sorted."""
    phone, clerk = await stand.person("wangge01"), await stand.person("shouli")
    seen: dict[str, float] = {}
    watching = asyncio.create_task(_watch(clerk, seen))
    await asyncio.sleep(1.0)
    try:
        sent = await _report(phone)
        async with asyncio.timeout(PATIENCE_S):
            while sent.keys() - seen.keys():  # noqa: ASYNC110 - a dictionary tells nobody
                await asyncio.sleep(0.05)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        for person in (phone, clerk):
            await person.close()
    return sorted((seen[mark] - sent[mark]) * 1000 for mark in sent)


async def _report(phone: PersonClient) -> dict[str, float]:
    """Send them evenly; answers when each was sent, by the mark in its text."""
    sent: dict[str, float] = {}
    for _ in range(REPORTS):
        mark = "".join(random.choices(string.ascii_lowercase, k=12))  # digits could look like a telephone number
        body: dict[str, Any] = {**BODY, "text": f"门口垃圾没人清 {mark}"}
        sent[mark] = time.monotonic()
        key = {"idempotency-key": str(uuid.uuid4())}
        (await phone.intake.post("/api/v1/reports", json=body, headers=key)).raise_for_status()
        await asyncio.sleep(max(0.0, sent[mark] + 1 / PER_SECOND - time.monotonic()))
    return sent


async def _watch(clerk: PersonClient, seen: dict[str, float]) -> None:
    timeout = httpx.Timeout(10.0, read=60.0)
    async with clerk.dispatch.stream("GET", "/api/v1/events", timeout=timeout) as stream:
        async for line in stream.aiter_lines():
            if not line.startswith("data:"):
                continue
            summary = str((json.loads(line[5:]).get("row") or {}).get("summary", ""))
            mark = summary.rpartition(" ")[2]
            if mark:
                seen.setdefault(mark, time.monotonic())

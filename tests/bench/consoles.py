"""Two hundred open consoles while fifty reports a second come: when the last of them hears, and what that costs."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections import defaultdict
from pathlib import Path

import aiohttp

from services.chassis.supervisor.status import read_status
from tests.bench.queue import PATIENCE_S, p99, report
from tests.bench.result import Result
from tests.chaos.stand import PASSWORD, Stand

CONSOLES = 200
AT_ONCE = 4
"""Consoles that sign on at the same moment; on a morning they do not all come in the same millisecond."""
REPORTS = 1_000
PER_SECOND = 50.0
WIDE = {"IC", "DP", "DC", "SL"}
PART = "dispatch"
_MARK = re.compile(rb"\xe6\xb8\x85 ([a-z]{12})\"")  # 清, then the mark


async def watch(stand: Stand) -> list[Result]:
    """Those who look over the whole street, so that everybody is told everything, at several consoles each."""
    logins = [account["login"] for account in await asyncio.to_thread(stand.accounts)]
    heard: dict[str, list[float]] = defaultdict(list)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        cookies = [cookie for login in logins if (cookie := await _cookie(session, stand, login))]
        gate = asyncio.Semaphore(AT_ONCE)
        listening = [
            asyncio.create_task(_listen(session, stand, cookies[n % len(cookies)], heard, gate))
            for n in range(CONSOLES)
        ]
        async with asyncio.timeout(PATIENCE_S):
            while len(heard[""]) < CONSOLES:  # noqa: ASYNC110 - counts are told to whoever has just come
                await asyncio.sleep(0.1)
        before, began = _cpu_s(stand), time.monotonic()
        try:
            sent = await report(stand, REPORTS, PER_SECOND)
            await _until_quiet(heard)
            cores = (_cpu_s(stand) - before) / (time.monotonic() - began)
        finally:
            for each in listening:
                each.cancel()
            await asyncio.gather(*listening, return_exceptions=True)
    took = sorted((at - sent[mark]) * 1000 for mark, all_at in heard.items() if mark in sent for at in all_at)
    runs = [{"p50": took[len(took) // 2], "p99": p99(took), "most": took[-1], "told": len(took), "cores": cores}]
    runs[0]["people"] = len(cookies)
    return [
        Result("consoles_latest", round(took[-1], 1), "ms", goal="≤ 1000 ms", runs=runs),
        Result("consoles_cores", round(cores, 2), "cores", goal="< 1", runs=runs),
    ]


async def _until_quiet(heard: dict[str, list[float]]) -> None:
    """Nobody has heard anything new for two seconds."""
    told, end = -1, time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        await asyncio.sleep(2.0)
        if told == (told := sum(len(all_at) for all_at in heard.values())):
            return


async def _cookie(session: aiohttp.ClientSession, stand: Stand, login: str) -> str | None:
    """Of somebody who looks over the whole street; None for others."""
    url, body = stand.streets.dispatch, {"login": login, "password": PASSWORD}
    async with session.post(f"{url}/api/v1/session", json=body, headers={"origin": url}) as answer:
        posts = (await answer.json())["posts"] if answer.status == 200 else []
        if not any(post["role"] in WIDE for post in posts):
            return None
        return "; ".join(f"{name}={morsel.value}" for name, morsel in answer.cookies.items())


async def _listen(
    session: aiohttp.ClientSession, stand: Stand, cookie: str, heard: dict[str, list[float]], gate: asyncio.Semaphore
) -> None:
    timeout = aiohttp.ClientTimeout(total=None)
    url = f"{stand.streets.dispatch}/api/v1/events"
    async with gate:
        answer = await session.get(url, headers={"cookie": cookie}, timeout=timeout)
        answer.raise_for_status()
        await answer.content.readuntil(b"\n\n")
    async with answer:
        kept, mine, counted = b"", set[str](), False
        async for piece in answer.content.iter_any():
            now, end = time.monotonic(), 0
            if not counted and b"event: queue.counts" in piece:
                counted = True
                heard[""].append(now)
            for found in _MARK.finditer(text := kept + piece):
                end, mark = found.end(), found[1].decode()
                if mark not in mine:
                    mine.add(mark)
                    heard[mark].append(now)
            kept = text[max(end, len(text) - 20) :]


def _cpu_s(stand: Stand) -> float:
    """Seconds of processor that dispatch's HTTP process has used."""
    status = read_status(stand.home)
    assert status is not None
    pid = status.parts[PART].pid
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

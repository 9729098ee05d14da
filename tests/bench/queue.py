"""How long after a report was accepted an operator sees it in his queue: all parts running, at 50 reports a second.

Twice: when the live feed tells it, and when the list of a console that is open in a browser has it as a row.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
import uuid
from typing import Any

import aiohttp
import httpx
from playwright.async_api import Page, async_playwright

from services.dispatch.feed.people import PersonClient
from tests.bench.hammer import BODY
from tests.bench.result import Result
from tests.chaos.stand import PASSWORD, Stand
from tests.e2e.browser.conftest import ARGUMENTS, CHROMIUM

REPORTS = 750
PER_SECOND = 50.0
PATIENCE_S = 60.0
SENDERS = ("wangge01", "wangge02", "wangge03", "wangge04", "wangge05", "wangge06")
LIST = "branch_triage"
LETTERS = "bcdfghjklmnprst"
"""Digits could look like a telephone number, and vx or wx like an account that is hidden."""
GOAL_P50, GOAL_P99 = "≤ 80 ms", "≤ 250 ms"

# The list says how many rows it has; when it got its nth is when the nth report could be seen.
_NOTE_ROWS = """() => {
  const grid = document.querySelector('[role=grid]');
  const note = { base: Number(grid.getAttribute('aria-rowcount')), at: [] };
  window.noted = note;
  new MutationObserver(() => {
    const rows = Number(grid.getAttribute('aria-rowcount')) - note.base;
    while (note.at.length < rows) note.at.push(Date.now());
  }).observe(grid, { attributes: true, attributeFilter: ['aria-rowcount'] });
}"""


async def watch(stand: Stand) -> list[Result]:
    """Report → visible, p50 and p99: on the feed, then on a screen."""
    await times(stand, 100)  # nobody measures the first minute of a morning
    return [
        *_results("report_to_queue", await times(stand)),
        *_results("report_to_screen", await _on_screen(stand)),
    ]


def _results(name: str, took: list[float]) -> list[Result]:
    p50 = took[len(took) // 2]
    runs = [{"p50": p50, "p99": p99(took), "most": took[-1], "reports": len(took)}]
    return [
        Result(f"{name}_p50", round(p50, 1), "ms", goal=GOAL_P50, runs=runs),
        Result(f"{name}_p99", round(p99(took), 1), "ms", goal=GOAL_P99, runs=runs),
    ]


def p99(took: list[float]) -> float:
    """Of sorted times."""
    return took[len(took) * 99 // 100]


async def times(stand: Stand, reports: int = REPORTS) -> list[float]:
    """Milliseconds from acceptance to the feed's telling, sorted."""
    clerk = await stand.person("shouli")
    seen: dict[str, float] = {}
    watching = asyncio.create_task(_watch(clerk, seen))
    await asyncio.sleep(1.0)
    try:
        accepted = await report(stand, reports)
        async with asyncio.timeout(PATIENCE_S):
            while accepted.keys() - seen.keys():  # noqa: ASYNC110 - a dictionary tells nobody
                await asyncio.sleep(0.05)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await clerk.close()
    return sorted((seen[mark] - moment) * 1000 for mark, moment in accepted.items())


async def _on_screen(stand: Stand) -> list[float]:
    """Milliseconds from acceptance to row. The list is loaded to its end first: what is beyond is no row yet."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            page = await browser.new_page(viewport={"width": 1366, "height": 768}, locale="zh-CN")
            await _open_list(page, stand)
            await page.evaluate(_NOTE_ROWS)
            began = time.time() - time.monotonic()
            accepted = sorted((await report(stand, REPORTS)).values())
            async with asyncio.timeout(PATIENCE_S):
                while len(at := await page.evaluate("window.noted.at")) < len(accepted):  # noqa: ASYNC110 - a page
                    await asyncio.sleep(0.2)
        finally:
            await browser.close()
    return sorted(at[n] - (began + one) * 1000 for n, one in enumerate(accepted))


async def _open_list(page: Page, stand: Stand) -> None:
    await page.goto(f"{stand.streets.dispatch}/console/")
    await page.locator("input[name=username]").fill("shouli")
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.locator("button[type=submit]").click()
    await page.get_by_test_id("live").wait_for()
    await page.goto(f"{stand.streets.dispatch}/console/queues/{LIST}")
    box = page.get_by_test_id("case-list")
    await page.get_by_test_id("case-row").first.wait_for()
    rows = -1
    while rows != (rows := int(await page.locator("[role=grid]").get_attribute("aria-rowcount") or 0)):
        await box.evaluate("box => { box.scrollTop = box.scrollHeight }")
        await page.wait_for_timeout(1_000)
    await box.evaluate("box => { box.scrollTop = 0 }")


async def report(stand: Stand, reports: int, per_second: float = PER_SECOND) -> dict[str, float]:
    """Send them evenly, none waiting for the answer to another; when each was accepted, by the mark in its text.

    Phones are not part of what is measured, so the client is one that takes little of the machine.
    """
    signed_in = [await _signed_in(stand, login) for login in SENDERS]
    address, accepted = f"{stand.streets.intake}/api/v1/reports", dict[str, float]()

    async def one(line: aiohttp.ClientSession, cookie: str) -> None:
        mark = "".join(random.choices(LETTERS, k=12))
        body: dict[str, Any] = {**BODY, "text": f"门口垃圾没人清 {mark}"}
        headers = {"idempotency-key": str(uuid.uuid4()), "cookie": f"sid={cookie}", "origin": stand.streets.intake}
        async with line.post(address, json=body, headers=headers) as answer:
            answer.raise_for_status()
        accepted[mark] = time.monotonic()

    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as line, asyncio.TaskGroup() as group:
        began = time.monotonic()
        for n in range(reports):
            await asyncio.sleep(max(0.0, began + n / per_second - time.monotonic()))
            group.create_task(one(line, signed_in[n % len(signed_in)]))
    return accepted


async def _signed_in(stand: Stand, login: str) -> str:
    """The cookie of a sign-in."""
    phone = await stand.person(login)
    try:
        return phone.intake.cookies["sid"]
    finally:
        await phone.close()


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

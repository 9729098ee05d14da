"""A list's page and the counts of all lists from the server: one street with very many cases beside one with few.

Both servers run side by side and are asked in turns, so what else the machine does falls on both alike. The few are
all of one community: its pages are as full as those of one among many, and what is compared is the looking for them.
"""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import ExitStack
from datetime import datetime
from typing import Final

import httpx

from services.chassis.engines.kafka import free_port
from tests.bench.ground import Ground, answers, process, standing
from tests.bench.result import Result
from tests.bench.street_of_cases import COMMUNITIES, fill

MANY: Final = int(os.environ.get("BENCH_CASES", "1000000"))
FEW: Final = 10_000
ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS", "60"))
PAGE: Final = 50
PASSWORD: Final = "fengcheng-2026"
QUEUES: Final = ("intake", "to_dispatch", "in_handling", "overdue", "red", "due_soon", "branch_triage")
LOGINS: Final = ("shouli", "shequ01")
"""Somebody of the street, who sees all of it, and somebody of one community."""


def run() -> list[Result]:
    """Pages, counts, and what counting the rows would cost."""
    with ExitStack() as held:
        grounds = [held.enter_context(standing(kafka=False)) for _ in range(2)]
        urls = [_served(held, grounds[0], FEW, 1), _served(held, grounds[1], MANY, COMMUNITIES)]
        results = asyncio.run(_ask(*urls))
        return [*results, _counted(grounds[1])]


def _served(held: ExitStack, ground: Ground, count: int, communities: int) -> str:
    with ground.connect() as connection:
        now = connection.execute("SELECT directory.grid_now()").fetchone()
    if now is None or not isinstance(now[0], datetime):
        raise TypeError("the database tells no time")
    fill(ground.database_url.replace("postgresql+psycopg", "postgresql"), 0, count, now[0], communities)
    port = free_port()
    held.enter_context(process(ground.environment(GRID_DISPATCH_PORT=str(port)), "services.dispatch", "serve"))
    url = f"http://127.0.0.1:{port}"
    answers(f"{url}/readyz")
    return url


async def _ask(few: str, many: str) -> list[Result]:
    results = []
    for login in LOGINS:
        async with _client(few) as small, _client(many) as large:
            for client in (small, large):
                await _sign_in(client, login)
            paths = [f"/api/v1/queues/{queue}?limit={PAGE}" for queue in QUEUES]
            results.append(await _compared(f"queue_page_{login}", small, large, paths, "p99 <= 15 ms, ratio <= 1.5"))
            results.append(await _compared(f"queue_counts_{login}", small, large, ["/api/v1/queues"], None))
    return results


async def _compared(
    name: str, small: httpx.AsyncClient, large: httpx.AsyncClient, paths: list[str], goal: str | None
) -> Result:
    """p99 of the many; the ratio is of the middles, which a busy machine moves less."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(-3, ROUNDS):
        for path in paths:
            for client, took in zip((small, large), times, strict=True):
                began = time.perf_counter()
                (await client.get(path)).raise_for_status()
                if number >= 0:  # the first ones make connections and plans
                    took.append((time.perf_counter() - began) * 1000)
    fewer, more = (sorted(took) for took in times)
    p99, beside = more[len(more) * 99 // 100], fewer[len(fewer) * 99 // 100]
    runs = [{"p50": _middle(more), "p99": p99, "p50_few": _middle(fewer), "p99_few": beside, "cases": MANY}]
    ratio = round(_middle(more) / _middle(fewer), 3)
    return Result(name, round(p99, 1), "ms", round(beside, 1), ratio, goal, runs)


def _middle(took: list[float]) -> float:
    return took[len(took) // 2]


def _counted(ground: Ground) -> Result:
    """What the kept counts spare: counting one list's rows, in the database alone."""
    took = []
    with ground.connect() as connection:
        for _ in range(20):
            began = time.perf_counter()
            connection.execute("SELECT count(*) FROM dispatch.cases WHERE queues @> '{grid_open}'")
            took.append((time.perf_counter() - began) * 1000)
    return Result("queue_count_of_rows", round(_middle(sorted(took)), 1), "ms")


def _client(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, headers={"origin": url}, timeout=60)


async def _sign_in(client: httpx.AsyncClient, login: str) -> None:
    (await client.post("/api/v1/session", json={"login": login, "password": PASSWORD})).raise_for_status()

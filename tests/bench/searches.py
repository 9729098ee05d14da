"""How long a search takes among a million cases: common words, rare ones, several, numbers, none at all, each asked by
people who see the whole street, a grid, and what a unit leads; beside a row read by its key."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable
from statistics import median

import sqlalchemy as sa

from services.chassis.db import Database, grid_now
from services.chassis.settings import DatabaseSettings
from services.dispatch.store.audience import Scope, scope_of
from services.dispatch.store.lists import rows_in_order
from services.dispatch.store.searching import Asked, found
from services.governance.acts import Actor, Post
from services.governance.cycle import Role
from tests.bench.ground import standing
from tests.bench.many_words import SEED, Speech, fill, grid_of, unit_of
from tests.bench.result import Result
from tests.support.governance import STREET

CASES = int(os.environ.get("BENCH_CASES", "1000000"))
ASKED = 1_000
COUNTED, SHOWN = 1_000, 50


def run() -> list[Result]:
    """In a database of its own."""
    with standing(kafka=False) as ground:
        return asyncio.run(_filled(ground.database_url))


async def _filled(url: str) -> list[Result]:
    db = Database(DatabaseSettings(DATABASE_URL=url), "bench")
    try:
        async with db.reading() as tx:
            now = await grid_now(tx)
        await asyncio.to_thread(fill, url.replace("postgresql+psycopg", "postgresql"), CASES, now)
        return await searches(db)
    finally:
        await db.close()


async def searches(db: Database) -> list[Result]:
    """p50 and p99 of all, with what the first 50 rows cost."""
    dice, scopes = random.Random(SEED), _people()
    questions = [(question, dice.choice(scopes)) for question in _questions(ASKED)]
    for question, scope in questions[:20]:  # the pages that every search reads are in memory afterwards
        await _ask(db, question, scope)
    took = [await _timed(_ask(db, question, scope)) for question, scope in questions]
    keys = [await _timed(_by_key(db, dice.randrange(CASES))) for _ in range(ASKED)]
    value, bare = _p99(took), _p99(keys)
    runs = [{"p50": median(took), "p99": value, "most": max(took), "key_p50": median(keys), "key_p99": bare}]
    return [
        Result("search_p50", round(median(took), 1), "ms", runs=runs),
        Result("search_p99", round(value, 1), "ms", round(bare, 2), round(value / bare, 2), "<= 100 ms", runs),
    ]


def _people() -> list[Scope]:
    posts = (
        Post(Role.DUTY_CHIEF, STREET),
        Post(Role.GRID_WORKER, grid_of(7)),
        Post(Role.HANDLING_UNIT, STREET, unit_of(3)),
    )
    return [scope_of(Actor("bench", (post,))) for post in posts]


def _questions(count: int) -> list[str]:
    speech = Speech(SEED + 1)
    dice = speech.dice
    kinds: tuple[Callable[[], str], ...] = (
        lambda: dice.choice(("垃圾", "井盖松动", "影响通行", "环卫所", "社区")),
        speech.shop,
        speech.place,
        lambda: f"{speech.place()[:3]} {dice.choice(('垃圾', '噪音', '路灯'))}",
        lambda: f"R{dice.randrange(CASES):06d}",
        lambda: f"{dice.randrange(100_000):05d}",
        lambda: f"202{dice.randrange(4, 7)}{dice.randrange(1, 13):02d}{dice.randrange(1, 29):02d}",
        lambda: "没有这样的词",
        lambda: speech.text()[4:9],
        lambda: "",
    )
    return [kinds[n % len(kinds)]() for n in range(count)]


async def _ask(db: Database, question: str, scope: Scope) -> None:
    async with db.reading() as tx:
        places = await found(tx, Asked.of(question), scope, most=COUNTED + 1, after=None)
        await rows_in_order(tx, [place.case_id for place in places[:SHOWN]], scope)


async def _by_key(db: Database, number: int) -> None:
    statement = sa.text("SELECT state FROM dispatch.cases WHERE id = :id")
    async with db.reading() as tx:
        await tx.execute(statement, {"id": f"01900000-0000-7000-8000-{number:012x}"})


async def _timed(answer: Awaitable[None]) -> float:
    began = time.perf_counter()
    await answer
    return (time.perf_counter() - began) * 1000


def _p99(took: list[float]) -> float:
    return sorted(took)[len(took) * 99 // 100]

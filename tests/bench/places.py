"""Where a report belongs and what lies beside it: the cell of a point among ten thousand, similar matters among the
cases of a million reports. Each as the service asks, beside the least that any such question costs."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from statistics import median

import numpy as np
import shapely
import sqlalchemy as sa

from services.chassis.db import Database, grid_now
from services.chassis.directory.areas import CellMap
from services.chassis.settings import DatabaseSettings
from services.intake.store import reading
from services.intake.usecases.views import reach_of, similar_of
from tests.bench.ground import standing
from tests.bench.many_cases import sample_rulebook
from tests.bench.many_reports import SEED, District, fill
from tests.bench.result import Result, alternated
from tests.support.areas import SOUTH, STEP, WEST, cell_of, features

SIDE = 100  # cells along each edge
LOOKED_UP = 20_000
ROUNDS = 5
REPORTS = 1_000_000
ASKED = 4_000


def run() -> list[Result]:
    return [lookup(), *duplicates()]


# --- the cell of a point --------------------------------------------------------------------------------------------
def lookup() -> Result:
    """Microseconds a lookup, and of the bare tree, which only tells the boxes that hold the point."""
    cells = {cell.code: cell for cell in map(cell_of, features(SIDE, SIDE))}
    found = CellMap(cells)
    found.warm()
    tree = shapely.STRtree(shapely.from_geojson(np.array([cell.geometry for cell in cells.values()], dtype=object)))
    dice = random.Random(SEED)
    points = [(WEST + dice.random() * SIDE * STEP, SOUTH + dice.random() * SIDE * STEP) for _ in range(LOOKED_UP)]
    runs = []
    for _ in range(ROUNDS):
        ours = _each_us(points, found.at)
        bare = _each_us(points, lambda lng, lat: tree.query(shapely.points(lng, lat)))
        runs.append({"value": ours, "baseline": bare})
    return alternated("cell_lookup_10000", "µs", runs, goal="<= 50 µs")


def _each_us(points: list[tuple[float, float]], ask: Callable[[float, float], object]) -> float:
    """Of the processor, so that a machine with other work to do shows the same."""
    began = time.thread_time()
    for lng, lat in points:
        ask(lng, lat)
    return (time.thread_time() - began) / len(points) * 1e6


# --- similar matters ------------------------------------------------------------------------------------------------
def duplicates() -> list[Result]:
    """In a database of its own."""
    with standing(kafka=False) as ground:
        return asyncio.run(_filled(ground.database_url))


async def _filled(url: str) -> list[Result]:
    db = Database(DatabaseSettings(DATABASE_URL=url), "bench")
    try:
        async with db.reading() as tx:
            now = await grid_now(tx)
        plain = url.replace("postgresql+psycopg", "postgresql")
        await asyncio.to_thread(fill, plain, REPORTS, list(sample_rulebook().categories), now)
        return await _duplicates(db)
    finally:
        await db.close()


async def _duplicates(db: Database) -> list[Result]:
    """Milliseconds a search, p99, beside a row read by its key in a transaction of its own; every tenth question has no
    category."""
    book = sample_rulebook()
    district = District(list(book.categories))
    dice, hits = random.Random(SEED), 0
    since = timedelta(hours=book.settings.near_hours)
    asked = [district.somewhere() for _ in range(ASKED)]
    searches: list[float] = []
    keys: list[float] = []
    key = sa.text("SELECT state FROM intake.case_views WHERE case_id = :id")

    async def search(lng: float, lat: float, category: str | None) -> int:
        reach = reach_of(book, category)
        async with db.reading() as tx:
            found = await reading.near(tx, lng, lat, category, reach, since)
        return len(similar_of(found, lng, lat, book, reach).items)

    async def by_key() -> None:
        async with db.reading() as tx:
            await tx.execute(key, {"id": f"01920000-0000-7000-8000-{dice.randrange(REPORTS):012x}"})

    for n, (lng, lat, category) in enumerate(asked):
        wanted = None if n % 10 == 0 else category
        took, number = await _timed(lambda lng=lng, lat=lat, wanted=wanted: search(lng, lat, wanted))
        hits += number > 0
        searches.append(took)
        keys.append((await _timed(by_key))[0])
    value, bare = _p99(searches), _p99(keys)
    runs = [{"p50": median(searches), "p99": value, "most": max(searches), "key_p99": bare, "with_hits": hits}]
    return [
        Result("duplicate_search_p99", round(value, 2), "ms", round(bare, 2), round(value / bare, 2), "<= 10 ms", runs)
    ]


async def _timed(ask: Callable[[], Awaitable[int | None]]) -> tuple[float, int]:
    began = time.perf_counter()
    found = await ask()
    return (time.perf_counter() - began) * 1000, found or 0


def _p99(took: list[float]) -> float:
    return sorted(took)[len(took) * 99 // 100]

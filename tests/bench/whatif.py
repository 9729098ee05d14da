"""Ten thousand recorded cases through a changed rulebook, against folding the same facts and nothing else."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from schemas.cases import load_fact
from schemas.rulebook import load_rulebook
from services.chassis.db import Database
from services.chassis.settings import DatabaseSettings
from services.dispatch.store.recorded import Period, facts_of_cases, select_cases
from services.governance.case import Case, evolve
from services.governance.rulebook import Rulebook
from tests.bench.ground import Ground, standing
from tests.bench.result import CHECKOUT, Result, alternated
from tests.support.recorded_street import recorded_cases, store

CASES = 10_000
DAYS = 60
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
RULEBOOKS = CHECKOUT / "deploy" / "rulebooks"
PORTION = 200
ALTERNATIONS = 3


def run() -> list[Result]:
    """Three alternations over the same cases."""
    with standing(kafka=False) as ground, tempfile.TemporaryDirectory(prefix="grid-bench-whatif-", dir="/tmp") as out:
        facts = asyncio.run(_fill(ground, CASES))
        changed = changed_rulebook(Path(out))
        runs = [
            {"value": _whatif(ground, changed, Path(out)), "baseline": asyncio.run(_folded(ground)), "facts": facts}
            for _ in range(ALTERNATIONS)
        ]
    return [alternated("whatif_10000_cases", "s", runs, goal="< 30 s")]


def changed_rulebook(folder: Path) -> Path:
    """The sample's, with every written limit of four working hours halved."""
    text = (RULEBOOKS / "fengcheng.toml").read_text("utf-8")
    file = folder / "changed.toml"
    file.write_text(text.replace('limit = "4h"', 'limit = "2h"'), "utf-8")
    return file


def book() -> Rulebook:
    days = {file.name: file.read_text("utf-8") for file in (RULEBOOKS / "calendars").glob("*.toml")}
    return load_rulebook((RULEBOOKS / "fengcheng.toml").read_text("utf-8"), days)


async def _fill(ground: Ground, cases: int) -> int:
    db = Database(DatabaseSettings(url=ground.database_url), "bench")
    try:
        return await store(db, list(recorded_cases(book(), cases, 7, BEGIN, DAYS)), book())
    finally:
        await db.close()


def _whatif(ground: Ground, changed: Path, out: Path) -> float:
    """The whole command, with its start, its page and its data."""
    words = ["what-if", str(changed), "--since", f"{BEGIN:%Y-%m-%d}"]
    files = ["--html", str(out / "page.html"), "--json", str(out / "data.json")]
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "services.dispatch", *words, *files],
        env=ground.environment(),
        cwd=CHECKOUT,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.monotonic() - began


async def _folded(ground: Ground) -> float:
    """Read the facts and fold them: what any replay needs at least."""
    db = Database(DatabaseSettings(url=ground.database_url), "bench")
    began = time.monotonic()
    try:
        async with db.reading() as tx:
            chosen = await select_cases(tx, Period("441802001", BEGIN, None))
        for at in range(0, len(chosen.case_ids), PORTION):
            async with db.reading() as tx:
                for rows in await facts_of_cases(tx, chosen.case_ids[at : at + PORTION]):
                    case: Case | None = None
                    for body, _ in rows:
                        case = evolve(case, load_fact(body))
    finally:
        await db.close()
    return time.monotonic() - began

"""What telling people costs the stream worker: facts a second with the notices that they cause, and without.

The handlers are the product's own, around a real database, with what a batch of the worker holds. What the worker does
besides (Kafka, decoding, the inbox) is left out, so of all its work the share is smaller than the ratio says.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from schemas.envelope import Envelope
from schemas.events.case import CaseFactV1, ClockV1, OwnerV1, RungV1, ToldV1
from schemas.registry import decode
from schemas.topics import CASE
from services.chassis.db import Database, grid_now
from services.chassis.directory import Directory, DirectoryCache
from services.chassis.ids import SystemIds
from services.chassis.settings import DatabaseSettings
from services.chassis.streams import BatchHandler, Received
from services.chassis.streams.worker import BATCH
from services.escalation.agents import follower
from services.escalation.notices.settings import NoticeSettings
from services.escalation.usecases.follow import CaseFollower
from services.governance.acts import ClockState
from services.governance.cycle import ClockKind, Role, Tier
from tests.bench.ground import standing
from tests.bench.result import CHECKOUT, Result, alternated

FACTS, ROUNDS = 20 * BATCH, 5
EXAMPLE = CHECKOUT / "schemas" / "examples" / "case.overdue" / "v1" / "plain.json"
TOLD: tuple[tuple[str, ...], ...] = (("owner", "unit_head"), ("branch_secretary",), ("duty_chief",), ())
"""Whom facts name, in turns: most name somebody, few of a real day's do."""


def run() -> list[Result]:
    """Rounds of both in turns, each with facts of its own."""
    with standing(kafka=False) as ground:
        return [asyncio.run(_measured(ground.database_url))]


async def _measured(url: str) -> Result:
    db, ids = Database(DatabaseSettings(DATABASE_URL=url), "bench-notices"), SystemIds()
    try:
        cache = DirectoryCache(db)
        directory = await cache.refresh()
        async with db.reading() as tx:
            now = await grid_now(tx)
        alone = CaseFollower(ids, cache.rulebook, directory.name_of)
        both = follower(cache, ids, NoticeSettings().late_s)
        book = (await cache.current_rulebook(next(iter(directory.streets)), now)).version
        runs = [
            {
                "baseline": await _per_second(db, alone, _facts(directory, ids, now, book)),
                "value": await _per_second(db, both, _facts(directory, ids, now, book)),
            }
            for _ in range(ROUNDS)
        ]
        return alternated("notices beside timers", "facts/s", runs)
    finally:
        await db.close()


async def _per_second(db: Database, handler: BatchHandler, facts: Sequence[Envelope[CaseFactV1]]) -> float:
    heard = [Received(CASE.name, 0, number, fact) for number, fact in enumerate(facts)]
    began = time.perf_counter()
    for first in range(0, len(heard), BATCH):
        async with db.transaction() as tx:
            await handler.apply(tx, heard[first : first + BATCH])
    return round(len(heard) / (time.perf_counter() - began), 1)


def _facts(directory: Directory, ids: SystemIds, now: datetime, book: str) -> list[Envelope[CaseFactV1]]:
    """Each of a case of its own, spread over the grids of the street, with a clock that has three points to come."""
    example, body = _example(EXAMPLE)
    grids = sorted(directory.grids)
    found = []
    for number in range(FACTS):
        grid = grids[number % len(grids)]
        community = directory.grids[grid].community
        case_id = str(ids.uuid7())
        spot = body.standing.spot.model_copy(
            update={"street": directory.communities[community].street, "community": community, "grid": grid}
        )
        owner = OwnerV1(tier=Tier.GRID, code=grid, role=Role.GRID_SECRETARY)
        changes = {"case_id": case_id, "spot": spot, "owner": owner, "clocks": (_clock(case_id, now),)}
        tell = tuple(ToldV1(post=post) for post in TOLD[number % len(TOLD)])
        standing_now = body.standing.model_copy(update={**changes, "rulebook": book})
        told = body.model_copy(update={"standing": standing_now, "tell": tell, "clock": None})
        found.append(replace(example, id=ids.uuid7(), subject=case_id, sequence=1, time=now, data=told))
    return found


def _example(path: Path) -> tuple[Envelope[CaseFactV1], CaseFactV1]:
    stored = json.loads(path.read_text("utf-8"))
    headers = {name: value.encode() for name, value in stored["headers"].items()}
    envelope = decode(headers, json.dumps(stored["data"]).encode())
    assert isinstance(envelope.data, CaseFactV1)
    return envelope, envelope.data  # type: ignore[return-value] # narrowed above


def _clock(case_id: str, now: datetime) -> ClockV1:
    points = [now + timedelta(hours=hours) for hours in (6, 8, 10)]
    return ClockV1(
        clock_id=f"{case_id}:handling",
        kind=ClockKind.HANDLING,
        rev=1,
        state=ClockState.RUNNING,
        started_at=now,
        budget_s=28_800,
        basis="wall",
        due_at=points[1],
        original_due=points[1],
        rungs=tuple(RungV1(rung=number, at=at, act="overdue") for number, at in enumerate(points)),
    )

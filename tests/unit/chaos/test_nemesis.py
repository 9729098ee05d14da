"""Harms overlap, but an outage that lasts waits until everybody is well: nobody could be brought back meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import nemesis
from tests.chaos.nemesis import Nemesis
from tests.chaos.plan import FAR_S, Fault, Strike
from tests.chaos.world import World

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("lasts_s", "in_order"), [(FAR_S / 2, False), (FAR_S * 5, True)])
async def test_an_outage_that_lasts_begins_when_all_is_well(
    lasts_s: float, in_order: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    outage = asyncio.Event()

    async def kill(_world: World, _strike: Strike) -> str:
        told.append("killed")
        for _ in range(20):  # being started again takes its time
            await asyncio.sleep(0)
        if not in_order:
            await outage.wait()
        told.append("back")
        return ""

    async def away(_world: World, _strike: Strike) -> str:
        told.append("away")
        outage.set()
        return ""

    monkeypatch.setattr(nemesis, "FAULTS", {Fault.KILL: kill, Fault.DATABASE_OUTAGE: away})
    plan = (
        Strike(1, 0.0, Fault.KILL, "dispatch-worker-1", 0.0, 1),
        Strike(2, 0.0, Fault.DATABASE_OUTAGE, "", lasts_s, 2),
    )
    world: Any = None
    await Nemesis(world, plan, tmp_path / "faults.jsonl").run()
    assert (told == ["killed", "back", "away"]) is in_order

"""The checker finds nothing in a system that is whole, and finds each safeguard that is taken out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from schemas.topics import TOPICS
from services.chassis.kafka import KafkaAddress
from services.chassis.topics import apply_topics
from tests.chaos.mutations.scenes import SCENES, Scene
from tests.chaos.mutations.small import SmallStand, opened

pytestmark = [pytest.mark.anyio, pytest.mark.chaos, pytest.mark.timeout(600)]
PATIENCE_S = 300.0
NO_USE_S = 4.0
"""Without its safeguard the system stays as it is: whoever waits longer sees nothing else."""
SLOWER = ("plain_stream", "exception_out", "stale_obeyed", "timers_by_cursor", "timers_overtake")
"""Found by the same rules as others of their kind; they are for `make long`."""
Open = Callable[..., AbstractAsyncContextManager[SmallStand]]


@pytest.fixture
async def stand(database_url: str, kafka_url: str, kafka_address: KafkaAddress, tmp_path: Path) -> Open:
    await apply_topics(kafka_address, TOPICS, 1)

    @asynccontextmanager
    async def start(mutation: str = "-", mutated: str = "") -> AsyncIterator[SmallStand]:
        async with opened(SmallStand(database_url, kafka_url, tmp_path, mutation, mutated)) as small:
            yield small

    return start


async def test_whole_it_stands_every_scene(stand: Open) -> None:
    async with stand() as small:
        for play in dict.fromkeys(scene.play for scene in SCENES):
            await play(small)
            await small.drained()
            judgement = await small.judge(PATIENCE_S)
            assert not judgement.violations, (play, judgement)


def _each() -> list[ParameterSet]:
    slower = pytest.mark.long
    return [pytest.param(one, id=one.mutation, marks=[slower] if one.mutation in SLOWER else []) for one in SCENES]


@pytest.mark.parametrize("scene", _each())
async def test_without_its_safeguard_the_checker_finds_it(stand: Open, scene: Scene) -> None:
    async with stand(scene.mutation, scene.part) as small:
        await scene.play(small)
        if scene.arrives:
            await small.drained()
        judgement = await small.judge(NO_USE_S)
        assert scene.broken <= {each.rule for each in judgement.violations}, judgement

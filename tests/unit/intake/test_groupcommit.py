"""Sharing commits: company is free, a lone item does not wait, one bad item spares its neighbours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from services.intake.usecases.groupcommit import GroupCommit, Unavailable

pytestmark = pytest.mark.anyio


class Weather(Exception):
    pass


class Writer:
    """Doubles numbers; negative ones are bad data, and it can be told to be away."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.away = False

    async def write(self, items: Sequence[int]) -> list[int]:
        await asyncio.sleep(0.001)
        if self.away:
            raise Weather
        if any(item < 0 for item in items):
            raise ValueError("negative")
        self.batches.append(list(items))
        return [item * 2 for item in items]


@pytest.fixture
def writer() -> Writer:
    return Writer()


@pytest.fixture
async def commits(writer: Writer) -> AsyncIterator[GroupCommit[int, int]]:
    made: GroupCommit[int, int] = GroupCommit(writer.write, lambda e: isinstance(e, Weather), most_at_once=20)
    made.start()
    yield made
    await made.close()


async def test_each_gets_its_own_outcome(commits: GroupCommit[int, int], writer: Writer) -> None:
    assert await asyncio.gather(*(commits.submit(n) for n in range(50))) == [n * 2 for n in range(50)]
    assert len(writer.batches) == 3  # 20 + 20 + 10
    assert sorted(item for batch in writer.batches for item in batch) == list(range(50))


async def test_bad_item_fails_alone(commits: GroupCommit[int, int]) -> None:
    outcomes = await asyncio.gather(*(commits.submit(n) for n in (1, 2, -3, 4, 5)), return_exceptions=True)
    assert isinstance(outcomes[2], ValueError)
    assert [outcomes[n] for n in (0, 1, 3, 4)] == [2, 4, 8, 10]


async def test_weather_fails_all_at_once_and_keeps_nothing(commits: GroupCommit[int, int], writer: Writer) -> None:
    writer.away = True
    outcomes = await asyncio.gather(*(commits.submit(n) for n in range(5)), return_exceptions=True)
    assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
    writer.away = False
    assert await commits.submit(7) == 14
    assert writer.batches == [[7]]


async def test_caller_who_left_harms_nobody(commits: GroupCommit[int, int]) -> None:
    leaving = asyncio.ensure_future(commits.submit(1))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await commits.submit(2) == 4


async def test_closing_tells_those_who_wait(writer: Writer) -> None:
    made: GroupCommit[int, int] = GroupCommit(writer.write, lambda _: False)
    waiting = asyncio.ensure_future(made.submit(1))
    await asyncio.sleep(0)
    await made.close()
    with pytest.raises(Unavailable):
        await waiting


async def test_two_writers_share_what_waits_and_work_at_the_same_time() -> None:
    at_work: list[list[int]] = []
    both = asyncio.Event()

    async def write(items: Sequence[int]) -> list[int]:
        at_work.append(list(items))
        if len(at_work) == 2:
            both.set()
        await both.wait()  # neither goes on alone
        return [item * 2 for item in items]

    commits: GroupCommit[int, int] = GroupCommit(write, lambda _: False, writers=2)
    commits.start()
    async with asyncio.timeout(20):
        assert await asyncio.gather(*(commits.submit(n) for n in range(9))) == [n * 2 for n in range(9)]
    await commits.close()
    assert sorted(map(len, at_work)) == [4, 5]

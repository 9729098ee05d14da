"""What is under way when a sender is asked to end: an answer in time counts, what goes on is let go."""

from __future__ import annotations

import asyncio

import pytest

from services.escalation.usecases.parting import Parting

pytestmark = pytest.mark.anyio


async def test_an_answer_counts_until_patience_is_over() -> None:
    parting, stop, never = Parting(0.0), asyncio.Event(), asyncio.Event()
    async with parting.kept(stop):
        assert await parting.of(asyncio.sleep(0, "answer")) == "answer"
        hanging = [asyncio.ensure_future(parting.of(never.wait())) for _ in range(3)]
        await asyncio.sleep(0)
        stop.set()
        assert await asyncio.gather(*hanging) == [None, None, None]
        assert await parting.of(never.wait()) is None, "nothing is begun any more either"


async def test_a_time_out_of_the_work_itself_stays_one() -> None:
    async def late() -> None:
        raise TimeoutError

    parting = Parting(0.0)
    with pytest.raises(TimeoutError):
        await parting.of(late())


async def test_nothing_is_left_behind_where_nobody_asks_it_to_end() -> None:
    before = asyncio.all_tasks()
    async with Parting().kept(asyncio.Event()):
        pass
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before

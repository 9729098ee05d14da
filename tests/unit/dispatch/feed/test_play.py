"""How the feed ends."""

from __future__ import annotations

import asyncio

import pytest

from services.dispatch.feed.play import _until


async def _play(stop: asyncio.Event, told: list[str]) -> None:
    await stop.wait()
    told.append("finished")


async def test_when_the_time_is_up_everybody_finishes_what_he_is_at() -> None:
    stop, told = asyncio.Event(), list[str]()
    await _until([_play(stop, told), _play(stop, told)], stop, 0.02)
    assert told == ["finished", "finished"]


async def test_a_fault_of_one_ends_it_and_is_told() -> None:
    stop, told = asyncio.Event(), list[str]()

    async def stumble() -> None:
        raise RuntimeError("no answer")

    with pytest.raises(RuntimeError, match="no answer"):
        await _until([_play(stop, told), stumble()], stop, None)
    assert stop.is_set()

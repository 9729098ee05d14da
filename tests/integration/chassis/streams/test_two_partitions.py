"""The events of a key come from two partitions, to two workers at once: what a grown topic does to them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from services.chassis.streams.arrange import Move
from services.chassis.streams.message import Lane, Message
from tests.integration.chassis.streams.conftest import Stand
from tests.support.events import message, noted

pytestmark = pytest.mark.anyio
KEYS = [f"key-{n}" for n in range(30)]
EVENTS = 8


def two(stand: Stand) -> tuple[Stand, Stand]:
    """Two workers on one database."""
    return stand, Stand(stand.db)


async def test_an_event_held_while_its_forerunner_commits_does_not_turn_the_key_back(stand: Stand) -> None:
    """Nothing is known of the key yet, so there is no row that one could wait for: the later commit must not win."""
    early, late = two(stand)
    committed = asyncio.Event()
    move = late.runner._store.move

    async def slow(tx: AsyncConnection, moves: Mapping[Lane, Move]) -> None:
        await committed.wait()
        await move(tx, moves)

    late.runner._store.move = slow  # type: ignore[method-assign]
    holding = asyncio.ensure_future(late.run(message(noted("a", 2), 0)))
    await until_locked(stand)
    await early.run(message(noted("a", 1), 7))
    committed.set()
    await holding

    assert await stand.ask("SELECT last_seq, held FROM dispatch.stream_positions") == [(1, 1)]
    assert await early.runner.release() == 1
    assert await stand.seen() == [1, 2]
    assert await stand.count("held_events") == 0


async def until_locked(stand: Stand) -> None:
    """Until the slow one has claimed its event and seen that there is no row."""
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'"
    )
    for _ in range(600):
        if await stand.ask(waiting) != [(0,)]:
            await asyncio.sleep(0.1)
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the slow one never began")


@pytest.mark.parametrize("seed", range(4))
async def test_whoever_reads_what_and_when_the_order_of_every_key_stands(stand: Stand, seed: int) -> None:
    rng = random.Random(seed)
    workers = two(stand)
    share: tuple[list[Message], list[Message]] = ([], [])
    for key in KEYS:
        moves_at = rng.randint(0, EVENTS)
        for number in range(1, EVENTS + 1):
            share[number > moves_at].append(message(noted(key, number), rng.randrange(10**9)))
    await asyncio.gather(
        *[_in_batches(worker, part, random.Random(seed)) for worker, part in zip(workers, share, strict=True)]
    )
    for worker in workers:
        await worker.runner.release()

    assert {key: await stand.seen(key) for key in KEYS} == {key: list(range(1, EVENTS + 1)) for key in KEYS}
    assert await stand.count("held_events") == 0
    assert await stand.ask("SELECT count(*) FROM dispatch.stream_positions WHERE held <> 0") == [(0,)]


async def _in_batches(worker: Stand, messages: list[Message], rng: random.Random) -> None:
    """As a partition gives them: each key in its order, keys mixed."""
    lanes: dict[bytes, list[Message]] = {}
    for each in messages:
        lanes.setdefault(each.key, []).append(each)
    mixed: list[Any] = []
    while lanes:
        key = rng.choice(sorted(lanes))
        mixed.append(lanes[key].pop(0))
        if not lanes[key]:
            del lanes[key]
    for start in range(0, len(mixed), 16):
        await worker.run(*mixed[start : start + 16])

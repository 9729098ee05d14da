"""Harm done around the system: its lines, the platform it tells things to."""

from __future__ import annotations

import asyncio

from tests.chaos.plan import Strike
from tests.chaos.world import World

COMMITS = 3


async def cut_commit(world: World, strike: Strike) -> str:
    """Some commits of the processes behind the bad line have an unknown outcome."""
    before, after = world.proxy.cut_before, world.proxy.cut_after
    loop = asyncio.get_running_loop()
    until = loop.time() + strike.lasts_s
    while loop.time() < until:
        world.proxy.cut(COMMITS)
        await asyncio.sleep(1.0)
    world.proxy.spare()
    return f"{world.proxy.cut_before - before} before, {world.proxy.cut_after - after} after the server obeyed"


async def receiver_refuses(world: World, strike: Strike) -> str:
    """Nobody listens at the platform's address."""
    await world.receiver.close_door()
    try:
        await asyncio.sleep(strike.lasts_s)
    finally:
        await world.receiver.open_door()
    return f"{strike.lasts_s:.0f} s"


async def receiver_errors(world: World, strike: Strike) -> str:
    """The platform answers 500 to everything."""
    world.receiver.answers = 500
    await asyncio.sleep(strike.lasts_s)
    world.receiver.answers = None
    return f"{strike.lasts_s:.0f} s"


async def receiver_slow(world: World, strike: Strike) -> str:
    """The platform takes a message and answers after the sender has lost patience."""
    world.receiver.slow = True
    await asyncio.sleep(strike.lasts_s)
    world.receiver.slow = False
    return f"{strike.lasts_s:.0f} s"

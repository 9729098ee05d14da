"""Harm done to time itself: the clocks of some hosts, and the database's own, which decides."""

from __future__ import annotations

import asyncio
from typing import Final

from tests.chaos.plan import Strike
from tests.chaos.violation import Violation
from tests.chaos.world import World, rng_of

STEP_S: Final = 600
STEPS: Final = 3
AHEAD_S: Final = 20
"""A step that no steady clock explains, and shorter than what receivers put up with."""
UNDER_WAY_S: Final = 3
"""A batch that was being fired at that moment may still commit."""
_AHEAD: Final = (
    "CREATE OR REPLACE FUNCTION directory.grid_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE"
    f" AS $body$ SELECT statement_timestamp() + interval '{AHEAD_S} seconds' $body$"
)
_NOW: Final = "SELECT directory.grid_now()"


async def clock_step(world: World, strike: Strike) -> str:
    """The wall clock of the guests jumps, forwards and back, while they fire timers and send; it stays wrong after."""
    rng = rng_of(strike.seed)
    steps = [rng.choice((-1, 1)) * rng.randint(STEP_S // 2, STEP_S)]
    steps += [-steps[0], rng.randint(-STEP_S, STEP_S)]
    before = await world.guests.fired()
    for ahead in steps:
        world.guests.set_clock(ahead)
        await asyncio.sleep(strike.lasts_s / STEPS)
    after = await world.guests.fired()
    whole = before is not None and after is not None and after >= before
    fired = f"{after - before} timers" if whole else "who knows how many timers"
    return ", ".join(f"{ahead:+d} s" for ahead in steps) + f"; fired {fired} meanwhile"


async def database_clock(world: World, strike: Strike) -> str:
    """The database's clock jumps ahead and stays there: for half a minute nothing may fire, then all of it does."""
    await world.tell_grid(_AHEAD)
    at = str((await world.ask_grid(_NOW))[0][0])
    await asyncio.sleep(strike.lasts_s)
    fired = (
        "SELECT count(*) FILTER (WHERE fired_at < c.at + c.pause), count(*) FILTER (WHERE fired_at >= c.at + c.pause)"
        f" FROM escalation.firings, (SELECT timestamptz '{at}' AS at, interval '{world.pause_s} seconds' AS pause) c"
        f" WHERE fired_at > c.at + interval '{UNDER_WAY_S} seconds'"
    )
    early, later = (int(str(number)) for number in (await world.ask_grid(fired))[0])
    if early:
        world.broken.append(Violation("timers", f"{early} fired within {world.pause_s:.0f} s of a step of the clock"))
    return f"{AHEAD_S:+d} s; {early} timers fired in the pause, {later} just after"

"""Harm done to a process: killed, frozen, asked to end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from typing import Final

from tests.chaos.plan import Strike
from tests.chaos.pulse import BEAT_PER_S, LOAD_PER_S, now, recovery
from tests.chaos.world import World, rng_of

IMMEDIATE: Final = {"postgres": signal.SIGQUIT}  # what `pg_ctl stop -m immediate` sends
WARM_UP_S: Final = 6.0
WATCHED_S: Final = 22.0
STILL_OPEN_S: Final = 0.4
TRIES: Final = 60
ROLLED: Final = (
    "intake",
    "dispatch",
    "escalation",
    "dispatch-worker-1",
    "dispatch-worker-2",
    "intake-worker",
    "escalation-worker",
)
_OPEN: Final = (
    "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"
    f" AND clock_timestamp() - state_change > interval '{STILL_OPEN_S} seconds'"
)


async def kill(world: World, strike: Strike) -> str:
    """At once; the supervisor (or we) start it again."""
    pid = await world.running(strike.target)
    with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
        os.kill(pid, IMMEDIATE.get(strike.target, signal.SIGKILL))
    await world.running(strike.target, other_than=pid)
    if strike.target == "postgres":
        await world.database_back()
    return ""


async def kill_under_load(world: World, strike: Strike) -> str:
    """A worker at 200 events a second, nothing else going on: how soon do its partitions move again?"""
    pid = await world.running(strike.target)
    world.pulse.per_second = LOAD_PER_S
    try:
        await asyncio.sleep(WARM_UP_S)
        at = now()
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(WATCHED_S)
    finally:
        world.pulse.per_second = BEAT_PER_S
    await world.running(strike.target, other_than=pid)
    found = await asyncio.to_thread(recovery, world.stand.database_url, at, WATCHED_S)
    if found is None:
        return "no partition fell silent"
    world.recoveries.append(found)
    return f"partitions served again after {found.recovered_s:.1f} s, others silent {found.others_s:.1f} s at most"


async def terminate(world: World, strike: Strike) -> str:
    """Asked to end, it ends in order."""
    pid = await world.running(strike.target)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    await world.running(strike.target, other_than=pid)
    return ""


async def freeze(world: World, strike: Strike) -> str:
    """Stopped for a while, then it goes on as if nothing had been."""
    pid = await world.running(strike.target)
    await _stopped(pid, strike.lasts_s)
    await world.running(strike.target)
    return f"{strike.lasts_s:.0f} s"


async def freeze_in_transaction(world: World, strike: Strike) -> str:
    """The same, with a transaction open that holds locks: PostgreSQL has to end it."""
    rng = rng_of(strike.seed)
    for _ in range(TRIES):
        target = rng.choice([name for name in world.victims() if "worker" in name])
        pid = await world.running(target)
        if await _caught(world, pid, rng):
            await _stopped(pid, strike.lasts_s)
            await world.running(target)
            return f"{target}, {strike.lasts_s:.0f} s"
    return "never caught one inside"


async def _caught(world: World, pid: int, rng: random.Random) -> bool:
    """Stop it at a random moment; True, and it stays stopped, if a transaction is left open by that."""
    await asyncio.sleep(rng.uniform(0.05, 0.3))
    if int(str((await world.ask(_OPEN))[0][0])):
        return False  # somebody else's: it could not be told from ours
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(STILL_OPEN_S + 0.1)
        if int(str((await world.ask(_OPEN))[0][0])):
            return True
        os.kill(pid, signal.SIGCONT)
    return False


async def _stopped(pid: int, seconds: float) -> None:
    with contextlib.suppress(ProcessLookupError):  # killed meanwhile
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            os.kill(pid, signal.SIGCONT)


async def rolling_restart(world: World, strike: Strike) -> str:
    """As an operator does it who brings in a new version: one process after the other."""
    order = rng_of(strike.seed).sample(ROLLED, len(ROLLED))
    done = await asyncio.to_thread(world.stand.grid, "restart", *order, check=False)
    if done.returncode:  # another harm came in between: the next one, or the end of the run, shows whether it healed
        return f"given up: {done.stderr.strip().splitlines()[-1:]}"
    return f"{len(order)} processes"

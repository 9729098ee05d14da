"""The thread beside the event loop that judges the process, and the few lines it runs in the loop itself."""

from __future__ import annotations

import asyncio
import faulthandler
import math
import os
import resource
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from services.chassis.clock import monotonic
from services.chassis.telemetry import logger
from services.chassis.watchdog.beat import Beat
from services.chassis.watchdog.herald import Herald
from services.chassis.watchdog.pulse import Pulse
from services.chassis.watchdog.rules import LOOK_S, Judge, Limits, LoopSeen, Rule, Seen, Verdict

EXIT_HUNG: Final = 76
"""The process ended itself because it hung; its last heartbeat and its log say by which rule."""
STACKS_SIGNAL: Final = signal.SIGUSR2
"""`kill -USR2` makes any of our processes write the stacks of its threads to its log and go on."""
EXCUSE_WITHIN_S: Final = 20.0
ORDERLY_END_S: Final = 22.0
"""A process that only holds too much memory is asked to end as by SIGTERM before it is cut off."""
SAY_WITHIN_S: Final = 2.0
_STDERR: Final = 2


class Guard:
    """One process's watchdog. Enter `watching` inside the running loop."""

    def __init__(
        self,
        limits: Limits,
        herald: Herald,
        leave: Callable[[int], NoReturn] = os._exit,
        look_s: float = LOOK_S,
    ) -> None:
        self._limits = limits
        self._herald = herald
        self._leave = leave
        self._look_s = look_s
        self._pulses: tuple[Pulse, ...] = ()
        self._ticks = 0
        self._over = threading.Event()

    def watch(self, *pulses: Pulse) -> None:
        """From here on these loops are what the process has to do."""
        self._pulses = pulses

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Watch over the loop that runs this block, for as long as the block lasts."""
        loop = asyncio.get_running_loop()
        dump_stacks_on_signal()
        thread = threading.Thread(target=self._look_on, args=(loop,), name="watchdog", daemon=True)
        within = [asyncio.ensure_future(self._tick()), asyncio.ensure_future(self._hear_excuses())]
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            for task in within:
                task.cancel()
            await asyncio.gather(*within, return_exceptions=True)
            await asyncio.to_thread(thread.join)
            self._herald.close()

    # -- in the loop

    async def _tick(self) -> None:
        while True:
            self._ticks += 1
            await asyncio.sleep(self._look_s)

    async def _hear_excuses(self) -> None:
        """Ask loops that stand still whether what they need is there, long before they are judged."""
        before: dict[str, LoopSeen] = {}
        while math.isfinite(self._limits.stalled_s):
            await asyncio.sleep(self._limits.stalled_s / 4)
            for pulse in self._pulses:
                seen = pulse.seen
                if pulse.excuse is not None:
                    pulse.excused = await _excuse(pulse) if stands_still(before.get(pulse.name), seen) else None
                before[pulse.name] = seen

    # -- in the thread

    def _look_on(self, loop: asyncio.AbstractEventLoop) -> None:
        judge = Judge(self._limits)
        while not self._over.wait(self._look_s):
            seen = Seen(self._ticks, resident_mb(), tuple(pulse.seen for pulse in self._pulses))
            verdict = judge.look(seen, monotonic())
            self._herald.send(self._beat(seen, verdict))
            if verdict is not None:
                self._end(verdict, loop)

    def _beat(self, seen: Seen, verdict: Verdict | None) -> Beat:
        waits = next((each.excused or each.waits_for for each in seen.loops if each.excused or each.waits_for), None)
        return Beat(seen.rss_mb, all(pulse.serving for pulse in self._pulses), waits, verdict)

    def _end(self, verdict: Verdict, loop: asyncio.AbstractEventLoop) -> None:
        _within(SAY_WITHIN_S, lambda: logger("watchdog").critical("hung", rule=str(verdict.rule), why=verdict.told))
        if verdict.rule is Rule.MEMORY:
            os.kill(os.getpid(), signal.SIGTERM)
            if self._over.wait(ORDERLY_END_S):
                return
        faulthandler.dump_traceback(_STDERR)
        if verdict.rule is not Rule.STUCK:
            told = threading.Event()
            loop.call_soon_threadsafe(show_tasks, told)
            told.wait(SAY_WITHIN_S)
        self._leave(EXIT_HUNG)


def stands_still(before: LoopSeen | None, now: LoopSeen) -> bool:
    """Whether nothing has happened in a loop between two looks although something should have."""
    if before is None:
        return False
    return before.turns == now.turns or (before.work > 0 < now.work and before.done == now.done)


async def _excuse(pulse: Pulse) -> str | None:
    assert pulse.excuse is not None
    try:
        async with asyncio.timeout(EXCUSE_WITHIN_S):
            return await pulse.excuse()
    except TimeoutError:
        return "whether it gets what it needs"
    except Exception as error:  # noqa: BLE001 - no excuse then; the loop is judged by what it does
        logger("watchdog").warning("no_excuse", loop=pulse.name, error=repr(error)[:300])
        return None


def resident_mb() -> int:
    """Memory this process holds, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 1_048_576


def dump_stacks_on_signal() -> None:
    """Let a crash, systemd's SIGABRT and `STACKS_SIGNAL` write stacks to the log, also where no Python code runs."""
    if not faulthandler.is_enabled():
        faulthandler.enable(_STDERR)
    faulthandler.register(STACKS_SIGNAL, _STDERR, all_threads=True)


def show_tasks(told: threading.Event) -> None:
    """What each task of the loop waits for; a thread's stack does not show it."""
    for task in asyncio.all_tasks():
        sys.stderr.write(
            "\n".join([f"Task {task.get_name()} waits (outermost first):", *awaiting(task.get_coro())]) + "\n"
        )
    told.set()


def awaiting(awaited: object) -> Iterator[str]:
    """Where a coroutine stands, and what it awaits, down to the last."""
    while awaited is not None:
        frame = _first(awaited, "cr_frame", "gi_frame", "ag_frame")
        if isinstance(frame, FrameType):
            yield f'  File "{frame.f_code.co_filename}", line {frame.f_lineno}, in {frame.f_code.co_name}'
        awaited = _first(awaited, "cr_await", "gi_yieldfrom", "ag_await")


def _first(of: object, *names: str) -> object:
    return next((found for name in names if (found := getattr(of, name, None)) is not None), None)


def _within(seconds: float, say: Callable[[], object]) -> None:
    """Say it, but not at the price of hanging too: whoever hangs may hold the log's lock.

    The process ends whether it could be said or not; why it could not goes to the bare descriptor, which has no lock.
    """

    def trying() -> None:
        try:
            say()
        except Exception as unsaid:  # noqa: BLE001 - whatever it is, the process still has to end
            os.write(2, f"watchdog: could not log: {unsaid!r}\n".encode())

    speaker = threading.Thread(target=trying, daemon=True)
    speaker.start()
    speaker.join(seconds)

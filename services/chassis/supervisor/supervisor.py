"""Starts the parts in the order of their needs, keeps them alive, and stops them so that nothing is left.

Every part is a process of its own with one argv, so systemd or containers can run the same parts without this.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from services.chassis.clock import monotonic
from services.chassis.engines import process
from services.chassis.supervisor.console import Console
from services.chassis.supervisor.ear import Ear
from services.chassis.supervisor.exposition import Restarts, exposition
from services.chassis.supervisor.journal import Journal
from services.chassis.supervisor.part import Part
from services.chassis.supervisor.runner import Runner, Spawn, StartFailed
from services.chassis.supervisor.status import Status, status_file, write_status
from services.chassis.supervisor.watch import Patience, Watch
from services.chassis.watchdog.beat import Beat

LOOK_EVERY = 0.5
TELL_EVERY = 5.0
"""How old heartbeats and memory in the status file may be."""

WhenReady = Callable[[], Awaitable[int | None]]
"""Called once everything is ready; an exit code ends the supervisor, None lets it run on."""


class Supervisor:
    """The parts of one GRID_HOME. `run` returns the exit code."""

    def __init__(
        self,
        parts: Sequence[Part],
        home: Path,
        console: Console,
        status: Status | None = None,
        spawn: Spawn = process.spawn,
        patience: Patience | None = None,
    ) -> None:
        patience = patience or Patience()
        self._home = home
        self._console = console
        self._status = status or Status(supervisor=os.getpid(), home=str(home))
        self._stop = asyncio.Event()
        self._signals = 0
        self._journal = Journal(home)
        self._restarts: Restarts = Restarts()
        self._ear = Ear(self._heard)
        self._killing: set[asyncio.Task[None]] = set()
        self._told_at = 0.0
        self.runners = {
            part.name: Runner(part, home, console, self._changed, spawn, Watch(patience, self._ear.drain), self._ended)
            for part in parts
        }
        for name, runner in self.runners.items():
            guarded = {"NOTIFY_SOCKET": self._ear.address if runner.part.guarded else ""}
            runner.environment = guarded | patience.environment(name)
        unknown = {need for part in parts for need in part.needs} - set(self.runners)
        if unknown:
            raise ValueError(f"parts need what nobody is: {sorted(unknown)}")

    async def run(self, when_ready: WhenReady | None = None) -> int:
        """Run until a signal, a vital part's failure or `when_ready`'s exit code; then stop everything."""
        self._hear_signals()
        self._ear.open()
        tasks: list[asyncio.Task[None]] = [asyncio.create_task(self._keep(each)) for each in self.runners.values()]
        tasks.append(asyncio.create_task(self._look()))
        greet = asyncio.create_task(self._when_ready(when_ready))
        stop = asyncio.create_task(self._stop.wait())
        everything: list[asyncio.Task[Any]] = [*tasks, greet, stop]
        try:
            while not self._over(everything, greet):
                waiting = [task for task in everything if not task.done()]
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            return self._outcome(everything, greet)
        finally:
            await self._wind_down(everything)
            self._ear.close()

    def request_stop(self) -> None:
        """First call: stop in order. Second: at once."""
        self._signals += 1
        self._stop.set()
        if self._signals > 1:
            for runner in self.runners.values():
                if runner.pid is not None and not runner.part.engine:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(runner.pid, signal.SIGKILL)

    # -- inside

    def _hear_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(sig, self.request_stop)

    async def _keep(self, runner: Runner) -> None:
        for need in runner.part.needs:
            await self.runners[need].was_ready.wait()
        await runner.run()

    async def _when_ready(self, when_ready: WhenReady | None) -> int | None:
        for runner in self.runners.values():
            if runner.part.awaited:
                await runner.was_ready.wait()
        self._status.ready = True
        self._changed()
        return await when_ready() if when_ready is not None else None

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            for runner in self.runners.values():
                with contextlib.suppress(OSError):  # a full disk: the next look may do better
                    runner.look_at_log()
                self._look_after(runner)
            if monotonic() - self._told_at > TELL_EVERY:
                self._changed()

    def _look_after(self, runner: Runner) -> None:
        if not runner.part.guarded or runner.pid is None or self._stop.is_set():
            return
        verdict = runner.watch.look(monotonic())
        if verdict is not None:
            killing = asyncio.create_task(runner.end_hung(verdict))
            self._killing.add(killing)
            killing.add_done_callback(self._killing.discard)

    def _heard(self, pid: int, beat: Beat) -> None:
        for runner in self.runners.values():
            if runner.pid == pid and runner.watch.hear(beat):
                self._changed()

    def _ended(self, runner: Runner) -> None:
        ending = runner.ending
        assert ending is not None
        name = runner.part.name
        self._restarts[name, ending.reason] += 1
        level = "info" if ending.asked else "error"
        self._journal.write("part_ended", level, part=name, reason=ending.reason, why=ending.told, code=ending.code)

    def metrics(self) -> str:
        """What Prometheus reads of the supervisor."""
        return exposition({name: runner.status() for name, runner in self.runners.items()}, self._restarts)

    def _over(self, tasks: Sequence[asyncio.Task[Any]], greet: asyncio.Task[int | None]) -> bool:
        if self._stop.is_set() or _failure(tasks) is not None:
            return True
        return greet.done() and greet.result() is not None

    def _outcome(self, tasks: Sequence[asyncio.Task[Any]], greet: asyncio.Task[int | None]) -> int:
        failure = _failure(tasks)
        if failure is None:
            return (greet.result() or 0) if greet.done() else 0
        if not isinstance(failure, StartFailed):
            raise failure
        self._console.line("grid", str(failure), loud=True)
        return 1

    async def _wind_down(self, tasks: Sequence[asyncio.Task[Any]]) -> None:
        """Services first, engines last."""
        running = [runner for runner in self.runners.values() if runner.pid is not None]
        if running:
            self._console.line("grid", "stopping …")
        for engines in (False, True):
            await asyncio.gather(*(r.stop() for r in self.runners.values() if r.part.engine is engines))
        for runner in self.runners.values():
            runner.look_at_log()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        status_file(self._home).unlink(missing_ok=True)
        if running:
            self._console.line("grid", "everything is stopped; the data stay in " + str(self._home))

    def _changed(self) -> None:
        if self._stop.is_set():
            return
        self._told_at = monotonic()
        self._status.parts = {name: runner.status() for name, runner in self.runners.items()}
        try:
            write_status(self._home, self._status)
        except OSError as error:  # a full disk must not end what still runs
            self._journal.write("status_not_written", "error", why=str(error))


def _failure(tasks: Sequence[asyncio.Task[Any]]) -> BaseException | None:
    for task in tasks:
        if task.done() and not task.cancelled() and task.exception() is not None:
            return task.exception()
    return None

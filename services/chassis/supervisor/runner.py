"""The life of one part: prepare, start, wait until ready, watch, and start again after a crash, ever more slowly."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from services.chassis.clock import SystemClock, monotonic
from services.chassis.engines import EngineFailed, Launch
from services.chassis.engines.process import tail
from services.chassis.supervisor.asked import was_asked
from services.chassis.supervisor.console import Console, LogWatch
from services.chassis.supervisor.ending import Ending
from services.chassis.supervisor.nursery import Child
from services.chassis.supervisor.part import Part, PartState
from services.chassis.supervisor.status import PartStatus
from services.chassis.supervisor.watch import Watch
from services.chassis.supervisor.yielding import let_others_go_first
from services.chassis.watchdog.rules import Verdict

LONGEST_PAUSE = 10.0
HEALTHY_AFTER = 20.0
"""Seconds a part has to run for its earlier crashes to be forgotten."""
NAMED_AFTER = 3
"""Crashes in a row after which a part is named with its last lines."""
GIVE_UP_AFTER = 4
"""Failures of a vital part at the start after which the start is given up."""
PROBE_EVERY = 0.1
STACKS_SIGNAL = signal.SIGUSR2
STACKS_WITHIN = 0.5
"""Seconds a hung part gets to write the stacks of its threads to its log."""


Spawn = Callable[[Launch, Path], Child]
"""Starts a process whose output goes to the file."""


class StartFailed(RuntimeError):
    """A vital part cannot start; the text names it with its last lines."""


class Runner:
    """One part and its present process."""

    def __init__(
        self,
        part: Part,
        home: Path,
        console: Console,
        changed: Callable[[], None],
        spawn: Spawn,
        watch: Watch,
        ended: Callable[[Runner], None],
    ) -> None:
        self.part = part
        self.watch = watch
        self.environment: Mapping[str, str] = {}
        """What the supervisor adds to the part's own."""
        self.log = home / "logs" / f"{part.name}.log"
        self.state = PartState.WAITING
        self.restarts = 0
        self.exit_code: int | None = None
        self.ending: Ending | None = None
        """How its last life ended."""
        self.ended_at: datetime | None = None
        self.was_ready = asyncio.Event()
        self._home = home
        self._console = console
        self._changed = changed
        self._spawn = spawn
        self._tell_end = ended
        self._process: Child | None = None
        self._ended: asyncio.Future[int] | None = None
        self._stopping = asyncio.Event()
        self._failures = 0
        self._log_watch = LogWatch(part.name, self.log, console)

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process else None

    async def run(self) -> None:
        """Keep the part alive until `stop`; a one-shot until it ended well. Raises StartFailed for a vital part."""
        while not self._stopping.is_set():
            began = monotonic()
            try:
                ending = await self._one_life()
            except (EngineFailed, OSError) as error:
                ending = Ending("failed", str(error))
            self.exit_code = ending.code
            if self._stopping.is_set():
                break
            if self.part.once and ending.code == 0:
                if self.part.settle is not None:
                    await asyncio.to_thread(self.part.settle)
                self._ready(PartState.DONE)
                return
            self.ending, self.ended_at = ending, SystemClock().now()
            self._tell_end(self)
            if ending.asked or monotonic() - began > HEALTHY_AFTER:
                self._failures = 0
            if not ending.asked:
                self._failures += 1
                self._report(ending.told)
                await self._pause(crashed=ending.needs_pause)
            self.restarts += 1
        self._become(PartState.STOPPED)

    async def stop(self, at_once: bool = False) -> None:
        """End the process by the part's steps, at last by SIGKILL, with everything it started."""
        self._stopping.set()
        steps = () if at_once else self.part.stop_steps
        for sig, seconds in steps:
            if not self._signal(sig):
                return
            with contextlib.suppress(TimeoutError):
                assert self._ended is not None
                await asyncio.wait_for(asyncio.shield(self._ended), seconds)
                return
        if self._signal(signal.SIGKILL):
            if not at_once:
                self._console.line(self.part.name, f"did not stop in time, killed; last lines in {self.log}", loud=True)
            assert self._ended is not None
            await self._ended

    def look_at_log(self) -> None:
        """Show what the part wrote that matters."""
        self._log_watch.look()

    async def end_hung(self, verdict: Verdict) -> None:
        """End a process that no longer speaks; SIGKILL ends stopped ones too. It starts again like after a crash."""
        self._console.line(self.part.name, f"hangs ({verdict.told}); killed, its stacks are in {self.log}", loud=True)
        self._signal(STACKS_SIGNAL)
        await asyncio.sleep(STACKS_WITHIN)
        self._signal(signal.SIGKILL)

    def status(self) -> PartStatus:
        """As it is now."""
        beat = self.watch.beat if self.pid is not None else None
        return PartStatus(
            state=str(self.state),
            pid=self.pid,
            restarts=self.restarts,
            exit_code=self.exit_code,
            port=self.part.port,
            url=self.part.url,
            metrics=self.part.metrics,
            log=str(self.log),
            reason=self.ending.reason if self.ending else None,
            told=self.ending.told if self.ending else None,
            ended_at=self.ended_at.isoformat(timespec="seconds") if self.ended_at else None,
            serving=(beat is not None and beat.serving) if self.part.guarded else None,
            waits_for=beat.waits_for if beat else None,
            rss_mb=beat.rss_mb if beat else None,
            beat_age_s=self.watch.age_s if beat else None,
        )

    # -- one life

    async def _one_life(self) -> Ending:
        self._become(PartState.STARTING)
        if self.part.prepare is not None:
            await asyncio.to_thread(self.part.prepare)
        launch = await asyncio.to_thread(self.part.launch)
        if self._stopping.is_set():
            return Ending.of_code(None)
        self._process = self._spawn(replace(launch, env={**launch.env, **self.environment}), self.log)
        self.watch.born(self._process.pid)
        self._ended = _exit_of(self._process)
        self._changed()
        try:
            if self.part.yields:
                await let_others_go_first(self._process.pid)
            await self._until_ready(self._ended)
            return self._judged(self._process.pid, await self._ended)
        finally:
            if self._process.poll() is None:  # settling failed, or we are cancelled
                self._process.send_signal(signal.SIGKILL)
                self._process.wait()
            _sweep(self._process.pid)
            self._process = None

    def _judged(self, pid: int, code: int) -> Ending:
        if was_asked(self._home, self.part.name, pid):
            return Ending("asked", "asked to start again", code)
        if (verdict := self.watch.last_verdict()) is not None:
            return Ending(str(verdict.rule), f"watchdog: {verdict.told}", code)
        return Ending.of_code(code)

    async def _until_ready(self, ended: asyncio.Future[int]) -> None:
        """Probe until ready or ended; then settle. One-shots become ready by ending well."""
        if self.part.once:
            return
        if self.part.probe is not None:
            while not ended.done() and not await self.part.probe():
                await asyncio.wait([ended], timeout=PROBE_EVERY)
        if ended.done() or self._stopping.is_set():
            return
        if self.part.settle is not None:
            await asyncio.to_thread(self.part.settle)
        self._ready(PartState.READY)

    async def _pause(self, crashed: bool) -> None:
        pause = min(LONGEST_PAUSE, 0.5 * 2 ** min(self._failures - 1, 10))
        if crashed:
            pause = max(pause, self.part.crash_pause)
        self._become(PartState.PAUSING)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), pause)

    def _report(self, why: str) -> None:
        name, last = self.part.name, "\n".join(f"    {line[:400]}" for line in tail(self.log))
        if self.part.vital and not self.was_ready.is_set() and self._failures >= GIVE_UP_AFTER:
            self._become(PartState.FAILED)
            raise StartFailed(f"{name} cannot start ({why}). Its last lines, from {self.log}:\n{last}")
        if self._failures == NAMED_AFTER:
            told = f"keeps failing ({why}, {self._failures} times). Its last lines, from {self.log}:\n{last}"
            self._console.line(name, told, loud=True)
        elif self._failures < NAMED_AFTER:
            self._console.line(name, f"ended ({why}), starting it again", loud=True)

    def _ready(self, state: PartState) -> None:
        self.was_ready.set()
        self._become(state)

    def _become(self, state: PartState) -> None:
        self.state = state
        self._changed()

    def _signal(self, sig: signal.Signals) -> bool:
        """Send a signal if the process still runs."""
        if self._process is None or self._process.poll() is not None:
            return False
        self._process.send_signal(sig)
        return True


def _exit_of(process: Child) -> asyncio.Future[int]:
    """The exit code as a future, told by the kernel (pidfd) instead of by asking."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[int] = loop.create_future()
    fd = os.pidfd_open(process.pid)

    def ended() -> None:
        loop.remove_reader(fd)
        os.close(fd)
        if not future.done():
            future.set_result(process.wait())

    loop.add_reader(fd, ended)
    return future


def _sweep(pid: int) -> None:
    """Kill and collect what a dead part left in its process group (helpers of its own)."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-pid, os.WNOHANG)[0]:
            pass

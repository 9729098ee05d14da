"""The life of a process: one loop with a web server and background parts, ended by a signal or the first fault.

A part that fails ends the whole process with exit code 1: the supervisor starts it afresh, which is simpler to
reason about than a process that limps.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import math
import signal
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from fastapi import FastAPI
from prometheus_client import start_http_server
from sqlalchemy.exc import DBAPIError

from services.chassis.clock import monotonic
from services.chassis.db import is_transient
from services.chassis.listening import serve_http, serve_tls
from services.chassis.settings import HttpSettings, MetricsSettings, WatchdogSettings
from services.chassis.telemetry import Metrics, logger
from services.chassis.watchdog.guard import Guard
from services.chassis.watchdog.herald import Herald
from services.chassis.watchdog.pulse import Pulse
from services.chassis.watchdog.rules import Limits

GRACE_S = 10.0
LAG_EVERY_S = 0.5
METRICS_RETRY_S = 30.0
COLLECTOR_EVERY_S = 1.0
START_AGAIN_S = 2.0
GC_THRESHOLDS = (50_000, 20, 50)
UNLIMITED = Limits(stuck_s=math.inf, stalled_s=math.inf, patience_s=math.inf, memory_mb=0)


class ExitCode(IntEnum):
    """How a process ends; the supervisor and `grid` read these."""

    OK = 0
    FAILED = 1  # a fault: start again
    USAGE = 2  # wrong arguments
    NOT_READY = 69  # something it needs is missing (EX_UNAVAILABLE)
    BAD_SETTINGS = 78  # starting again will not help (EX_CONFIG)


@dataclass(frozen=True, slots=True)
class Part:
    """A background loop: runs until `stop` is set, then returns soon."""

    name: str
    run: Callable[[asyncio.Event], Awaitable[None]]
    pulse: Pulse | None = None
    """By which its standstill is noticed; a loop without one is not watched."""


@dataclass(frozen=True, slots=True)
class Running:
    """What a process runs. `close` gives back connections after everything has stopped."""

    parts: Sequence[Part] = ()
    app: FastAPI | None = None
    http: HttpSettings | None = None
    metrics: Metrics | None = None
    close: Callable[[], Awaitable[None]] | None = None


def run(build: Callable[[], Awaitable[Running]]) -> int:
    """Builds inside a fresh loop, runs to the end, returns the exit code."""
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        return runner.run(_life(build))


async def _life(build: Callable[[], Awaitable[Running]]) -> int:
    stop = asyncio.Event()
    starting = Pulse("start")
    starting.serving = False
    starting.waits("what it needs to start")
    guard = _guard(WatchdogSettings())
    guard.watch(starting)
    with _signals(stop):
        async with guard.watching():
            try:
                running = await _built(build, stop, starting)
            except Exception:  # noqa: BLE001 - whatever it is, it belongs in the log; the supervisor tries again
                logger("serve").exception("cannot_start")
                return ExitCode.FAILED
            if running is None:
                return ExitCode.OK
            try:
                return await _until_stopped(running, stop, guard)
            finally:
                if running.close is not None:
                    await running.close()


async def _built(build: Callable[[], Awaitable[Running]], stop: asyncio.Event, starting: Pulse) -> Running | None:
    """What is to run, as soon as the database is there to build it; None if the end comes first."""
    while not stop.is_set():
        starting.turn()
        try:
            return await build()
        except DBAPIError as error:
            if not is_transient(error):
                raise
            logger("serve").warning("start_waits_for_database", error=str(error.orig)[:300])
            starting.waits("the database")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), START_AGAIN_S)
    return None


def _guard(settings: WatchdogSettings) -> Guard:
    limits = Limits(stuck_s=settings.stuck_s, stalled_s=settings.stalled_s, memory_mb=settings.memory_mb)
    herald = Herald(settings.notify_socket, settings.beat_file)
    return Guard(limits if settings.on else UNLIMITED, herald)


async def _until_stopped(running: Running, stop: asyncio.Event, guard: Guard) -> int:
    """Runs all parts and the server; the first one to end before `stop` ends them all."""
    parts = list(running.parts)
    if running.app is not None:
        answers = Pulse("http")
        http = running.http or HttpSettings()
        parts.append(Part("http", serve_http(running.app, http, answers, GRACE_S), answers))
        if http.https_port:
            parts.append(Part("https", serve_tls(running.app, http, GRACE_S)))
    if running.metrics is not None:
        metrics = running.metrics
        parts.append(Part("loop-lag", lambda stopped: watch_lag(metrics, stopped)))
        parts.append(Part("collector", lambda stopped: watch_collector(metrics, stopped)))
        if running.app is None and (shown := MetricsSettings()).port:
            parts.append(Part("metrics", lambda stopped: show_metrics(metrics, shown, stopped)))
    tune_gc()
    guard.watch(*(part.pulse for part in parts if part.pulse is not None))
    tasks = {asyncio.ensure_future(part.run(stop)): part.name for part in parts}
    waiting = asyncio.ensure_future(stop.wait())
    await asyncio.wait({waiting, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    early = [task for task in tasks if task.done()] if not stop.is_set() else []
    stop.set()
    guard.watch()  # who is asked to end may fall silent
    await waiting
    _, late = await asyncio.wait(tasks, timeout=GRACE_S)
    for task in late:
        logger("serve").warning("part_cut_off", part=tasks[task])
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    return _exit_code(dict(zip(tasks.values(), results, strict=True)), [tasks[task] for task in early])


def _exit_code(results: dict[str, object], early: Sequence[str]) -> int:
    failed = bool(early)
    for name, result in results.items():
        if isinstance(result, Exception):
            logger("serve").error("part_failed", part=name, exc_info=result)
            failed = True
        elif name in early:
            logger("serve").error("part_ended_early", part=name)
    return ExitCode.FAILED if failed else ExitCode.OK


def tune_gc() -> None:
    """What exists now lives for ever: take it out of the collector's sight, and let it look more rarely."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


async def watch_lag(metrics: Metrics, stop: asyncio.Event) -> None:
    """Measures how late the loop wakes up: the first sign of something blocking it."""
    loop = asyncio.get_running_loop()
    while not stop.is_set():
        due = loop.time() + LAG_EVERY_S
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LAG_EVERY_S)
        metrics.loop_lag.observe(max(0.0, loop.time() - due))


async def watch_collector(metrics: Metrics, stop: asyncio.Event) -> None:
    """Measures how long the garbage collector stops everything else."""
    told = metrics.histogram("grid_gc_pause_seconds", "How long one garbage collection took", ["generation"])
    for generation in range(3):
        told.labels(str(generation))
    pauses: deque[tuple[str, float]] = deque()
    began = monotonic()

    def hear(phase: str, info: dict[str, int]) -> None:  # in the middle of anything: takes no lock
        nonlocal began
        if phase == "start":
            began = monotonic()
        else:
            pauses.append((str(info["generation"]), monotonic() - began))

    gc.callbacks.append(hear)
    try:
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), COLLECTOR_EVERY_S)
            while pauses:
                which, seconds = pauses.popleft()
                told.labels(which).observe(seconds)
    finally:
        gc.callbacks.remove(hear)


async def show_metrics(metrics: Metrics, where: MetricsSettings, stop: asyncio.Event) -> None:
    """GET /metrics for a process that serves nothing else. A taken port costs the metrics, not the work."""
    while True:
        try:
            server, thread = start_http_server(where.port, where.host, metrics.registry)
            break
        except OSError as error:
            logger("serve").error("metrics_not_shown", host=where.host, port=where.port, error=str(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), METRICS_RETRY_S)
                return
    try:
        await stop.wait()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def _new_loop() -> asyncio.AbstractEventLoop:
    import uvloop  # only processes that serve need it

    return uvloop.new_event_loop()

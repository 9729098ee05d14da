"""Processes that the suite adds to the running system: the same programs on a host with a wrong clock and a bad line.

Their wall clock is libfaketime's and can be moved while they run; their connections to PostgreSQL go through a proxy
that cuts commits. The steady clock stays true: it is the kernel's.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import httpx

from services.chassis.supervisor.environment import Surroundings
from services.chassis.supervisor.settings import SupervisorSettings
from tests.chaos.stand import CHECKOUT, Stand, free_ports

TICK_S = 0.25
CLOCK_LOOKED_AT_S = 1
ASK_WITHIN_S = 5.0
FIRED = "grid_timers_fired_total"


def faketime() -> Path:
    """The library to preload."""
    spec = importlib.util.find_spec("libfaketime")
    assert spec is not None, "libfaketime is not installed"
    assert spec.origin is not None
    return Path(spec.origin).parent / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"


@dataclass(slots=True)
class Guest:
    """One such process."""

    name: str
    words: tuple[str, ...]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    lives: int = 0

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.words], env=self.environment, cwd=CHECKOUT, stdout=log, stderr=log
            )
        self.lives += 1


@dataclass(slots=True)
class Guests:
    """All of them: kept alive until `stop`, as a supervisor would."""

    clock: Path
    intake_port: int
    members: dict[str, Guest] = field(default_factory=dict)
    _keeper: asyncio.Task[None] | None = None

    @classmethod
    def of(cls, stand: Stand, line: Path) -> Guests:
        """`line`: the folder of the proxy's socket."""
        clock = stand.home / "run" / "wrong-clock"
        port, *metrics = free_ports(5)
        guests = cls(clock, port)
        guests.set_clock(0)
        rows = (
            ("guest-dispatch-worker", "dispatch", ("services.dispatch", "worker")),
            ("guest-timers", "escalation", ("services.escalation", "timers")),
            ("guest-deliver", "escalation", ("services.escalation", "deliver")),
            ("guest-intake", "intake", ("services.intake", "serve")),
        )
        for (name, role, words), shown in zip(rows, metrics, strict=True):
            environment = _environment(stand, role, line, clock) | {"GRID_METRICS_PORT": str(shown)}
            environment["GRID_INTAKE_PORT"] = str(port) if role == "intake" else environment["GRID_INTAKE_PORT"]
            guests.members[name] = Guest(name, words, environment, stand.home / "logs" / f"{name}.log")
        return guests

    def set_clock(self, ahead_s: int) -> None:
        """How far their wall clock is off from now on."""
        fresh = self.clock.with_suffix(".new")
        fresh.write_text(f"{ahead_s:+d}s\n")
        fresh.rename(self.clock)

    async def fired(self) -> int | None:
        """How many timers the guest that fires them has fired in its present life; None while it cannot be asked."""
        port = int(self.members["guest-timers"].environment["GRID_METRICS_PORT"])
        try:
            async with httpx.AsyncClient(timeout=ASK_WITHIN_S) as client:
                shown = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
        except httpx.HTTPError:
            return None
        lines = [line for line in shown.splitlines() if line.startswith(FIRED)]
        return int(sum(float(line.rsplit(" ", 1)[1]) for line in lines))

    def start(self) -> None:
        for guest in self.members.values():
            guest.start()
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        alive = [guest.process for guest in self.members.values() if guest.process is not None]
        for process in alive:
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in alive:
            try:
                await asyncio.to_thread(process.wait, 30)
            except subprocess.TimeoutExpired:
                process.kill()

    def pid(self, name: str) -> int | None:
        """Of one that runs."""
        process = self.members[name].process
        return process.pid if process is not None and process.poll() is None else None

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            for guest in self.members.values():
                if guest.process is not None and guest.process.poll() is not None:
                    await asyncio.sleep(1.0)
                    guest.start()


def _environment(stand: Stand, role: str, line: Path, clock: Path) -> dict[str, str]:
    around = Surroundings(SupervisorSettings.read(stand.environment))
    environment = around.environment(role)
    direct = quote(str(socket_folder(stand)))
    assert direct in environment["DATABASE_URL"]
    return environment | {
        "DATABASE_URL": environment["DATABASE_URL"].replace(direct, quote(str(line))),
        "LD_PRELOAD": str(faketime()),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": str(CLOCK_LOOKED_AT_S),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def socket_folder(stand: Stand) -> Path:
    """Where PostgreSQL itself listens."""
    return Path(parse_qs(urlsplit(stand.database_url).query)["host"][0])

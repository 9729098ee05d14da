"""The whole system in a home of its own, on free ports, as `grid up` starts it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.chassis.supervisor.environment import Surroundings
from services.chassis.supervisor.settings import SupervisorSettings
from services.chassis.supervisor.status import read_status
from services.dispatch.feed.people import PersonClient, Streets
from tests.support.unhurried import UNHURRIED

CHECKOUT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 300.0
PASSWORD = "fengcheng-2026"


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago, all different."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@dataclass(slots=True)
class Stand:
    """A running system. Build with `start`, end with `stop`."""

    home: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes]

    @property
    def streets(self) -> Streets:
        return Streets(
            f"http://127.0.0.1:{self.environment['GRID_INTAKE_PORT']}",
            f"http://127.0.0.1:{self.environment['GRID_DISPATCH_PORT']}",
        )

    @property
    def escalation(self) -> str:
        return f"http://127.0.0.1:{self.environment['GRID_ESCALATION_PORT']}"

    @property
    def database_url(self) -> str:
        """With the owner's rights, as libpq takes it."""
        settings = SupervisorSettings.read(self.environment)
        return Surroundings(settings).database_url("owner").replace("postgresql+psycopg", "postgresql")

    def grid(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a `grid` command against this system."""
        return subprocess.run(
            [sys.executable, "-m", "services.chassis.grid", *words],
            env=self.environment,
            cwd=CHECKOUT,
            check=check,
            capture_output=True,
            text=True,
        )

    def accounts(self) -> list[dict[str, Any]]:
        """The sample accounts."""
        found: list[dict[str, Any]] = json.loads(self.grid("accounts", "--json").stdout)
        return found

    async def person(self, login: str) -> PersonClient:
        """Somebody signed in."""
        person = PersonClient(self.streets, login, PASSWORD)
        await person.sign_in()
        return person

    def stop(self) -> int:
        """As Ctrl-C does; answers the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(90)


def start(home: Path, extra: Mapping[str, str] | None = None, options: tuple[str, ...] = ()) -> Stand:
    """Start and wait until everything is ready. AssertionError with the log's end when it does not become so."""
    intake, dispatch, escalation, kafka = free_ports(4)
    environment = {
        **{name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "KAFKA_URL")},
        "GRID_HOME": str(home),
        "GRID_INTAKE_PORT": str(intake),
        "GRID_DISPATCH_PORT": str(dispatch),
        "GRID_ESCALATION_PORT": str(escalation),
        "GRID_KAFKA_PORT": str(kafka),
        **UNHURRIED,
        "PYTHONPATH": str(CHECKOUT),
        **(extra or {}),
    }
    home.mkdir(parents=True, exist_ok=True)
    with (home / "up.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.chassis.grid", "up", *options],
            env=environment,
            cwd=CHECKOUT,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    stand = Stand(home, environment, process)
    began = time.monotonic()
    while time.monotonic() - began < READY_WITHIN_S and process.poll() is None:
        status = read_status(home)
        if status is not None and status.ready and status.supervisor == process.pid:
            return stand
        time.sleep(0.2)
    stand.stop()
    raise AssertionError("the system did not become ready:\n" + (home / "up.log").read_text()[-4000:])


async def wait_for(what: str, condition: Any, patience_s: float = 90.0) -> Any:
    """Poll an async condition until it is truthy; answers its value. AssertionError naming `what` otherwise."""
    loop = asyncio.get_running_loop()
    until = loop.time() + patience_s
    while loop.time() < until:
        value = await condition()
        if value:
            return value
        await asyncio.sleep(0.2)
    raise AssertionError(f"not within {patience_s:.0f} s: {what}")

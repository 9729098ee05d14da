"""Run a command that a service owns, in the environment that this GRID_HOME gives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from services.chassis.grid.exits import NOT_RUNNING
from services.chassis.supervisor.environment import Surroundings
from services.chassis.supervisor.settings import CHECKOUT, SupervisorSettings


def run_owned(service: str, words: tuple[str, ...]) -> int:
    """`python -m services.<service> <words>` in the caller's folder; answers its exit code. Ctrl-C is the child's."""
    env = Surroundings(SupervisorSettings.read()).environment(service)
    env["PYTHONPATH"] = ":".join(filter(None, (str(CHECKOUT), env.get("PYTHONPATH"))))
    child = subprocess.Popen([sys.executable, "-m", f"services.{service}", *words], env=env)  # noqa: S603
    signal.signal(
        signal.SIGTERM, lambda *_: child.terminate()
    )  # who ends us means the command, which must not outlive us
    while True:
        try:
            code = child.wait()
        except KeyboardInterrupt:
            continue
        return NOT_RUNNING if code == os.EX_UNAVAILABLE else code

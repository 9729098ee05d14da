"""What `grid status` and `grid stop` do with a supervisor that runs on this GRID_HOME."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from dataclasses import asdict

from services.chassis.clock import monotonic
from services.chassis.supervisor.lock import holder
from services.chassis.supervisor.settings import home_folder
from services.chassis.supervisor.status import Status, read_status

NOT_RUNNING = 3


def stop_running(wait: float) -> int:
    """Ask it to stop and wait; 3 if none runs, 1 if it did not end in time."""
    home = home_folder()
    pid = holder(home)
    if pid is None:
        sys.stderr.write(f"grid: nothing runs on {home}\n")
        return NOT_RUNNING
    os.kill(pid, signal.SIGTERM)
    deadline = monotonic() + wait
    while holder(home) == pid:
        if monotonic() > deadline:
            sys.stderr.write(f"grid: process {pid} has not ended after {wait:.0f} s\n")
            return 1
        time.sleep(0.05)
    return 0


def show_status(as_json: bool) -> int:
    """Print it; 0 when everything is ready, 1 while it is not, 3 if nothing runs."""
    home = home_folder()
    status = read_status(home) if holder(home) is not None else None
    if status is None:
        sys.stderr.write(f"grid: nothing runs on {home}\n")
        return NOT_RUNNING
    sys.stdout.write(json.dumps(asdict(status), indent=1) + "\n" if as_json else _table(status))
    return 0 if status.ready else 1


def _table(status: Status) -> str:
    rows = [f"{'part':<20} {'state':<9} {'pid':>7} {'restarts':>8}  address"]
    for name, part in status.parts.items():
        rows.append(f"{name:<20} {part.state:<9} {part.pid or '':>7} {part.restarts:>8}  {part.url or ''}")
    return "\n".join(rows) + "\n"

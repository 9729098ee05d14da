"""What `grid status` and `grid stop` do with a supervisor that runs on this GRID_HOME."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from dataclasses import asdict

from services.chassis.clock import monotonic
from services.chassis.grid.exits import FAILED, NOT_RUNNING
from services.chassis.supervisor.lock import holder
from services.chassis.supervisor.settings import home_folder
from services.chassis.supervisor.status import PartStatus, Status, read_status


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
            return FAILED
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
    head = f"{'part':<20} {'state':<9} {'pid':>7} {'MB':>5} {'beat':>6} {'restarts':>8}  address · last end"
    return "\n".join([head, *(_row(name, part) for name, part in status.parts.items())]) + "\n"


def _row(name: str, part: PartStatus) -> str:
    beat = "" if part.beat_age_s is None else f"{part.beat_age_s:.0f} s"
    told = [part.url, part.waits_for and f"waits for {part.waits_for}", part.told and f"{part.ended_at} {part.told}"]
    numbers = f"{part.pid or '':>7} {part.rss_mb or '':>5} {beat:>6} {part.restarts:>8}"
    return f"{name:<20} {part.state:<9} {numbers}  {' · '.join(filter(None, told))}".rstrip()

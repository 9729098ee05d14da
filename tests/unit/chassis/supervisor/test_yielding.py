"""Parts that let others go first."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from services.chassis.supervisor.table import BEHIND, own_commands
from services.chassis.supervisor.yielding import NICE, let_others_go_first


def test_a_process_is_nice_and_so_is_its_session_where_the_kernel_lets_it() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True) as child:
        session = Path(f"/proc/{child.pid}/autogroup")
        listens = takes(session)
        asyncio.run(let_others_go_first(child.pid))
        assert os.getpriority(os.PRIO_PROCESS, child.pid) == max(NICE, os.getpriority(os.PRIO_PROCESS, 0))
        assert not listens or session.read_text().split()[-2:] == ["nice", str(NICE)]
        child.kill()
    asyncio.run(let_others_go_first(child.pid))  # it has ended: nothing to do


def takes(session: Path) -> bool:
    """Whether sessions can be nice here: not on every kernel, nor in every container."""
    try:
        session.write_text("0")
    except OSError:
        return False
    return True


def test_the_way_from_a_report_to_the_queue_and_the_timers_yield_to_nobody() -> None:
    parts = {command.name for command in own_commands()}
    assert parts.issuperset(BEHIND)
    assert {"intake", "intake-relay", "dispatch", "dispatch-worker-1", "escalation-timers"} <= parts.difference(BEHIND)

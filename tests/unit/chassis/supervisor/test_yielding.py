"""Parts that let others go first."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from services.chassis.supervisor.table import BEHIND, own_commands
from services.chassis.supervisor.yielding import NICE, let_others_go_first


def test_a_process_is_nice_and_so_is_its_session() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True) as child:
        asyncio.run(let_others_go_first(child.pid))
        assert os.getpriority(os.PRIO_PROCESS, child.pid) == max(NICE, os.getpriority(os.PRIO_PROCESS, 0))
        session = Path(f"/proc/{child.pid}/autogroup")
        assert not session.exists() or session.read_text().split()[-2:] == ["nice", str(NICE)]
        child.kill()
    asyncio.run(let_others_go_first(child.pid))  # it has ended: nothing to do


def test_the_way_from_a_report_to_the_queue_and_the_timers_yield_to_nobody() -> None:
    parts = {command.name for command in own_commands()}
    assert parts.issuperset(BEHIND)
    assert {"intake", "intake-relay", "dispatch", "dispatch-worker-1", "escalation-timers"} <= parts.difference(BEHIND)

"""The number of database connections is counted from the table of parts, and nobody holds one that is not counted."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from services.chassis.settings import DatabaseSettings
from services.chassis.supervisor.connections import COMMANDS_BESIDE, EVERY_PROCESS, OF_THEIR_OWN, needed, uses
from services.chassis.supervisor.settings import SupervisorSettings
from services.chassis.supervisor.table import own_commands

SERVICES = Path(__file__).resolve().parents[4] / "services"
SESSION = re.compile(r"\.session\(\)")
HOLDERS = {
    "chassis/outbox/relay.py": "relay",
    "chassis/housekeeping/keeper.py": "relay",
    "dispatch/usecases/recompute.py": "relay",
    "chassis/watchdog/weather.py": "every process",
    "escalation/usecases/reconcile.py": "timers",
    "intake/store/imports.py": "import",
}
"""Who opens a connection beside the pool, and in the process of which verb."""


def test_every_part_that_runs_on_is_counted_once() -> None:
    running = [command for command in own_commands(sample=False) if not command.once]
    counted = list(uses(own_commands(), 4))
    assert [use.part for use in counted] == [command.name for command in running]
    assert {use.part: use.most for use in counted if use.most != 5} == {
        "intake-relay": 8,
        "dispatch-relay": 8,
        "escalation-relay": 8,
        "escalation-timers": 6,
    }


def test_all_of_them_together() -> None:
    assert needed(own_commands(), 4) == 12 * 5 + 3 * 3 + 1 + COMMANDS_BESIDE * 5
    assert needed(own_commands(dispatch_workers=4), 4) == needed(own_commands(), 4) + 2 * 5
    assert needed(own_commands(), 8) > needed(own_commands(), 4)


def test_the_supervisor_believes_in_the_same_pool_as_the_processes() -> None:
    assert SupervisorSettings.read({}).database_pool == DatabaseSettings(url="postgresql://x/y").pool_size


def test_whoever_opens_a_session_of_his_own_is_counted() -> None:
    found = {
        str(file.relative_to(SERVICES))
        for file in SERVICES.rglob("*.py")
        if SESSION.search(file.read_text("utf-8")) and "node_modules" not in file.parts
    }
    assert found == set(HOLDERS)
    told = Counter({"every process": len(EVERY_PROCESS)} | {verb: len(what) for verb, what in OF_THEIR_OWN.items()})
    assert Counter(HOLDERS.values()) == told

"""Database connections per part, from the table of parts."""

from __future__ import annotations

from pathlib import Path

from printers.tables import table
from services.chassis.supervisor.connections import COMMANDS_BESIDE, EVERY_PROCESS, OF_THEIR_OWN, needed, uses
from services.chassis.supervisor.settings import Ports, SupervisorSettings
from services.chassis.supervisor.table import own_commands


def page() -> str:
    """The whole page."""
    usual = SupervisorSettings(Path(), Path(), Ports())
    commands, pool = own_commands(usual.dispatch_workers), usual.database_pool
    rows = [
        (f"`{use.part}`", f"`{use.application}`", str(use.pool), str(use.own), str(use.most))
        for use in uses(commands, pool)
    ]
    running = sum(use.most for use in uses(commands, pool))
    beside = [
        (f"every {name} process" if name != "import" else "`grid import`", what)
        for name, whats in OF_THEIR_OWN.items()
        for what in whats
    ]
    return "\n".join(
        [
            "# Database connections",
            "",
            "What each part holds at most: its pool (`GRID_DATABASE_POOL`), never more, and what must own a session",
            "for itself. Each `GRID_DISPATCH_WORKERS` beyond the second, and each part that a deployment runs twice,",
            "counts again. A test counts the sessions under load; `grid doctor` compares the sum with the server.",
            "",
            table(("part", "`application_name`", "pool", "beside it", "at most"), rows),
            f"Together {running}; with room for {COMMANDS_BESIDE} commands of a person **{needed(commands, pool)}**.",
            "",
            "## Beside the pool",
            "",
            table(("who", "for"), [*(("every process", what) for what in EVERY_PROCESS), *beside]),
            "Behind a transaction pooler these sessions, and nothing else, use `DATABASE_DIRECT_URL`.",
        ]
    )

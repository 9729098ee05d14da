"""`grid migrate`: the database brought to what this code expects."""

from __future__ import annotations

import sys

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from services.chassis.grid.exits import FAILED, NOT_RUNNING
from services.chassis.grid.target import database_url
from services.chassis.migrate import MigrationFault, Phase, migrate
from services.chassis.postgres_server import ServerUnfit
from services.chassis.supervisor.settings import home_folder
from services.chassis.terminal import not_there


def run_migrations(phase: str | None) -> int:
    """Run what is missing and say what ran; 1 with one line if it cannot, 2 for an unknown phase."""
    if phase is not None and phase not in list(Phase):
        sys.stderr.write(f"grid: --phase is pre or post, not {phase!r}\n")
        return 2
    try:
        applied = migrate(database_url("owner", direct=True), phase)
    except (MigrationFault, ServerUnfit, SQLAlchemyError, psycopg.Error) as error:
        told = not_there(error, home_folder())
        sys.stderr.write(f"grid: cannot migrate: {told or error}\n")
        return FAILED if told is None else NOT_RUNNING
    for each in applied:
        sys.stdout.write(f"{each.schema} → {each.revision}\n")
    sys.stdout.write(f"{len(applied)} revisions applied\n" if applied else "nothing to do\n")
    return 0

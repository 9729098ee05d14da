"""Bringing the sample street in: its files, its accounts with the public sample password, its rulebook. Repeatable."""

from __future__ import annotations

from pathlib import Path

from services.chassis.audit import by_hand
from services.chassis.db import Database
from services.chassis.directory.load import load_street
from services.chassis.ids import IdSource
from services.dispatch.store import recomputes
from services.dispatch.usecases.calendars import ask_recompute


async def load_sample(db: Database, folder: Path, ids: IdSource) -> bool:
    """True if anything was new. Raises StreetFilesError or RulebookFileError before anything is written."""
    async with db.transaction() as tx:
        before = await recomputes.calendar_revisions(tx)
        fresh = await load_street(tx, folder, ids)
        await ask_recompute(tx, before, by_hand())
        return fresh

"""The sample street in a test's database: loaded once into a template, and copied with it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest
import sqlalchemy as sa

from services.chassis.db import Database
from services.chassis.directory.load import load_street
from services.chassis.ids import SystemIds
from services.chassis.migrate import migrate
from services.chassis.settings import DatabaseSettings

SAMPLE: Final = Path(__file__).resolve().parents[2] / "deploy" / "sample" / "fengcheng"
ASKED: Final = "sample_street"
"""The fixture by which a test, or a fixture of its own, asks for the street."""


@pytest.fixture
def sample_street() -> None:
    """Whoever asks for this gets a database in which the street lies already."""


async def load_sample(db: Database) -> None:
    """Load it where it does not lie yet: into a server that a test has brought."""
    async with db.transaction() as tx:
        if not (await tx.execute(sa.text("SELECT EXISTS (SELECT FROM directory.streets)"))).scalar_one():
            await load_street(tx, SAMPLE, SystemIds())


def fill(url: str) -> None:
    """Migrate an empty database and load the street. In a thread: a test's own loop may be about."""
    migrate(url, test_database=True)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, _filled(url)).result()


async def _filled(url: str) -> None:
    db = Database(DatabaseSettings(url=url), "sample")
    try:
        await load_sample(db)
    finally:
        await db.close()

"""Readiness against a real database: reachable, migrated far enough, gone."""

from __future__ import annotations

import pytest

from services.chassis.asgi import Missing, database_check, schema_check
from services.chassis.db import Database

pytestmark = pytest.mark.anyio


async def test_a_migrated_database_is_ready(database: Database) -> None:
    await database_check(database).probe()
    await schema_check(database, "directory", "0001").probe()


async def test_a_schema_older_than_the_code_needs_is_named(database: Database) -> None:
    with pytest.raises(Missing, match=r"schema directory is at \d{4}, needs 0999: run `grid migrate"):
        await schema_check(database, "directory", "0999").probe()


async def test_a_schema_never_migrated_is_named(database: Database) -> None:
    with pytest.raises(Missing, match=r"schema nowhere has not been migrated"):
        await schema_check(database, "nowhere", "0001").probe()

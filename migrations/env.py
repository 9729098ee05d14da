"""Alembic's entry for one schema's chain; `chassis.migrate` runs it, `chassis.revision` drafts with it.

Each chain keeps its own version table inside its own schema, so services migrate apart from each other.
"""

from __future__ import annotations

from importlib import import_module

from alembic import context
from sqlalchemy import Connection, MetaData, create_engine
from sqlalchemy.pool import NullPool

from services.chassis.db import driver_url
from services.chassis.migrate import VERSION_TABLE, own_object
from services.chassis.settings import DatabaseSettings

TABLES = {
    "directory": "services.chassis.directory.tables",
    "identity": "services.chassis.auth.tables",
    "intake": "services.intake.tables",
    "dispatch": "services.dispatch.tables",
    "escalation": "services.escalation.tables",
}


def _metadata(schema: str) -> MetaData:
    """What the code declares; needed only to compare, so upgrading imports no service."""
    return import_module(TABLES[schema]).metadata  # type: ignore[no-any-return]


def _run(connection: Connection, schema: str, *, compare: bool) -> None:
    context.configure(
        connection=connection,
        target_metadata=_metadata(schema) if compare else None,
        version_table=VERSION_TABLE,
        version_table_schema=schema,
        include_schemas=True,
        include_name=own_object(schema),
        transaction_per_migration=True,
        test_database=context.config.attributes.get("test_database", False),
    )
    with context.begin_transaction():
        context.run_migrations()


def _drafting(schema: str) -> None:
    engine = create_engine(driver_url(DatabaseSettings().session_url), poolclass=NullPool)
    with engine.connect() as connection:
        _run(connection, schema, compare=True)


if (given := context.config.attributes.get("connection")) is not None:
    _run(given, context.config.attributes["schema"], compare=False)
else:
    _drafting(context.config.attributes["schema"])

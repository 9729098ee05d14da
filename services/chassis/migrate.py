"""Bring a database to what the code expects: roles, schemas, one chain of revisions per schema, grants.

Every chain lives in `migrations/versions/<schema>`, its files named `NNNN_pre_what.py` or `NNNN_post_what.py`. `pre`
runs before the new code starts and may not break the old code; `post` runs once no old code is left.
"""

from __future__ import annotations

import re
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, cast

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from services.chassis.db import SCHEMAS, driver_url, grid_now_ddl
from services.chassis.grants import OWNER, apply_grants, create_roles, may_act_as_owner
from services.chassis.postgres_server import require_fit

_Kind = Literal["schema", "table", "column", "index", "unique_constraint", "foreign_key_constraint", "check_constraint"]
_Parent = Literal["schema_name", "table_name", "schema_qualified_table_name"]
IncludeName = Callable[[str | None, _Kind, MutableMapping[_Parent, str | None]], bool]

if TYPE_CHECKING:
    from alembic.operations import Operations

MIGRATIONS: Final = Path(__file__).resolve().parents[2] / "migrations"
VERSION_TABLE: Final = "alembic_version"
_FILE_NAME: Final = re.compile(r"^(?P<number>\d{4})_(?P<phase>pre|post)_[a-z0-9_]+\.py$")
_BOOKKEEPING: Final = re.compile(rf"^({VERSION_TABLE}|clock_offset|.*_default|.*_p\d{{8}})$")
_LOCK: Final = 4_711_2026
_LOCK_WAIT_S: Final = 120


class Phase(StrEnum):
    """When a revision may run, relative to the code that needs it."""

    PRE = "pre"
    POST = "post"


class MigrationFault(Exception):
    """A chain of revisions breaks the house's rules; the message names the file."""


@dataclass(frozen=True, slots=True)
class Applied:
    """One revision that has just run."""

    schema: str
    revision: str


def migrate(database_url: str, phase: Phase | str | None = None, *, test_database: bool = False) -> tuple[Applied, ...]:
    """Run what is missing up to `phase` (None: everything) and answer what ran. Blocks; one at a time per database.

    `test_database` gives the database a movable clock and is refused unless its name starts with grid_test. Raises
    MigrationFault, and ServerUnfit before it touches a server that is too old.
    """
    engine = create_engine(driver_url(database_url), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            require_fit(cast("psycopg.Connection[tuple[object, ...]]", connection.connection.driver_connection))
            connection.execute(text(f"SET lock_timeout = '{_LOCK_WAIT_S}s'"))
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
            connection.commit()
            return _migrate_locked(connection, None if phase is None else Phase(phase), test_database=test_database)
    finally:
        engine.dispose()


def pending(database_url: str, phase: Phase | str | None = None) -> tuple[Applied, ...]:
    """The revisions `migrate` would run; what a process asks before it serves."""
    engine = create_engine(driver_url(database_url), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            return tuple(
                Applied(schema, revision)
                for schema in SCHEMAS
                for revision in _missing(connection, schema, None if phase is None else Phase(phase))
            )
    finally:
        engine.dispose()


def create_grid_now(op: Operations) -> None:
    """Create `directory.grid_now()`; called by the directory's first revision."""
    database: str = op.get_bind().execute(text("SELECT current_database()")).scalar_one()
    for statement in grid_now_ddl(database, test_database=bool(op.get_context().opts.get("test_database"))):
        op.execute(statement)


def config_for(schema: str) -> Config:
    """Alembic's configuration of one chain."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", str(MIGRATIONS / "versions" / schema))
    config.attributes["schema"] = schema
    return config


def chain_of(schema: str) -> tuple[tuple[str, Phase], ...]:
    """Revision numbers of a schema with their phases, oldest first; MigrationFault if they do not form one line."""
    if not (MIGRATIONS / "versions" / schema).is_dir():
        return ()
    directory = ScriptDirectory.from_config(config_for(schema))
    scripts = list(directory.walk_revisions())[::-1]
    if len(directory.get_heads()) > 1:
        raise MigrationFault(f"{schema}: several heads {directory.get_heads()}")
    return tuple((script.revision, _phase_of(script)) for script in scripts)


def _migrate_locked(connection: Connection, phase: Phase | None, *, test_database: bool) -> tuple[Applied, ...]:
    create_roles(connection)
    applied: list[Applied] = []
    for schema in SCHEMAS:
        missing = _missing(connection, schema, phase)
        if missing:
            _upgrade(connection, schema, missing[-1], test_database=test_database)
        applied += [Applied(schema, revision) for revision in missing]
    apply_grants(connection)
    return tuple(applied)


def _upgrade(connection: Connection, schema: str, target: str, *, test_database: bool) -> None:
    config = config_for(schema)
    config.attributes["connection"] = connection
    config.attributes["test_database"] = test_database
    if may_act_as_owner(connection):
        connection.execute(text(f"SET ROLE {OWNER}"))
    connection.commit()
    try:
        command.upgrade(config, target)
    finally:
        connection.rollback()
        connection.execute(text("RESET ROLE"))
        connection.commit()


def _missing(connection: Connection, schema: str, phase: Phase | None) -> tuple[str, ...]:
    """Revisions of one chain still to run: for `pre` all up to the chain's last `pre`, else all.

    A `post` that lies before some `pre` belongs to an earlier release, whose code is gone by now.
    """
    chain = chain_of(schema)
    if phase is Phase.PRE:
        last_pre = max((n for n, (_, of) in enumerate(chain) if of is Phase.PRE), default=-1)
        chain = chain[: last_pre + 1]
    context = MigrationContext.configure(
        connection, opts={"version_table": VERSION_TABLE, "version_table_schema": schema}
    )
    current = context.get_current_revision()
    connection.rollback()
    revisions = [revision for revision, _ in chain]
    if current is None:
        return tuple(revisions)
    known = [revision for revision, _ in chain_of(schema)]
    if current not in known:
        raise MigrationFault(f"{schema}: the database is at {current}, which this code does not know: it is newer")
    return tuple(revisions[known.index(current) + 1 :])


def _phase_of(script: Script) -> Phase:
    match = _FILE_NAME.match(Path(script.path).name)
    if match is None or match["number"] != script.revision:
        raise MigrationFault(f"{script.path}: the name must be <revision>_pre_what.py or <revision>_post_what.py")
    return Phase(match["phase"])


def own_object(schema: str) -> IncludeName:
    """Alembic's filter: this schema's tables, without the version table, test clock and time partitions."""

    def include(name: str | None, kind: _Kind, parents: MutableMapping[_Parent, str | None]) -> bool:
        if kind == "schema":
            return name == schema
        if kind == "table":
            return parents.get("schema_name") == schema and not _BOOKKEEPING.match(name or "")
        return True

    return include

"""A real PostgreSQL for tests: one server per test process, databases copied from a template migrated once.

`database_url` is a migrated database of a test's own, with a clock that can be moved; `plumbing_url` one that holds
nothing but outbox and inbox, for tests of the chassis.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from services.chassis.audit.ddl import audit_v1
from services.chassis.db import SCHEMAS, Database, grid_now_ddl
from services.chassis.engines.postgres import ADMIN, EmbeddedPostgres
from services.chassis.housekeeping.ddl import weeks_v1
from services.chassis.migrate import migrate
from services.chassis.plumbing import plumbing_v1
from services.chassis.settings import DatabaseSettings
from tests.support import sample

UNSAFE_BUT_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "autovacuum": "off",
}
"""Tests do not survive a power cut and need not."""


@dataclass
class TestServer:
    """A running server that makes databases."""

    __test__ = False
    engine: EmbeddedPostgres
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    templates: set[str] = field(default_factory=set)

    def url(self, database: str, role: str = ADMIN) -> str:
        return self.engine.url_for(role, database)

    def template(self, name: str, fill: Callable[[str], None]) -> str:
        """The template database `name`, filled on first use."""
        if name not in self.templates:
            self.execute(f"CREATE DATABASE {name} OWNER grid_owner")
            try:
                fill(self.url(name))
            except BaseException:
                self.drop(name)  # so that every test that wants it is told the cause
                raise
            self.templates.add(name)
        return name

    def copy_of(self, template: str) -> str:
        """A new database like the template; answers its name."""
        name = f"grid_test_{next(self.numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy OWNER grid_owner")
        return name

    def hang_up_on(self, name: str) -> None:
        """End every connection to a database, as a restart or a failover does."""
        self.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    def drop(self, name: str) -> None:
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def execute(self, statement: str, database: str = "postgres") -> None:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement)


@pytest.fixture(scope="session")
def postgres() -> Iterator[TestServer]:
    home = Path(tempfile.mkdtemp(prefix="grid-test-pg-"))
    home.chmod(0o711)
    engine = EmbeddedPostgres(home, settings=UNSAFE_BUT_FAST)
    try:
        engine.start()
        yield TestServer(engine)
    finally:
        engine.crash()  # nothing here is worth an orderly end
        engine.remove()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def usual_database_url(postgres: TestServer, request: pytest.FixtureRequest) -> Iterator[str]:
    """A migrated database of this test's own, reached with all rights; the sample street lies in it where asked for."""
    if sample.ASKED in request.fixturenames:
        template = postgres.template("grid_test_sample", sample.fill)
    else:
        template = postgres.template("grid_test_template", lambda url: _ignore(migrate(url, test_database=True)))
    name = postgres.copy_of(template)
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture
def database_url(usual_database_url: str) -> str:
    """The same; a test that brings a server of its own puts it in this place."""
    return usual_database_url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(DatabaseSettings(url=database_url), "test")
    yield opened
    await opened.close()


@pytest.fixture
def plumbing_url(postgres: TestServer) -> Iterator[str]:
    """A database that holds the five schemas, the clock, and outbox and inbox of the three services."""
    name = postgres.copy_of(postgres.template("grid_test_plumbing", _fill_plumbing))
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture
async def plumbing(plumbing_url: str) -> AsyncIterator[Database]:
    opened = Database(DatabaseSettings(url=plumbing_url), "test")
    yield opened
    await opened.close()


def _fill_plumbing(url: str) -> None:
    with psycopg.connect(url) as connection:
        for schema in SCHEMAS:
            connection.execute(f"CREATE SCHEMA {schema}".encode())
        for statement in grid_now_ddl("grid_test_plumbing", test_database=True):
            connection.execute(statement.encode())
        for statement in audit_v1():
            connection.execute(statement.encode())
        for schema in ("intake", "dispatch", "escalation"):
            for statement in (*plumbing_v1(schema), *weeks_v1(schema)):
                connection.execute(statement.encode())


def name_of(url: str) -> str:
    """The database a URL names."""
    return urlsplit(url).path.lstrip("/")


def _ignore(_result: object) -> None:
    """A template needs no answer."""

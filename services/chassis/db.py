"""PostgreSQL: one engine per process, one way to open a transaction, one clock.

`Database.transaction()` is the place that commits; beside it a `line()` carries out single statements that each commit
by themselves. Code that receives a connection uses it and never ends it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, TypeAlias

import psycopg
from psycopg.errors import CheckViolation
from psycopg.pq import TransactionStatus
from sqlalchemy import MetaData, TextClause, event, make_url, text
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from services.chassis.clock import monotonic
from services.chassis.settings import DatabaseSettings
from services.chassis.statements import Alone, Line, Statements, Within, hung_up

Tx: TypeAlias = AsyncConnection
"""An open transaction or view, as code that speaks no SQL itself hands it on."""

SCHEMAS: Final = ("directory", "identity", "intake", "dispatch", "escalation")
TEST_DATABASE_PREFIX: Final = "grid_test"

STATEMENT_TIMEOUT_S: Final = 15
LOCK_TIMEOUT_S: Final = 5
IDLE_IN_TRANSACTION_S: Final = 5
"""A process stopped inside a transaction keeps its row locks; after this long the server ends it (SQLSTATE 25P03)."""

NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

_TIMEOUTS: Final = {
    "statement_timeout": f"{STATEMENT_TIMEOUT_S}s",
    "lock_timeout": f"{LOCK_TIMEOUT_S}s",
    "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_S}s",
}
_SET_TIMEOUTS: Final = text("SELECT " + ", ".join(f"set_config('{k}', '{v}', true)" for k, v in _TIMEOUTS.items()))
_GRID_NOW: Final = text("SELECT directory.grid_now()")
_TRANSIENT_CLASSES: Final = ("08", "53")
_TRANSIENT_STATES: Final = frozenset(
    {"25P03", "40001", "40P01", "55P03", "57014", "57P01", "57P02", "57P03", "57P05", "58030"}
)
FULL_STATES: Final = ("53100", "58030")
"""disk_full and io_error: its disk is full, or dying."""


def metadata_for(schema: str) -> MetaData:
    """Empty metadata of one PostgreSQL schema, with the house's constraint names."""
    return MetaData(schema=schema, naming_convention=NAMING)


def driver_url(url: str) -> str:
    """Any usual PostgreSQL URL as one that names our driver."""
    parsed = make_url(url)
    return parsed.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


@cache
def sql(statement: str, schema: str) -> TextClause:
    """A statement written for any service's schema, `@schema` standing for it."""
    return text(statement.replace("@schema", schema))


class Database:
    """A process's way to PostgreSQL. Build it once, inside the running loop; `close()` it at the end."""

    def __init__(self, settings: DatabaseSettings, application: str) -> None:
        self._settings = settings
        self._application = application
        self._pooled = settings.direct_url is not None
        self._engine = self._make_engine(settings.url, settings.pool_size, behind_pooler=self._pooled)
        self._session_engine: AsyncEngine | None = None
        self.full_at: float | None = None
        """When a transaction last met a full disk (`monotonic()`); None: never."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """One unit of work: commits when the block ends, rolls back when it raises.

        After a lost connection during COMMIT the outcome is unknown; callers repeat the work and let unique keys tell.
        """
        with self._noting_full_disk():
            async with self._engine.begin() as tx:
                if self._pooled:
                    await tx.execute(_SET_TIMEOUTS)
                yield tx

    @asynccontextmanager
    async def statements(self) -> AsyncIterator[Statements]:
        """Statements that each commit by themselves, two ways to the server and a layer cheaper than `transaction`.

        Behind a pooler, where nothing may be set on a connection, they share one transaction.
        """
        if self._pooled:
            async with self.transaction() as tx:
                yield Within(tx)
            return
        with self._noting_full_disk():
            async with self._engine.connect() as plain:
                driver: Any = (await plain.get_raw_connection()).driver_connection
                await driver.set_autocommit(True)
                try:
                    yield Alone(driver)
                finally:
                    if driver.closed or driver.info.transaction_status is not TransactionStatus.IDLE:
                        await plain.invalidate()
                    else:
                        await driver.set_autocommit(False)

    def line(self) -> Line:
        """`statements` for one user who comes again and again: he keeps his connection in between."""
        return Line(self.statements, lasting=not self._pooled)

    @contextmanager
    def _noting_full_disk(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, psycopg.Error) as exc:
            if sqlstate(exc) in FULL_STATES:
                self.full_at = monotonic()
            raise

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A read-only view in which every statement sees the same moment."""
        async with self._engine.connect() as plain:
            tx = await plain.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield tx

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncConnection]:
        """A connection of its own around any pooler, each statement for itself: advisory locks, LISTEN, queue loops.

        It is closed at the end, not pooled, and whatever it held in the session goes with it.
        """
        if self._session_engine is None:
            self._session_engine = self._make_engine(self._settings.session_url, None, behind_pooler=False)
        async with self._session_engine.connect() as plain:
            yield await plain.execution_options(isolation_level="AUTOCOMMIT")

    async def close(self) -> None:
        """Give back every connection."""
        await self._engine.dispose()
        if self._session_engine is not None:
            await self._session_engine.dispose()

    def _make_engine(self, url: str, size: int | None, *, behind_pooler: bool) -> AsyncEngine:
        connect_args: dict[str, Any] = {
            "application_name": self._application,
            "connect_timeout": 5,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,
        }
        if behind_pooler:
            connect_args["prepare_threshold"] = None  # a prepared statement lives in a session we do not keep
        else:
            connect_args["options"] = " ".join(f"-c {name}={value}" for name, value in _TIMEOUTS.items())
        pooling: dict[str, Any] = {"poolclass": NullPool}
        if size is not None:
            pooling = {"pool_size": size, "max_overflow": 0, "pool_timeout": 10}
        engine = create_async_engine(  # parameters hold what people wrote: never in an error that is logged
            driver_url(url), connect_args=connect_args, hide_parameters=True, **pooling
        )
        event.listen(engine.sync_engine, "checkout", _refuse_dead_connection)
        return engine


def _refuse_dead_connection(dbapi_connection: Any, _record: Any, _proxy: Any) -> None:
    """Drop a pooled connection the server has hung up on.

    An idle connection has nothing to say, so a readable socket means the end of it; asking the kernel costs
    microseconds where a ping costs a round trip.
    """
    if hung_up(dbapi_connection.driver_connection):
        raise DisconnectionError("the server ended this connection")


async def grid_now(tx: AsyncConnection) -> datetime:
    """What time it is for the business, UTC: the database's clock at this statement."""
    return (await tx.execute(_GRID_NOW)).scalar_one()  # type: ignore[no-any-return]


def sqlstate(exc: BaseException) -> str | None:
    """The SQLSTATE behind an error of the driver or of SQLAlchemy; None where there is none."""
    origin = exc.orig if isinstance(exc, DBAPIError) else exc
    return origin.sqlstate if isinstance(origin, psycopg.Error) else None


def is_transient(exc: BaseException) -> bool:
    """Whether the same work may well succeed in a moment: weather, not bad input."""
    if isinstance(exc, (OSError, TimeoutError, PoolTimeoutError, DisconnectionError)):
        return True
    origin = exc.orig if isinstance(exc, DBAPIError) else exc
    if not isinstance(origin, psycopg.Error):
        return False
    state = origin.sqlstate
    if state is None:  # the driver lost its connection before the server could give a reason
        return isinstance(origin, (psycopg.OperationalError, psycopg.InterfaceError))
    return state.startswith(_TRANSIENT_CLASSES) or state in _TRANSIENT_STATES or _misrouted(origin)


def _misrouted(error: psycopg.Error) -> bool:
    """A row that was on its way to a default partition while its own was attached: no CHECK of ours, which has a name.

    PostgreSQL chooses the partition before it waits for its lock; asked again, it chooses anew.
    """
    return error.sqlstate == CheckViolation.sqlstate and error.diag.constraint_name is None


class NotATestDatabaseError(Exception):
    """The clock of this database cannot be moved: only databases created for tests have a movable one."""


def grid_now_ddl(database: str, *, test_database: bool) -> tuple[str, ...]:
    """Statements that create `directory.grid_now()`.

    The production function is `statement_timestamp()` and nothing else. The test function adds an offset, and does so
    only while the database it runs in carries a test name, so that a restored copy under another name tells true time.
    """
    if not test_database:
        return (_NOW_FUNCTION.format(body="SELECT statement_timestamp()"),)
    _require_test_name(database)
    return (
        "CREATE TABLE IF NOT EXISTS directory.clock_offset ("
        "single boolean PRIMARY KEY DEFAULT true CHECK (single), ahead interval NOT NULL)",
        "INSERT INTO directory.clock_offset (ahead) VALUES ('0') ON CONFLICT DO NOTHING",
        _NOW_FUNCTION.format(
            body="SELECT statement_timestamp() + CASE WHEN current_database() LIKE 'grid\\_test%' "
            "THEN (SELECT ahead FROM directory.clock_offset) ELSE interval '0' END"
        ),
    )


_NOW_FUNCTION: Final = (
    "CREATE OR REPLACE FUNCTION directory.grid_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE "
    "AS $body$ {body} $body$"
)


async def move_clock(tx: AsyncConnection, ahead: timedelta) -> None:
    """Set how far a test database's clock runs ahead of the real one; NotATestDatabaseError on any other."""
    name: str = (await tx.execute(text("SELECT current_database()"))).scalar_one()
    _require_test_name(name)
    exists = (await tx.execute(text("SELECT to_regclass('directory.clock_offset') IS NOT NULL"))).scalar_one()
    if not exists:
        raise NotATestDatabaseError(f"database {name} was not created with a movable clock")
    await tx.execute(text("UPDATE directory.clock_offset SET ahead = :ahead"), {"ahead": ahead})


def _require_test_name(database: str) -> None:
    if not database.startswith(TEST_DATABASE_PREFIX):
        raise NotATestDatabaseError(f"database {database} is no test database: its name must start with grid_test")

"""What a PostgreSQL server must be for this system: how new, how it writes, how many it lets in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import psycopg

LEAST_VERSION: Final = 16
"""The oldest major version the whole system was run on."""

_FACTS: Final = """
  SELECT r.rolname AS role, current_setting('server_version_num')::int AS number,
    current_setting('server_version') AS version, current_setting('server_encoding') AS encoding,
    r.rolsuper AS superuser, has_database_privilege(current_database(), 'CREATE') AS creates,
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
      - coalesce(current_setting('reserved_connections', true)::int, 0) AS room,
    d.datconnlimit AS database_limit, r.rolconnlimit AS role_limit
  FROM pg_roles r, pg_database d WHERE r.rolname = current_user AND d.datname = current_database()"""


class ServerUnfit(Exception):
    """This server cannot carry the system; the text says why and what would."""


@dataclass(frozen=True, slots=True)
class PostgresFacts:
    """What a server says of itself to one of our roles. `room`: connections for all who are no superuser."""

    role: str
    number: int
    version: str
    encoding: str
    superuser: bool
    creates: bool
    room: int
    database_limit: int
    role_limit: int

    @property
    def connections(self) -> int:
        """How many the database lets in, all of our roles together."""
        return self.room if self.database_limit < 0 else min(self.room, self.database_limit)


def read_facts(connection: psycopg.Connection[tuple[object, ...]]) -> PostgresFacts:
    """Ask the server."""
    with connection.cursor(row_factory=psycopg.rows.class_row(PostgresFacts)) as cursor:
        facts = cursor.execute(_FACTS).fetchone()
    assert facts is not None, "the role we came in with exists"
    return facts


def read_facts_of(url: str) -> PostgresFacts:
    """Ask the server behind a DATABASE_URL; raises psycopg.Error where it lets nobody in."""
    with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://", 1), connect_timeout=10) as connection:
        return read_facts(connection)


def unfit(facts: PostgresFacts) -> Iterator[str]:
    """Why nothing may start on this server; empty where it will do."""
    if facts.number < LEAST_VERSION * 10_000:
        yield f"PostgreSQL {facts.version} is too old: {LEAST_VERSION} or newer is needed"
    if facts.encoding != "UTF8":
        yield f"the database is encoded in {facts.encoding}: make it with ENCODING 'UTF8'"


def require_fit(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Raises ServerUnfit."""
    if reasons := list(unfit(read_facts(connection))):
        raise ServerUnfit("; ".join(reasons))

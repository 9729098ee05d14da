"""What a command typed at a terminal says of a system that is not there and of a file that cannot be read: one line."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import psycopg
from psycopg.errors import InvalidCatalogName, InvalidSchemaName, UndefinedFunction, UndefinedTable
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

_EMPTY: Final = (InvalidCatalogName, InvalidSchemaName, UndefinedFunction, UndefinedTable)
_REFUSED_CLASSES: Final = ("08", "28", "53", "57")
"""SQLSTATE classes of a server that cannot be used: no connection, not for this role, full, starting or stopping."""


def not_there(error: BaseException, home: Path) -> str | None:
    """Why there is no database to work on, and what to do; None where `error` tells of something else."""
    if isinstance(error, (DisconnectionError, PoolTimeoutError)):
        return _unanswered(str(error), home)
    origin = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(origin, psycopg.Error):
        return None
    why = _first_line(origin)
    if isinstance(origin, _EMPTY):
        return f"the database is not ready for this system ({why}); `grid up` or `grid migrate` brings it there"
    state = origin.sqlstate
    lost = state is None and isinstance(origin, (psycopg.OperationalError, psycopg.InterfaceError))
    return _unanswered(why, home) if lost or (state or "").startswith(_REFUSED_CLASSES) else None


def unreadable(file: Path, error: OSError | UnicodeDecodeError) -> str:
    """Which file cannot be read, and why."""
    if isinstance(error, OSError):
        return f"{file}: {error.strerror or error}"
    return f"{file}: not a text in UTF-8; save it in that encoding"


def _unanswered(why: str, home: Path) -> str:
    return f"nothing to work with at {home}: the database does not answer ({why}); `grid up` starts one"


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)

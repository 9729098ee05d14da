"""Cases that have ended, by how long ago."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from services.dispatch.store import Tx

_BOOKS = "SELECT DISTINCT rulebook FROM dispatch.cases WHERE state = 'closed' AND NOT history ORDER BY rulebook"
_LONG = """
SELECT id FROM dispatch.cases
WHERE state = 'closed' AND NOT history AND NOT live AND rulebook = :rulebook
  AND closed_at <= directory.grid_now() - CAST(:age AS interval)
ORDER BY closed_at LIMIT :most"""


async def rulebooks_of_closed(tx: Tx) -> list[str]:
    """The versions that closed cases keep."""
    return list((await tx.execute(text(_BOOKS))).scalars())


async def long_closed(tx: Tx, rulebook: str, age: timedelta, most: int) -> list[str]:
    """Ids of cases closed longer ago than `age`, oldest first; those with something still asked are left out."""
    rows = await tx.execute(text(_LONG), {"rulebook": rulebook, "age": age, "most": most})
    return [str(row.id) for row in rows]

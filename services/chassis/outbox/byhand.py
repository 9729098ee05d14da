"""Sending again by hand what an outbox still has. Whoever has an event already drops it, so too much does no harm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.chassis.db import sql

PAGE: Final = 500
"""Rows sent again at a time: they go before live rows of the outbox, so the next page waits until these have left."""

_WANTED: Final = """
  published_at IS NOT NULL AND created_at >= :since AND created_at < :until
  AND (CAST(:topic AS text) IS NULL OR topic = :topic) AND (CAST(:key AS bytea) IS NULL OR key = :key)
  AND (CAST(:first AS bigint) IS NULL OR seq >= :first) AND (CAST(:last AS bigint) IS NULL OR seq <= :last)"""
_COUNT: Final = f"SELECT count(*) FROM @schema.outbox WHERE {_WANTED}"  # noqa: S608 - constants of this module
_AGAIN: Final = f"""
  WITH page AS (
    SELECT created_at, id FROM @schema.outbox WHERE {_WANTED} AND (created_at, id) > (:at, :id)
    ORDER BY created_at, id LIMIT :page)
  UPDATE @schema.outbox o SET published_at = NULL, "partition" = NULL, "offset" = NULL
  FROM page WHERE o.created_at = page.created_at AND o.id = page.id
  RETURNING o.created_at, o.id"""  # noqa: S608 - constants of this module
_LEFT: Final = """
  SELECT count(*) FROM @schema.outbox
  WHERE published_at IS NULL AND created_at >= :since AND created_at < :until AND (created_at, id) <= (:at, :id)"""


@dataclass(frozen=True, slots=True)
class Range:
    """Which rows: written in [since, until), and of what is not None."""

    since: datetime
    until: datetime
    topic: str | None = None
    key: str | None = None
    first: int | None = None
    last: int | None = None

    def parameters(self) -> dict[str, Any]:
        """For the statements of this module."""
        return {
            "since": self.since,
            "until": self.until,
            "topic": self.topic,
            "key": None if self.key is None else self.key.encode(),
            "first": self.first,
            "last": self.last,
        }


@dataclass(frozen=True, slots=True)
class Page:
    """How many rows a page put back, and where it ended."""

    rows: int
    at: datetime
    id: int


def before(wanted: Range) -> Page:
    """Where the first page begins."""
    return Page(0, wanted.since, -1)


async def send_again(tx: AsyncConnection, schema: str, wanted: Range, after: Page) -> Page:
    """Mark one page as not yet sent, for the relay to send it. A page shorter than PAGE is the last."""
    place = {"at": after.at, "id": after.id, "page": PAGE}
    rows = (await tx.execute(sql(_AGAIN, schema), wanted.parameters() | place)).all()
    end = max(((row.created_at, row.id) for row in rows), default=(after.at, after.id))
    return Page(len(rows), *end)


async def count(tx: AsyncConnection, schema: str, wanted: Range) -> int:
    """How many rows that would be."""
    found: int = (await tx.execute(sql(_COUNT, schema), wanted.parameters())).scalar_one()
    return found


async def left(tx: AsyncConnection, schema: str, wanted: Range, page: Page) -> int:
    """How many rows up to the end of a page the relay has still to send."""
    limits = {"since": wanted.since, "until": wanted.until, "at": page.at, "id": page.id}
    count: int = (await tx.execute(sql(_LEFT, schema), limits)).scalar_one()
    return count

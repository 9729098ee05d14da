"""Finding what waits: dead letters and held events by key, topic, reason and time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.chassis.db import sql
from services.chassis.streams.byhand import DeadLetter, letter_of
from services.chassis.streams.message import Lane

_WHERE: Final = """
  (CAST(:key AS bytea) IS NULL OR key = :key) AND (CAST(:topic AS text) IS NULL OR topic = :topic)
  AND (CAST(:since AS timestamptz) IS NULL OR at >= :since) AND (CAST(:until AS timestamptz) IS NULL OR at < :until)"""
_LETTERS: Final = f"""
  SELECT id, consumer, topic, part, off, key, event_id, source, seq, headers, raw, error, at FROM @schema.dead_letters
  WHERE resolved_at IS NULL AND {_WHERE} AND (CAST(:reason AS text) IS NULL OR strpos(error, :reason) > 0)
    AND (CAST(:number AS bigint) IS NULL OR id = :number)
  ORDER BY source, topic, key, seq, id LIMIT :limit"""  # noqa: S608 - constants of this module
_HELD: Final = f"""
  SELECT consumer, source, topic, key, seq, event_id, type, part, off, headers, raw, reason, at FROM @schema.held_events
  WHERE {_WHERE} AND (CAST(:reason AS text) IS NULL OR reason = :reason)
    AND (CAST(:event AS uuid) IS NULL OR event_id = :event)
  ORDER BY source, topic, key, seq LIMIT :limit"""  # noqa: S608 - constants of this module
_GAPS: Final = """
  SELECT p.source, p.topic, p.key, p.last_seq, min(h.seq) AS first, min(h.at) AS since
  FROM @schema.stream_positions p JOIN (SELECT * FROM @schema.held_events WHERE {where}) h
    ON h.consumer = p.consumer AND h.source = p.source AND h.topic = p.topic AND h.key = p.key
  WHERE p.held > 0 GROUP BY p.consumer, p.source, p.topic, p.key, p.last_seq
  HAVING min(h.seq) > p.last_seq + 1 ORDER BY since LIMIT :limit"""


@dataclass(frozen=True, slots=True)
class Sought:
    """Which ones; what is None does not matter. `reason`: of held events the word, of dead letters a part of the error.

    `since` and `until` speak of when the event was put aside; `event` names a held event, `number` a dead letter.
    """

    key: str | None = None
    topic: str | None = None
    reason: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    event: UUID | None = None
    number: int | None = None

    @property
    def anything(self) -> bool:
        """Nothing narrows it down."""
        return self == Sought()

    def parameters(self, limit: int, *without: str) -> dict[str, Any]:
        """For a statement of this module, less what it does not ask for."""
        whole = {
            "key": None if self.key is None else self.key.encode(),
            "topic": self.topic,
            "reason": self.reason,
            "since": self.since,
            "until": self.until,
            "event": self.event,
            "number": self.number,
            "limit": limit,
        }
        return {name: value for name, value in whole.items() if name not in without}


@dataclass(frozen=True, slots=True)
class HeldEvent:
    """An event that waits for its turn, or for code that knows it."""

    consumer: str
    lane: Lane
    sequence: int
    event_id: UUID
    type: str
    partition: int
    offset: int
    headers: dict[str, str]
    payload: bytes
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers of a lane that are missing while later ones are here; `since` the first of these was held."""

    lane: Lane
    first: int
    last: int
    since: datetime


async def letters(tx: AsyncConnection, schema: str, sought: Sought, limit: int) -> list[DeadLetter]:
    """Open dead letters, in the order of their lanes."""
    return [letter_of(row) for row in await tx.execute(sql(_LETTERS, schema), sought.parameters(limit, "event"))]


async def held(tx: AsyncConnection, schema: str, sought: Sought, limit: int) -> list[HeldEvent]:
    """Held events, in the order of their lanes."""
    rows = await tx.execute(sql(_HELD, schema), sought.parameters(limit, "number"))
    return [
        HeldEvent(
            row.consumer,
            Lane(row.source, row.topic, bytes(row.key)),
            row.seq,
            row.event_id,
            row.type,
            row.part,
            row.off,
            row.headers,
            bytes(row.raw),
            row.reason,
            row.at,
        )
        for row in rows
    ]


async def gaps(tx: AsyncConnection, schema: str, sought: Sought, limit: int) -> list[Gap]:
    """Lanes that wait for a number that is not here."""
    parameters = sought.parameters(limit, "reason", "event", "number")
    rows = await tx.execute(sql(_GAPS.format(where=_WHERE), schema), parameters)
    return [Gap(Lane(r.source, r.topic, bytes(r.key)), r.last_seq + 1, r.first - 1, r.since) for r in rows]

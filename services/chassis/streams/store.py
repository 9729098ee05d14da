"""The statements of one consumer: one JSON parameter each, rows touched in sorted order so that two never deadlock."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from services.chassis.db import sql
from services.chassis.streams.arrange import Move, Standing
from services.chassis.streams.message import Item, Lane, Message, Why, clean, printable

_TAKE: Final = """
  WITH arrived AS MATERIALIZED (
    SELECT r.e, r.t, r.p, r.o FROM json_to_recordset(CAST(:rows AS json)) AS r(e uuid, t text, p int, o bigint)
  ), taken AS (
    INSERT INTO @schema.inbox (consumer, event_id, topic, part, off, at)
    SELECT :consumer, a.e, a.t, a.p, a.o, n.now
    FROM arrived a, (SELECT directory.grid_now() AS now OFFSET 0) AS n ORDER BY a.e
    ON CONFLICT (consumer, event_id) DO NOTHING RETURNING event_id
  )
  SELECT a.e AS event_id FROM arrived a WHERE NOT EXISTS (SELECT FROM taken t WHERE t.event_id = a.e)"""
"""Answers the known ones, which are few, not the new ones."""
_UNHOLD: Final = """
  DELETE FROM @schema.held_events h
  USING json_to_recordset(CAST(:rows AS json)) AS r(s text, t text, k text, q bigint, e uuid)
  WHERE h.consumer = :consumer AND h.source = r.s AND h.topic = r.t AND h.key = decode(r.k, 'base64')
    AND h.seq = r.q AND h.event_id = r.e
  RETURNING h.event_id"""
_POSITIONS: Final = """
  SELECT p.* FROM json_to_recordset(CAST(:rows AS json)) AS r(s text, t text, k text)
  CROSS JOIN LATERAL (
    SELECT p.source, p.topic, p.key, p.last_seq, p.held FROM @schema.stream_positions p
    WHERE p.consumer = :consumer AND p.source = r.s AND p.topic = r.t AND p.key = decode(r.k, 'base64')
    FOR UPDATE) AS p"""
"""One index probe per lane, locking in the order the rows are given; a join would scan a table without statistics."""
_MOVE: Final = """
  INSERT INTO @schema.stream_positions AS p (consumer, source, topic, key, last_seq, held, at)
  SELECT :consumer, r.s, r.t, decode(r.k, 'base64'), r.l, r.h, n.now
  FROM json_to_recordset(CAST(:rows AS json)) AS r(s text, t text, k text, l bigint, h int),
    (SELECT directory.grid_now() AS now OFFSET 0) AS n
  ORDER BY r.s, r.t, r.k
  ON CONFLICT (consumer, source, topic, key) DO UPDATE
    SET last_seq = greatest(p.last_seq, excluded.last_seq), held = p.held + excluded.held, at = excluded.at"""
_HOLD: Final = """
  INSERT INTO @schema.held_events (consumer, source, topic, key, seq, event_id, type, part, off, headers, raw, reason)
  SELECT :consumer, r.s, r.t, decode(r.k, 'base64'), r.q, r.e, r.y, r.p, r.o, r.h, decode(r.b, 'base64'), r.w
  FROM json_to_recordset(CAST(:rows AS json))
    AS r(s text, t text, k text, q bigint, e uuid, y text, p int, o bigint, h jsonb, b text, w text)
  ON CONFLICT DO NOTHING"""
_BURY: Final = """
  INSERT INTO @schema.dead_letters AS d (consumer, topic, part, off, key, event_id, source, seq, headers, raw, error)
  SELECT :consumer, r.t, r.p, r.o, decode(r.k, 'base64'), r.e, r.s, r.q, r.h, decode(r.b, 'base64'), r.x
  FROM json_to_recordset(CAST(:rows AS json))
    AS r(t text, p int, o bigint, k text, e uuid, s text, q bigint, h jsonb, b text, x text)
  ON CONFLICT (consumer, topic, part, off) DO UPDATE
    SET raw = excluded.raw, error = excluded.error, at = directory.grid_now(), resolved_at = NULL, resolution = NULL
    WHERE excluded.event_id IS NOT NULL AND d.resolved_at IS NOT NULL
  RETURNING part, off, topic"""
"""A letter that was replayed and failed again is open again; one without an id that Kafka delivers again is not."""
_STUCK: Final = """
  SELECT p.source, p.topic, p.key, h.part, h.off, h.headers, h.raw
  FROM @schema.stream_positions p JOIN @schema.held_events h
    ON h.consumer = p.consumer AND h.source = p.source AND h.topic = p.topic AND h.key = p.key
   AND h.seq = p.last_seq + 1
  WHERE p.consumer = :consumer AND p.held > 0 AND (p.source, p.topic, p.key) > (:source, :topic, :key)
  ORDER BY p.source, p.topic, p.key LIMIT :limit"""
_HELD_OF: Final = """
  SELECT p.last_seq, p.held, h.topic, h.key, h.part, h.off, h.headers, h.raw
  FROM @schema.stream_positions p
  JOIN json_to_recordset(CAST(:rows AS json)) AS r(s text, t text, k text)
    ON p.source = r.s AND p.topic = r.t AND p.key = decode(r.k, 'base64')
  CROSS JOIN LATERAL (
    SELECT * FROM @schema.held_events h
    WHERE h.consumer = p.consumer AND h.source = p.source AND h.topic = p.topic AND h.key = p.key
    ORDER BY h.seq, h.event_id LIMIT :limit) h
  WHERE p.consumer = :consumer AND p.held > 0
  ORDER BY h.source, h.topic, h.key, h.seq, h.event_id"""
_COUNTS: Final = """
  SELECT count(*) AS lanes, coalesce(sum(p.held), 0) AS held,
    (SELECT count(*) FROM @schema.dead_letters d WHERE d.consumer = :consumer AND d.resolved_at IS NULL) AS dead
  FROM @schema.stream_positions p WHERE p.consumer = :consumer AND p.held > 0"""


@dataclass(frozen=True, slots=True)
class Counts:
    """How much of a consumer's stream waits."""

    lanes: int
    held: int
    dead: int


class StreamStore:
    """Inbox, positions, held events and dead letters of one consumer in one schema."""

    def __init__(self, schema: str, consumer: str) -> None:
        self._schema = schema
        self._consumer = consumer

    async def take(self, tx: AsyncConnection, items: Sequence[Item]) -> set[UUID]:
        """Claim events for this transaction; answers those nobody has claimed before."""
        arrived = {i.head.id: i for i in items if i.head is not None and not i.held}
        waiting = [i for i in items if i.held]
        taken: set[UUID] = set()
        if arrived:
            rows = [
                {"e": str(event_id), "t": i.message.topic, "p": i.message.partition, "o": i.message.offset}
                for event_id, i in arrived.items()
            ]
            taken |= arrived.keys() - {row.event_id for row in await self._run(tx, _TAKE, rows)}
        if waiting:
            taken |= {row.event_id for row in await self._run(tx, _UNHOLD, [_held_key(i) for i in waiting])}
        return taken

    async def standings(self, tx: AsyncConnection, lanes: Iterable[Lane]) -> dict[Lane, Standing]:
        """How far each lane has come, locked until the transaction ends; lanes never seen are absent."""
        rows = [_lane_row(lane) for lane in sorted(set(lanes))]
        if not rows:
            return {}
        found = await self._run(tx, _POSITIONS, rows)
        return {Lane(row.source, row.topic, bytes(row.key)): Standing(row.last_seq, row.held) for row in found}

    async def move(self, tx: AsyncConnection, moves: Mapping[Lane, Move]) -> None:
        """Write where lanes stand now."""
        if moves:
            rows = [_lane_row(lane) | {"l": move.last_seq, "h": move.held} for lane, move in moves.items()]
            await self._run(tx, _MOVE, rows)

    async def hold(self, tx: AsyncConnection, held: Sequence[tuple[Item, Why]]) -> None:
        """Keep events for later, bytes and all."""
        if held:
            await self._run(tx, _HOLD, [_held_row(item, why) for item, why in held])

    async def bury(self, tx: AsyncConnection, dead: Sequence[Item]) -> list[Item]:
        """Record dead letters; answers those that were not open before."""
        if not dead:
            return []
        rows = [_dead_row(item) for item in dead]
        new = {(row.topic, row.part, row.off) for row in await self._run(tx, _BURY, rows)}
        return [i for i in dead if (i.message.topic, i.message.partition, i.message.offset) in new]

    async def stuck_after(self, tx: AsyncConnection, after: Lane | None, limit: int) -> list[tuple[Lane, Message]]:
        """A page of lanes whose next event is here but held, with that event."""
        start = after or Lane("", "", b"")
        rows = await tx.execute(
            sql(_STUCK, self._schema),
            {
                "consumer": self._consumer,
                "source": start.source,
                "topic": start.topic,
                "key": start.key,
                "limit": limit,
            },
        )
        return [(Lane(row.source, row.topic, bytes(row.key)), _message(row)) for row in rows]

    async def held_of(
        self, tx: AsyncConnection, lanes: Sequence[Lane], per_lane: int
    ) -> list[tuple[Standing, Message]]:
        """The earliest held events of some lanes, in order per lane."""
        statement = sql(_HELD_OF, self._schema)
        rows = orjson.dumps([_lane_row(lane) for lane in lanes]).decode()
        found = await tx.execute(statement, {"consumer": self._consumer, "rows": rows, "limit": per_lane})
        return [(Standing(row.last_seq, row.held), _message(row)) for row in found]

    async def counts(self, tx: AsyncConnection) -> Counts:
        """What waits, for the gauges."""
        row = (await tx.execute(sql(_COUNTS, self._schema), {"consumer": self._consumer})).one()
        return Counts(row.lanes, row.held, row.dead)

    async def _run(self, tx: AsyncConnection, statement: str, rows: Sequence[Mapping[str, Any]]) -> Sequence[Row[Any]]:
        parameters = {"consumer": self._consumer, "rows": orjson.dumps(rows).decode()}
        result = await tx.execute(sql(statement, self._schema), parameters)
        return result.all() if result.returns_rows else ()


def _message(row: Row[Any]) -> Message:
    headers = {name: value.encode() for name, value in row.headers.items()}
    return Message(row.topic, row.part, row.off, bytes(row.key), headers, bytes(row.raw))


def _lane_row(lane: Lane) -> dict[str, Any]:
    return {"s": lane.source, "t": lane.topic, "k": _b64(lane.key)}


def _held_key(item: Item) -> dict[str, Any]:
    head, lane = item.head, item.lane
    assert head is not None
    assert lane is not None
    return _lane_row(lane) | {"q": head.sequence, "e": str(head.id)}


def _held_row(item: Item, why: Why) -> dict[str, Any]:
    message, head = item.message, item.head
    assert head is not None
    return _held_key(item) | {
        "y": head.type,
        "p": message.partition,
        "o": message.offset,
        "h": printable(message.headers),
        "b": _b64(message.payload),
        "w": why.value,
    }


def _dead_row(item: Item) -> dict[str, Any]:
    message, head = item.message, item.head
    return {
        "t": message.topic,
        "p": message.partition,
        "o": message.offset,
        "k": _b64(message.key),
        "e": None if head is None else str(head.id),
        "s": None if head is None else head.source,
        "q": None if head is None else head.sequence,
        "h": printable(message.headers),
        "b": _b64(message.payload),
        "x": clean(item.dead or "")[:2000],
    }


def _b64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")

"""What a person does about events that wait: look at them, put a dead letter back, or let a key go on without it.

Nothing here applies an event. It puts the event, or its lane, where the worker's next release pass finds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.registry import UnreadableMessage, read_head
from services.chassis.db import sql
from services.chassis.streams.message import Lane, Why

_LETTERS: Final = """
  SELECT id, consumer, topic, part, off, key, event_id, source, seq, headers, raw, error, at FROM @schema.dead_letters
  WHERE resolved_at IS NULL AND id > :after ORDER BY id LIMIT :limit"""
_LETTER: Final = """
  SELECT id, consumer, topic, part, off, key, event_id, source, seq, headers, raw, error, at FROM @schema.dead_letters
  WHERE resolved_at IS NULL AND id = :id FOR UPDATE"""
_RESOLVE: Final = """
  UPDATE @schema.dead_letters SET resolved_at = directory.grid_now(), resolution = :resolution WHERE id = :id"""
_SEEN: Final = """
  INSERT INTO @schema.inbox (consumer, event_id, topic, part, off) VALUES (:consumer, :event_id, :topic, :part, :off)
  ON CONFLICT (consumer, event_id) DO NOTHING"""
_LANE: Final = """
  INSERT INTO @schema.stream_positions AS p (consumer, source, topic, key, last_seq, held)
  VALUES (:consumer, :source, :topic, :key, 0, 0)
  ON CONFLICT (consumer, source, topic, key) DO UPDATE SET at = p.at RETURNING p.last_seq"""
_HOLD: Final = """
  WITH put AS (
    INSERT INTO @schema.held_events
      (consumer, source, topic, key, seq, event_id, type, part, off, headers, raw, reason)
    VALUES
      (:consumer, :source, :topic, :key, :seq, :event_id, :type, :part, :off, CAST(:headers AS jsonb), :raw, :reason)
    ON CONFLICT DO NOTHING RETURNING 1)
  UPDATE @schema.stream_positions SET held = held + (SELECT count(*) FROM put)
  WHERE consumer = :consumer AND source = :source AND topic = :topic AND key = :key"""
_GO_ON: Final = """
  UPDATE @schema.stream_positions SET last_seq = :seq, at = directory.grid_now()
  WHERE consumer = :consumer AND source = :source AND topic = :topic AND key = :key AND last_seq < :seq"""
_STANDING: Final = """
  SELECT p.last_seq, min(h.seq) AS first_held FROM @schema.stream_positions p
  LEFT JOIN @schema.held_events h
    ON h.consumer = p.consumer AND h.source = p.source AND h.topic = p.topic AND h.key = p.key
  WHERE p.consumer = :consumer AND p.source = :source AND p.topic = :topic AND p.key = :key GROUP BY p.last_seq"""
_HELD: Final = """
  SELECT consumer, source, topic, key, seq, headers FROM @schema.held_events WHERE event_id = :event_id FOR UPDATE"""
_KEEP: Final = """
  INSERT INTO @schema.dead_letters AS d
    (consumer, topic, part, off, key, event_id, source, seq, headers, raw, error, resolved_at, resolution)
  SELECT consumer, topic, part, off, key, event_id, source, seq, headers, raw, 'held: ' || reason,
    directory.grid_now(), :resolution FROM @schema.held_events WHERE consumer = :consumer AND event_id = :event_id
  ON CONFLICT (consumer, topic, part, off) DO UPDATE
    SET resolved_at = excluded.resolved_at, resolution = excluded.resolution"""
_DROP: Final = """
  WITH gone AS (DELETE FROM @schema.held_events WHERE consumer = :consumer AND event_id = :event_id RETURNING 1)
  UPDATE @schema.stream_positions SET held = held - (SELECT count(*) FROM gone)
  WHERE consumer = :consumer AND source = :source AND topic = :topic AND key = :key"""
_BLOCKED: Final = """
  SELECT p.consumer, p.source, p.topic, p.key, p.last_seq, p.held, min(h.at) AS since, min(h.seq) AS first,
    (array_agg(h.reason ORDER BY h.seq))[1] AS reason
  FROM @schema.stream_positions p JOIN @schema.held_events h
    ON h.consumer = p.consumer AND h.source = p.source AND h.topic = p.topic AND h.key = p.key
  WHERE p.held > 0
  GROUP BY p.consumer, p.source, p.topic, p.key, p.last_seq, p.held ORDER BY since LIMIT :limit"""


class NoSuchDeadLetter(LookupError):
    """There is no open dead letter of that number."""


class NoSuchHeldEvent(LookupError):
    """No event of that id is held."""


class NotReplayable(ValueError):
    """The dead letter's attributes cannot be read, so nobody knows where in its lane it belongs."""


class NotItsTurn(ValueError):
    """Its key waits for another number, or has gone past this one: the text says which."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message nobody could apply."""

    id: int
    consumer: str
    topic: str
    partition: int
    offset: int
    key: bytes
    event_id: UUID | None
    source: str | None
    sequence: int | None
    headers: Mapping[str, str]
    payload: bytes
    error: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Gone:
    """An event that a service will never apply; `event_id` None: nobody can read who it was."""

    topic: str
    key: bytes
    event_id: UUID | None
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BlockedKey:
    """A lane whose events wait, and for which number."""

    consumer: str
    lane: Lane
    waits_for: int
    first_held: int
    held: int
    reason: str
    since: datetime


async def open_dead_letters(tx: AsyncConnection, schema: str, after: int = 0, limit: int = 100) -> list[DeadLetter]:
    """Dead letters nobody has resolved, oldest first."""
    rows = await tx.execute(sql(_LETTERS, schema), {"after": after, "limit": limit})
    return [letter_of(row) for row in rows]


async def blocked_keys(tx: AsyncConnection, schema: str, limit: int = 100) -> list[BlockedKey]:
    """Lanes with held events, the longest waiting first."""
    rows = await tx.execute(sql(_BLOCKED, schema), {"limit": limit})
    return [
        BlockedKey(
            row.consumer,
            Lane(row.source, row.topic, bytes(row.key)),
            row.last_seq + 1,
            row.first,
            row.held,
            row.reason,
            row.since,
        )
        for row in rows
    ]


async def replay_dead_letter(tx: AsyncConnection, schema: str, number: int, *, payload: bytes | None = None) -> Lane:
    """Put a dead letter back into its lane, its body corrected if `payload` is given; answers the lane.

    It is applied when its turn comes. Raises NoSuchDeadLetter, NotReplayable, and NotItsTurn where its key has gone on
    without it: applied now it would come too late.
    """
    letter = await _take(tx, schema, number)
    try:
        head = read_head({name: value.encode() for name, value in letter.headers.items()})
    except UnreadableMessage as exc:
        raise NotReplayable(exc.why) from exc
    lane = Lane(head.source, letter.topic, letter.key)
    place = _lane_parameters(letter.consumer, lane)
    where = {"part": letter.partition, "off": letter.offset}
    await tx.execute(sql(_SEEN, schema), {
        "consumer": letter.consumer, "topic": letter.topic, "event_id": head.id, **where,
    })  # fmt: skip
    last = (await tx.execute(sql(_LANE, schema), place)).scalar_one()
    if head.sequence <= last:
        raise NotItsTurn(f"its key has gone past no. {head.sequence} and stands at no. {last}: give the letter up")
    await tx.execute(sql(_HOLD, schema), place | where | {
        "seq": head.sequence, "event_id": head.id, "type": head.type, "reason": Why.REPLAY.value,
        "headers": orjson.dumps(letter.headers).decode(), "raw": letter.payload if payload is None else payload,
    })  # fmt: skip
    await _resolve(tx, schema, number, "replayed" if payload is None else "replayed with a corrected body")
    return lane


async def give_up_dead_letter(tx: AsyncConnection, schema: str, number: int, why: str) -> Gone:
    """Let the key go on without this event. Raises NoSuchDeadLetter, NotItsTurn while an earlier number is missing."""
    letter = await _take(tx, schema, number)
    if letter.source is not None and letter.sequence is not None:
        lane = Lane(letter.source, letter.topic, letter.key)
        await _go_behind(tx, schema, letter.consumer, lane, letter.sequence)
    await _resolve(tx, schema, number, f"given up: {why}")
    return Gone(letter.topic, letter.key, letter.event_id, letter.headers)


async def discard_held(tx: AsyncConnection, schema: str, event_id: UUID, why: str) -> Gone:
    """Let a key go on without an event it holds. The event is kept among the resolved dead letters.

    Raises NoSuchHeldEvent, NotItsTurn while an earlier number is missing.
    """
    row = (await tx.execute(sql(_HELD, schema), {"event_id": event_id})).first()
    if row is None:
        raise NoSuchHeldEvent(f"no held event {event_id} in {schema}")
    lane = Lane(row.source, row.topic, bytes(row.key))
    await _go_behind(tx, schema, row.consumer, lane, row.seq)
    kept = {"consumer": row.consumer, "event_id": event_id, "resolution": f"given up: {why}"}
    await tx.execute(sql(_KEEP, schema), kept)
    await tx.execute(sql(_DROP, schema), _lane_parameters(row.consumer, lane) | {"event_id": event_id})
    return Gone(row.topic, lane.key, event_id, row.headers)


async def pass_over(tx: AsyncConnection, schema: str, consumer: str, lane: Lane, sequence: int) -> None:
    """Let a lane go on behind `sequence`, whatever is missing up to there: for events lost beyond repair.

    Raises NotItsTurn where one of these numbers is here and held: it is not lost.
    """
    where = _lane_parameters(consumer, lane)
    row = (await tx.execute(sql(_STANDING, schema), where)).first()
    if row is not None and row.first_held is not None and row.first_held <= sequence:
        raise NotItsTurn(f"no. {row.first_held} is here and held: pass over up to no. {row.first_held - 1} only")
    await tx.execute(sql(_GO_ON, schema), where | {"seq": sequence})


async def _go_behind(tx: AsyncConnection, schema: str, consumer: str, lane: Lane, sequence: int) -> None:
    """Let a lane go on behind its next number; behind one it has passed already it is."""
    where = _lane_parameters(consumer, lane)
    last = (await tx.execute(sql(_LANE, schema), where)).scalar_one()
    if sequence > last + 1:
        raise NotItsTurn(f"no. {last + 1} comes before no. {sequence} and is missing: it must come, or be passed over")
    await tx.execute(sql(_GO_ON, schema), where | {"seq": sequence})


async def _take(tx: AsyncConnection, schema: str, number: int) -> DeadLetter:
    row = (await tx.execute(sql(_LETTER, schema), {"id": number})).first()
    if row is None:
        raise NoSuchDeadLetter(f"no open dead letter {number} in {schema}")
    return letter_of(row)


async def _resolve(tx: AsyncConnection, schema: str, number: int, resolution: str) -> None:
    await tx.execute(sql(_RESOLVE, schema), {"id": number, "resolution": resolution})


def _lane_parameters(consumer: str, lane: Lane) -> dict[str, Any]:
    return {"consumer": consumer, "source": lane.source, "topic": lane.topic, "key": lane.key}


def letter_of(row: Row[Any]) -> DeadLetter:
    """The dead letter of a row with all its columns."""
    return DeadLetter(
        row.id, row.consumer, row.topic, row.part, row.off, bytes(row.key), row.event_id, row.source, row.seq,
        row.headers, bytes(row.raw), row.error, row.at,
    )  # fmt: skip

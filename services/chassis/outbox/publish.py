"""Write events into the outbox, inside the transaction that made them true."""

from __future__ import annotations

import base64
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.envelope import Envelope
from schemas.registry import encode
from schemas.wire import Body
from services.chassis.db import sql
from services.chassis.outbox.tables import SHARDS, OutboxTables


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An event and the topic it goes to; its key is the envelope's subject."""

    topic: str
    envelope: Envelope[Body]


@dataclass(frozen=True, slots=True)
class RawOutgoing:
    """A message already encoded: what dead-letter topics carry."""

    topic: str
    key: bytes
    sequence: int
    event_id: UUID
    headers: Mapping[str, str]
    payload: bytes


_INSERT: Final = (
    "INSERT INTO @schema.outbox (shard, topic, key, seq, event_id, headers, payload, created_at, xid)"
    " SELECT s, t, decode(k, 'base64'), q, e, h, decode(p, 'base64'), w.now, w.xid"
    " FROM json_to_recordset(CAST(:rows AS json))"
    " AS r(n int, s smallint, t text, k text, q bigint, e uuid, h jsonb, p text),"
    " (SELECT directory.grid_now() AS now, pg_current_xact_id() AS xid OFFSET 0) AS w ORDER BY n"
)


async def publish(tx: AsyncConnection, tables: OutboxTables, events: Sequence[Outgoing]) -> None:
    """Queue events for Kafka, in the order given, as part of `tx`.

    The caller already holds the row lock of each event's aggregate (or has taken `next_sequences` for its key) in
    this transaction: ids are then handed out in commit order per key, which is what lets the relay keep that order.
    """
    await publish_raw(tx, tables, [_encoded(event) for event in events])


def publishing(tables: OutboxTables, events: Sequence[Outgoing]) -> tuple[str, str]:
    """What `publish` would carry out, for who writes other rows with it: a statement and its only parameter `:rows`."""
    return _INSERT.replace("@schema", tables.schema), _rows([_encoded(event) for event in events])


async def publish_raw(tx: AsyncConnection, tables: OutboxTables, messages: Sequence[RawOutgoing]) -> None:
    """`publish` for messages that are bytes already."""
    if messages:
        await tx.execute(sql(_INSERT, tables.schema), {"rows": _rows(messages)})


def _rows(messages: Sequence[RawOutgoing]) -> str:
    rows = [
        {
            "n": n,
            "s": shard_of(message.key),
            "t": message.topic,
            "k": _b64(message.key),
            "q": message.sequence,
            "e": str(message.event_id),
            "h": dict(message.headers),
            "p": _b64(message.payload),
        }
        for n, message in enumerate(messages)
    ]
    return orjson.dumps(rows).decode()


async def next_sequences(tx: AsyncConnection, tables: OutboxTables, topic: str, keys: Sequence[str]) -> dict[str, int]:
    """Reserve event numbers for producers whose aggregates carry no counter of their own.

    Answers the first number reserved per key; a key named n times reserves n numbers in a row. The counter's row
    stays locked until `tx` ends, which gives `publish` the lock it asks for.
    """
    if not keys:
        return {}
    wanted = [{"k": key, "n": count} for key, count in sorted(Counter(keys).items())]
    statement = sql(
        "INSERT INTO @schema.outbox_sequences AS s (topic, key, last_seq)"
        " SELECT :topic, convert_to(k, 'UTF8'), n FROM json_to_recordset(CAST(:wanted AS json)) AS r(k text, n bigint)"
        " ON CONFLICT (topic, key) DO UPDATE SET last_seq = s.last_seq + excluded.last_seq"
        " RETURNING convert_from(key, 'UTF8') AS key, last_seq",
        tables.schema,
    )
    result = await tx.execute(statement, {"topic": topic, "wanted": orjson.dumps(wanted).decode()})
    counts = Counter(keys)
    return {row.key: row.last_seq - counts[row.key] + 1 for row in result}


def shard_of(key: bytes) -> int:
    """The slice a key belongs to; the same in every process and release."""
    return zlib.crc32(key) % SHARDS


def _encoded(event: Outgoing) -> RawOutgoing:
    envelope = event.envelope
    headers, payload = encode(envelope)
    return RawOutgoing(event.topic, envelope.subject.encode(), envelope.sequence, envelope.id, headers, payload)


def _b64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")

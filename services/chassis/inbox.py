"""What has arrived: which events a consumer has taken, how far each key has come, what is held, what is dead.

`inbox` and the work an event caused are written in one transaction, so an event that comes twice works once.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

_NOW = text("directory.grid_now()")


@dataclass(frozen=True, slots=True)
class InboxTables:
    """The tables of one consuming service."""

    schema: str
    inbox: Table
    positions: Table
    held: Table
    dead_letters: Table


def inbox_tables(metadata: MetaData, schema: str) -> InboxTables:
    """Declare them; `inbox_ddl` creates them together with the `inbox_seen` view other services may read."""
    return InboxTables(schema, _inbox(metadata), _positions(metadata), _held(metadata), _dead_letters(metadata))


def _inbox(metadata: MetaData) -> Table:
    return Table(
        "inbox",
        metadata,
        Column("consumer", Text, primary_key=True),
        Column("event_id", Uuid, primary_key=True),
        Column("topic", Text, nullable=False),
        Column("part", Integer, nullable=False),
        Column("off", BigInteger, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False, server_default=_NOW),
        postgresql_partition_by="RANGE (event_id)",
    )


def _positions(metadata: MetaData) -> Table:
    return Table(
        "stream_positions",
        metadata,
        Column("consumer", Text, primary_key=True),
        Column("source", Text, primary_key=True),
        Column("topic", Text, primary_key=True),
        Column("key", LargeBinary, primary_key=True),
        Column("last_seq", BigInteger, nullable=False),
        Column("held", Integer, nullable=False, server_default="0"),
        Column("at", DateTime(timezone=True), nullable=False, server_default=_NOW),
        Index("ix_stream_positions_held", "consumer", postgresql_where=text("held > 0")),
    )


def _held(metadata: MetaData) -> Table:
    return Table(
        "held_events",
        metadata,
        Column("consumer", Text, primary_key=True),
        Column("source", Text, primary_key=True),
        Column("topic", Text, primary_key=True),
        Column("key", LargeBinary, primary_key=True),
        Column("seq", BigInteger, primary_key=True),
        Column("event_id", Uuid, primary_key=True),
        Column("type", Text, nullable=False),
        Column("part", Integer, nullable=False),
        Column("off", BigInteger, nullable=False),
        Column("headers", JSONB, nullable=False),
        Column("raw", LargeBinary, nullable=False),
        Column("reason", Text, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False, server_default=_NOW),
    )


def _dead_letters(metadata: MetaData) -> Table:
    return Table(
        "dead_letters",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("consumer", Text, nullable=False),
        Column("topic", Text, nullable=False),
        Column("part", Integer, nullable=False),
        Column("off", BigInteger, nullable=False),
        Column("key", LargeBinary, nullable=False),
        Column("event_id", Uuid),
        Column("source", Text),
        Column("seq", BigInteger),
        Column("headers", JSONB, nullable=False),
        Column("raw", LargeBinary, nullable=False),
        Column("error", Text, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False, server_default=_NOW),
        Column("resolved_at", DateTime(timezone=True)),
        Column("resolution", Text),
        Index("ix_dead_letters_open", "consumer", "id", postgresql_where=text("resolved_at IS NULL")),
        Index("uq_dead_letters_place", "consumer", "topic", "part", "off", unique=True),
    )

"""The outbox of one producing service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.types import UserDefinedType

SHARDS: Final = 16
"""How many slices an outbox has; each slice has one relay at a time. Never change it under unpublished rows."""

_NOW = text("directory.grid_now()")
_UNPUBLISHED = text("published_at IS NULL")


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction number."""

    cache_ok = True

    def get_col_spec(self, **_kw: object) -> str:
        return "xid8"


ischema_names["xid8"] = Xid8  # SQLAlchemy does not know it, and comparing schemas reads it back


@dataclass(frozen=True, slots=True)
class OutboxTables:
    """The tables of one producing service."""

    schema: str
    outbox: Table
    sequences: Table


def outbox_tables(metadata: MetaData, schema: str) -> OutboxTables:
    """Declare them; `outbox_ddl` creates them.

    `id` comes from an identity with CACHE 1: order per key is proved only while ids are handed out in the order
    asked, so nobody may raise the cache. `xid` lets a reader wait for `pg_snapshot_xmin` (the live feed does).
    """
    outbox = Table(
        "outbox",
        metadata,
        Column("id", BigInteger, Identity(always=True, cache=1), nullable=False),
        Column("shard", SmallInteger, nullable=False),
        Column("topic", Text, nullable=False),
        Column("key", LargeBinary, nullable=False),
        Column("seq", BigInteger, nullable=False),
        Column("event_id", Uuid, nullable=False),
        Column("headers", JSONB, nullable=False),
        Column("payload", LargeBinary, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
        Column("published_at", DateTime(timezone=True)),
        Column("xid", Xid8(), nullable=False, server_default=text("pg_current_xact_id()")),
        Column("partition", Integer),
        Column("offset", BigInteger),
        PrimaryKeyConstraint("created_at", "id"),
        Index("ix_outbox_unpublished", "id", postgresql_where=_UNPUBLISHED),
        Index("ix_outbox_unpublished_shard", "shard", "id", postgresql_where=_UNPUBLISHED),
        postgresql_partition_by="RANGE (created_at)",
    )
    sequences = Table(
        "outbox_sequences",
        metadata,
        Column("topic", Text, primary_key=True),
        Column("key", LargeBinary, primary_key=True),
        Column("last_seq", BigInteger, nullable=False),
    )
    return OutboxTables(schema, outbox, sequences)

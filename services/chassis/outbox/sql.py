"""The statements of one schema's relay.

`due` reads through the partial index on the missing `published_at`; `:floor` only spares looking into old partitions.
"""

from __future__ import annotations

from typing import Final

from services.chassis.db import sql

_DUE: Final = """
  SELECT o.id, o.created_at, o.topic, o.key, o.headers, o.payload FROM @schema.outbox o
  WHERE o.published_at IS NULL AND o.created_at >= :floor {also}
  ORDER BY o.id LIMIT :limit"""
_UNPAUSED: Final = """
  AND o.key NOT IN (SELECT decode(k, 'hex') FROM json_array_elements_text(CAST(:paused AS json)) AS p(k))"""
_MINE: Final = " AND o.shard = CAST(s.shard AS smallint)"
_PER_SHARD: Final = """
  SELECT r.* FROM json_array_elements_text(CAST(:shards AS json)) AS s(shard)
  CROSS JOIN LATERAL ({due}) r ORDER BY r.id LIMIT :limit"""
_MARK: Final = """
  UPDATE @schema.outbox o SET published_at = directory.grid_now(), "partition" = r.p, "offset" = r.f
  FROM json_to_recordset(CAST(:sent AS json)) AS r(i bigint, c timestamptz, p int, f bigint)
  WHERE o.id = r.i AND o.created_at = r.c AND o.created_at BETWEEN :low AND :high"""
_BACKLOG: Final = """
  SELECT directory.grid_now() AS now, least(statement_timestamp(), directory.grid_now()) AS real_now,
    count(*) AS waiting, min(o.created_at) AS oldest
  FROM (SELECT created_at FROM @schema.outbox WHERE published_at IS NULL ORDER BY id LIMIT 10001) o"""


class RelaySql:
    """Prepared once per relay."""

    def __init__(self, schema: str) -> None:
        self.read = sql(_DUE.format(also=""), schema)
        self.read_unpaused = sql(_DUE.format(also=_UNPAUSED), schema)
        self.read_shards = sql(_PER_SHARD.format(due=_DUE.format(also=_MINE)), schema)
        self.read_shards_unpaused = sql(_PER_SHARD.format(due=_DUE.format(also=_MINE + _UNPAUSED)), schema)
        self.mark = sql(_MARK, schema)
        self.backlog = sql(_BACKLOG, schema)
        self.unhurried = sql("SET synchronous_commit = off", schema)
        """A mark that a crash of the server takes away is made again, with a copy that its consumers know already."""
        self.lock = sql("SELECT pg_try_advisory_lock(:space, :shard)", schema)

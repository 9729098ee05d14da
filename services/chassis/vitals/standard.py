"""The questions every service is asked: its outbox, what waits in its inbox, its share of the server."""

from __future__ import annotations

from typing import Final

from services.chassis.db import Tx, sql
from services.chassis.outbox.tables import SHARDS
from services.chassis.telemetry import Metrics
from services.chassis.vitals.loop import Probe

_OUTBOX: Final = """
  SELECT o.shard, count(*) AS waiting,
    extract(epoch FROM directory.grid_now() - min(o.created_at)) AS age
  FROM (SELECT shard, created_at FROM @schema.outbox WHERE published_at IS NULL ORDER BY id LIMIT 10001) o
  GROUP BY o.shard"""
_HELD: Final = """
  SELECT count(*) AS held, count(DISTINCT (consumer, source, topic, key)) AS lanes,
    extract(epoch FROM directory.grid_now() - min(at)) AS age
  FROM (SELECT * FROM @schema.held_events LIMIT 10001) h"""
_DEAD: Final = """
  SELECT count(*) AS dead, extract(epoch FROM directory.grid_now() - min(at)) AS age
  FROM @schema.dead_letters WHERE resolved_at IS NULL"""
# Of other roles' sessions a server tells only that they are there: each service speaks for its own transactions.
_SESSIONS: Final = """
  SELECT count(*) AS sessions, current_setting('max_connections')::int AS most,
    coalesce(extract(epoch FROM clock_timestamp() - min(xact_start)
      FILTER (WHERE usename = current_user AND pid <> pg_backend_pid())), 0) AS longest,
    CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_current_wal_lsn() - '0/0'::pg_lsn END AS wal
  FROM pg_stat_activity WHERE backend_type = 'client backend'"""
_DEAD_ROWS: Final = """
  SELECT coalesce(pg_partition_root(s.relid)::regclass, s.relid::regclass)::text AS name, sum(s.n_dead_tup) AS dead
  FROM pg_stat_all_tables s WHERE s.schemaname = '@schema' GROUP BY 1"""


def standard_probes(schema: str, metrics: Metrics) -> tuple[Probe, ...]:
    """For a service that publishes, consumes and stores in `schema`."""
    return (OutboxProbe(schema, metrics), WaitingProbe(schema, metrics), ServerProbe(schema, metrics))


class OutboxProbe:
    """How much waits for Kafka, and for how long."""

    def __init__(self, schema: str, metrics: Metrics) -> None:
        self._question = sql(_OUTBOX, schema)
        self._age = metrics.gauge("grid_outbox_oldest_seconds", "Age of the oldest row not yet in Kafka")
        self._depth = metrics.gauge("grid_outbox_waiting", "Rows not yet in Kafka, counted up to 10001")
        self._shards = metrics.gauge("grid_outbox_shard_waiting", "The same per shard", ["shard"])

    async def read(self, tx: Tx) -> None:
        rows = {row.shard: row for row in await tx.execute(self._question)}
        self._age.set(max([0.0, *(float(row.age) for row in rows.values())]))
        self._depth.set(sum(row.waiting for row in rows.values()))
        for shard in range(SHARDS):
            self._shards.labels(str(shard)).set(rows[shard].waiting if shard in rows else 0)


class WaitingProbe:
    """Held events and dead letters of the service's inbox."""

    def __init__(self, schema: str, metrics: Metrics) -> None:
        self._held_question, self._dead_question = sql(_HELD, schema), sql(_DEAD, schema)
        self._held = metrics.gauge("grid_stream_held_events", "Events waiting in held_events")
        self._lanes = metrics.gauge("grid_stream_blocked_keys", "Keys with held events")
        self._held_age = metrics.gauge("grid_stream_held_oldest_seconds", "How long the oldest held event has waited")
        self._dead = metrics.gauge("grid_stream_dead_letters_open", "Dead letters nobody has resolved")
        self._dead_age = metrics.gauge("grid_stream_dead_letters_oldest_seconds", "Age of the oldest open dead letter")

    async def read(self, tx: Tx) -> None:
        held = (await tx.execute(self._held_question)).one()
        self._held.set(held.held)
        self._lanes.set(held.lanes)
        self._held_age.set(max(0.0, float(held.age or 0)))
        dead = (await tx.execute(self._dead_question)).one()
        self._dead.set(dead.dead)
        self._dead_age.set(max(0.0, float(dead.age or 0)))


class ServerProbe:
    """The service's share of PostgreSQL."""

    def __init__(self, schema: str, metrics: Metrics) -> None:
        self._sessions_question, self._rows_question = sql(_SESSIONS, schema), sql(_DEAD_ROWS, schema)
        self._sessions = metrics.gauge("grid_postgres_connections", "Client connections of the whole server")
        self._most = metrics.gauge("grid_postgres_connections_max", "How many it takes (max_connections)")
        self._longest = metrics.gauge(
            "grid_postgres_longest_transaction_seconds", "Age of this role's oldest open transaction"
        )
        self._wal = metrics.gauge("grid_postgres_wal_position_bytes", "Write-ahead log written since the beginning")
        self._dead = metrics.gauge("grid_postgres_dead_tuples", "Dead rows not yet vacuumed, per table", ["table"])

    async def read(self, tx: Tx) -> None:
        told = (await tx.execute(self._sessions_question)).one()
        self._sessions.set(told.sessions)
        self._most.set(told.most)
        self._longest.set(max(0.0, float(told.longest)))
        if told.wal is not None:
            self._wal.set(float(told.wal))
        for row in await tx.execute(self._rows_question):
            self._dead.labels(row.name).set(int(row.dead))

"""The statements that create outbox and inbox in a service's schema, frozen per revision.

Migrations call these; a released one is never edited, a change is a new `plumbing_vN` that a new migration calls.
`tests/migration` compares the result with what `outbox_tables` and `inbox_tables` declare.
"""

from __future__ import annotations

from typing import Final


def plumbing_v1(schema: str) -> tuple[str, ...]:
    """Outbox, inbox, positions, held events, dead letters, the view others read, and their partitions."""
    return tuple(template.replace("@schema", schema) for template in (*_OUTBOX_V1, *_INBOX_V1, *_PARTITIONS_V1))


_OUTBOX_V1: Final = (
    """CREATE TABLE @schema.outbox (
          id bigint GENERATED ALWAYS AS IDENTITY (CACHE 1) NOT NULL,
          shard smallint NOT NULL,
          topic text NOT NULL,
          key bytea NOT NULL,
          seq bigint NOT NULL,
          event_id uuid NOT NULL,
          headers jsonb NOT NULL,
          payload bytea NOT NULL,
          created_at timestamptz NOT NULL DEFAULT directory.grid_now(),
          published_at timestamptz,
          xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
          "partition" integer,
          "offset" bigint,
          CONSTRAINT pk_outbox PRIMARY KEY (created_at, id)
        ) PARTITION BY RANGE (created_at)""",
    "CREATE INDEX ix_outbox_unpublished ON @schema.outbox (id) WHERE published_at IS NULL",
    "CREATE INDEX ix_outbox_unpublished_shard ON @schema.outbox (shard, id) WHERE published_at IS NULL",
    "CREATE TABLE @schema.outbox_default PARTITION OF @schema.outbox DEFAULT",
    """CREATE TABLE @schema.outbox_sequences (
          topic text NOT NULL,
          key bytea NOT NULL,
          last_seq bigint NOT NULL,
          CONSTRAINT pk_outbox_sequences PRIMARY KEY (topic, key)
        )""",
)


_INBOX_V1: Final = (
    """CREATE TABLE @schema.inbox (
          consumer text NOT NULL,
          event_id uuid NOT NULL,
          topic text NOT NULL,
          part integer NOT NULL,
          off bigint NOT NULL,
          at timestamptz NOT NULL DEFAULT directory.grid_now(),
          CONSTRAINT pk_inbox PRIMARY KEY (consumer, event_id)
        ) PARTITION BY RANGE (event_id)""",
    "CREATE TABLE @schema.inbox_default PARTITION OF @schema.inbox DEFAULT",
    """CREATE TABLE @schema.stream_positions (
          consumer text NOT NULL,
          source text NOT NULL,
          topic text NOT NULL,
          key bytea NOT NULL,
          last_seq bigint NOT NULL,
          held integer NOT NULL DEFAULT 0,
          at timestamptz NOT NULL DEFAULT directory.grid_now(),
          CONSTRAINT pk_stream_positions PRIMARY KEY (consumer, source, topic, key)
        )""",
    "CREATE INDEX ix_stream_positions_held ON @schema.stream_positions (consumer) WHERE held > 0",
    """CREATE TABLE @schema.held_events (
          consumer text NOT NULL,
          source text NOT NULL,
          topic text NOT NULL,
          key bytea NOT NULL,
          seq bigint NOT NULL,
          event_id uuid NOT NULL,
          type text NOT NULL,
          part integer NOT NULL,
          off bigint NOT NULL,
          headers jsonb NOT NULL,
          raw bytea NOT NULL,
          reason text NOT NULL,
          at timestamptz NOT NULL DEFAULT directory.grid_now(),
          CONSTRAINT pk_held_events PRIMARY KEY (consumer, source, topic, key, seq, event_id)
        )""",
    """CREATE TABLE @schema.dead_letters (
          id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
          consumer text NOT NULL,
          topic text NOT NULL,
          part integer NOT NULL,
          off bigint NOT NULL,
          key bytea NOT NULL,
          event_id uuid,
          source text,
          seq bigint,
          headers jsonb NOT NULL,
          raw bytea NOT NULL,
          error text NOT NULL,
          at timestamptz NOT NULL DEFAULT directory.grid_now(),
          resolved_at timestamptz,
          resolution text,
          CONSTRAINT pk_dead_letters PRIMARY KEY (id)
        )""",
    "CREATE INDEX ix_dead_letters_open ON @schema.dead_letters (consumer, id) WHERE resolved_at IS NULL",
    "CREATE UNIQUE INDEX uq_dead_letters_place ON @schema.dead_letters (consumer, topic, part, off)",
    """CREATE VIEW @schema.inbox_seen AS
          SELECT consumer, event_id, topic, part, off FROM @schema.inbox
          UNION ALL
          SELECT consumer, event_id, topic, part, off FROM @schema.dead_letters WHERE event_id IS NULL""",
)


# `roll_partitions()` makes the weeks ahead and drops those past keeping (outbox 30 days; inbox 45, longer than any
# topic keeps messages: a forgotten event id would work twice). It runs with the owner's rights.
_PARTITIONS_V1: Final = (
    """CREATE FUNCTION @schema.roll_partitions() RETURNS integer
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $body$
        DECLARE
          -- a test clock that runs ahead must not throw away what the real one still needs
          real_now timestamptz := least(statement_timestamp(), directory.grid_now());
          monday date;
          old record;
          kept integer;
          changed integer := 0;
        BEGIN
          FOR week IN 0..2 LOOP
            monday := (date_trunc('week', real_now AT TIME ZONE 'UTC'))::date + 7 * week;
            changed := changed + @schema.add_week('outbox', monday,
              quote_literal((monday::timestamp AT TIME ZONE 'UTC')::text),
              quote_literal(((monday + 7)::timestamp AT TIME ZONE 'UTC')::text));
            changed := changed + @schema.add_week('inbox', monday,
              quote_literal(@schema.first_id_of(monday)::text), quote_literal(@schema.first_id_of(monday + 7)::text));
          END LOOP;
          FOR old IN
            SELECT p.relname AS part, CASE WHEN p.relname LIKE 'outbox%' THEN 'outbox' ELSE 'inbox' END AS parent
            FROM pg_class p JOIN pg_namespace n ON n.oid = p.relnamespace
            WHERE n.nspname = '@schema' AND p.relispartition AND p.relkind = 'r' AND p.relname ~ '_p[0-9]{8}$'
          LOOP
            kept := CASE old.parent WHEN 'outbox' THEN 30 ELSE 45 END;
            CONTINUE WHEN to_date(right(old.part, 8), 'YYYYMMDD') + 7 + kept > (real_now AT TIME ZONE 'UTC')::date;
            IF old.parent = 'outbox' THEN
              CONTINUE WHEN @schema.has_unpublished(old.part);
            END IF;
            EXECUTE format('DROP TABLE @schema.%I', old.part);
            changed := changed + 1;
          END LOOP;
          RETURN changed;
        END $body$""",
    """CREATE FUNCTION @schema.add_week(parent text, monday date, low text, high text) RETURNS integer
        LANGUAGE plpgsql SET search_path = pg_catalog AS $body$
        DECLARE
          part text := parent || '_p' || to_char(monday, 'YYYYMMDD');
        BEGIN
          IF to_regclass('@schema.' || part) IS NOT NULL THEN
            RETURN 0;
          END IF;
          EXECUTE format('CREATE TABLE @schema.%I PARTITION OF @schema.%I FOR VALUES FROM (%s) TO (%s)'
            ' WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)', part, parent, low, high);
          RETURN 1;
        EXCEPTION WHEN check_violation THEN
          RETURN 0;  -- the default partition holds rows of that week already and keeps them
        END $body$""",
    """CREATE FUNCTION @schema.first_id_of(day date) RETURNS uuid
        LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $body$
          SELECT (lpad(to_hex((extract(epoch FROM day::timestamp) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
        $body$""",
    """CREATE FUNCTION @schema.has_unpublished(part text) RETURNS boolean
        LANGUAGE plpgsql SET search_path = pg_catalog AS $body$
        DECLARE
          found_one boolean;
        BEGIN
          EXECUTE format('SELECT EXISTS (SELECT FROM @schema.%I WHERE published_at IS NULL)', part) INTO found_one;
          RETURN found_one;
        END $body$""",
    "REVOKE EXECUTE ON FUNCTION @schema.roll_partitions() FROM PUBLIC",
    "SELECT @schema.roll_partitions()",
)

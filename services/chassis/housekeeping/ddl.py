"""The functions that make and drop a week's partition of outbox and inbox, frozen per revision like `plumbing`.

A service works under a role that owns nothing, so these run with the owner's rights, and are narrow for it: two tables,
whole weeks, within bounds that no setting reaches. Only the schema's own service may call them. Where one database user
does everything he owns them, and what they refuse is refused to him as well.
"""

from __future__ import annotations

from typing import Final


def weeks_v1(schema: str) -> tuple[str, ...]:
    """`make_week`, `drop_week` and what they lean on; takes the place of what `plumbing_v1` did hourly."""
    return tuple(template.replace("@schema", schema) for template in _WEEKS_V1)


_WEEKS_V1: Final = (
    # The week as the partition's own bounds write it; refuses what is no week of these two tables.
    """CREATE FUNCTION @schema.week_bounds(parent text, monday date, OUT low text, OUT high text)
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
        BEGIN
          IF parent IS NULL OR parent NOT IN ('outbox', 'inbox') THEN
            RAISE EXCEPTION 'no table of weeks: %', parent USING ERRCODE = 'invalid_parameter_value';
          END IF;
          IF monday IS NULL OR NOT isfinite(monday) OR extract(isodow FROM monday) <> 1 THEN
            RAISE EXCEPTION 'no Monday: %', monday USING ERRCODE = 'invalid_parameter_value';
          END IF;
          IF parent = 'outbox' THEN
            low := (monday::timestamp AT TIME ZONE 'UTC')::text;
            high := ((monday + 7)::timestamp AT TIME ZONE 'UTC')::text;
          ELSE
            low := @schema.first_id_of(monday)::text;
            high := @schema.first_id_of(monday + 7)::text;
          END IF;
        END $body$""",
    # Rows of the week that had to go to the default partition move along; how many is the answer. Attaching takes
    # no lock that a reader or writer of the other weeks would wait for.
    """CREATE FUNCTION @schema.make_week(parent text, monday date) RETURNS bigint
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' AS $body$
        DECLARE
          bounds record := @schema.week_bounds(parent, monday);
          part text := parent || '_p' || to_char(monday, 'YYYYMMDD');
          today date := (greatest(statement_timestamp(), directory.grid_now()) AT TIME ZONE 'UTC')::date;
          moved bigint;
        BEGIN
          IF monday > today + 100 OR monday < today - 3700 THEN
            RAISE EXCEPTION 'out of bounds: %', monday USING ERRCODE = 'invalid_parameter_value';
          END IF;
          IF to_regclass(format('@schema.%I', part)) IS NOT NULL THEN
            RETURN 0;
          END IF;
          EXECUTE format('CREATE TABLE @schema.%I (LIKE @schema.%I INCLUDING DEFAULTS INCLUDING STORAGE)'
            ' WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)', part, parent);
          EXECUTE format('LOCK TABLE ONLY @schema.%I IN ACCESS EXCLUSIVE MODE', parent || '_default');
          EXECUTE format('WITH gone AS (DELETE FROM ONLY @schema.%1$I WHERE %2$I >= %3$L AND %2$I < %4$L RETURNING *)'
            ' INSERT INTO @schema.%5$I SELECT * FROM gone', parent || '_default',
            CASE parent WHEN 'outbox' THEN 'created_at' ELSE 'event_id' END, bounds.low, bounds.high, part);
          GET DIAGNOSTICS moved = ROW_COUNT;
          EXECUTE format('ALTER TABLE @schema.%I ATTACH PARTITION @schema.%I FOR VALUES FROM (%L) TO (%L)',
            parent, part, bounds.low, bounds.high);
          RETURN moved;
        END $body$""",
    # Event ids carry the time of the host that made them, so the inbox ages by the newest of them, and never faster
    # than the database's clock: a clock that runs ahead must not throw away what still keeps an event from working
    # twice.
    """CREATE FUNCTION @schema.inbox_reaches() RETURNS date
        LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $body$
        DECLARE
          today date := (directory.grid_now() AT TIME ZONE 'UTC')::date;
          part text;
          used boolean;
        BEGIN
          FOR part IN
            SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = '@schema.inbox'::regclass AND c.relname ~ '^inbox_p[0-9]{8}$' ORDER BY c.relname DESC
          LOOP
            EXECUTE format('SELECT EXISTS (SELECT FROM ONLY @schema.%I)', part) INTO used;
            IF used THEN
              RETURN least(today, to_date(right(part, 8), 'YYYYMMDD') + 7);
            END IF;
          END LOOP;
          RETURN today;
        END $body$""",
    # Answers 'dropped', or the one thing that keeps it. The least times stand here, out of any setting's reach.
    """CREATE FUNCTION @schema.drop_week(parent text, monday date) RETURNS text
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' AS $body$
        DECLARE
          bounds record := @schema.week_bounds(parent, monday);
          part text := parent || '_p' || to_char(monday, 'YYYYMMDD');
          today date := (directory.grid_now() AT TIME ZONE 'UTC')::date;
          needed boolean;
        BEGIN
          IF NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass(format('@schema.%I', part))
              AND inhparent = to_regclass(format('@schema.%I', parent))) THEN
            RAISE EXCEPTION 'no such week: %', part USING ERRCODE = 'undefined_table';
          END IF;
          IF monday + 7 + 30 > today OR (parent = 'inbox' AND monday + 7 + 45 > @schema.inbox_reaches()) THEN
            RETURN 'young';
          END IF;
          EXECUTE format('LOCK TABLE ONLY @schema.%I IN ACCESS EXCLUSIVE MODE', parent);
          IF parent = 'outbox' THEN
            EXECUTE format('SELECT EXISTS (SELECT FROM ONLY @schema.%I WHERE published_at IS NULL)', part) INTO needed;
            IF needed THEN
              RETURN 'unpublished';
            END IF;
          ELSE
            IF EXISTS (SELECT FROM @schema.held_events
                WHERE event_id >= bounds.low::uuid AND event_id < bounds.high::uuid) THEN
              RETURN 'held';
            END IF;
            IF EXISTS (SELECT FROM @schema.dead_letters WHERE resolved_at IS NULL
                AND event_id >= bounds.low::uuid AND event_id < bounds.high::uuid) THEN
              RETURN 'dead_letter';
            END IF;
            -- what is still in some outbox may be compared with this inbox, and sent again where it is missing here
            IF EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname IN ('intake', 'dispatch', 'escalation') AND c.relispartition
                AND c.relname ~ '^outbox_p[0-9]{8}$' AND to_date(right(c.relname, 8), 'YYYYMMDD') <= monday + 7) THEN
              RETURN 'outbox';
            END IF;
          END IF;
          EXECUTE format('DROP TABLE @schema.%I', part);
          RETURN 'dropped';
        END $body$""",
    "REVOKE EXECUTE ON FUNCTION @schema.make_week(text, date) FROM PUBLIC",
    "REVOKE EXECUTE ON FUNCTION @schema.drop_week(text, date) FROM PUBLIC",
    # relays of the release before call this while they are still there
    """CREATE OR REPLACE FUNCTION @schema.roll_partitions() RETURNS integer
        LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$ SELECT 0 $body$""",
    """SELECT @schema.make_week(parent, (date_trunc('week', directory.grid_now() AT TIME ZONE 'UTC'))::date + 7 * n)
        FROM unnest(ARRAY['outbox', 'inbox']) AS parent, generate_series(0, 2) AS n""",
)

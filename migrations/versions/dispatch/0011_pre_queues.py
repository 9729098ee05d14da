"""Lists, their order and their counts are stored with the cases instead of being found anew at every look.

Revision: 0011, after 0010

Rows that are there stand nowhere at first; dispatch finds where at once when it starts (`ix_cases_unstood`). So it does
with rows that a process of the version before writes meanwhile.
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_COLUMNS = """
    ALTER TABLE dispatch.cases
      ADD COLUMN reply_at timestamp with time zone,
      ADD COLUMN twice_at timestamp with time zone,
      ADD COLUMN arrival text DEFAULT '' NOT NULL,
      ADD COLUMN queues text[] DEFAULT '{}' NOT NULL,
      ADD COLUMN late boolean DEFAULT false NOT NULL,
      ADD COLUMN turns_at timestamp with time zone,
      ADD COLUMN standing bigint DEFAULT 0 NOT NULL"""
_TABLES = (
    """CREATE TABLE dispatch.turned (
      id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
      xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
      case_id uuid NOT NULL,
      at timestamp with time zone DEFAULT directory.grid_now() NOT NULL,
      CONSTRAINT pk_turned PRIMARY KEY (id)
    )""",
    "CREATE INDEX ix_turned_xid ON dispatch.turned (xid)",
    "COMMENT ON TABLE dispatch.turned IS 'cases that changed lists by time alone'",
    # many come and go every second: the room of those taken away is used again soon
    """CREATE TABLE dispatch.queue_deltas (
      id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
      token text NOT NULL,
      queue text NOT NULL,
      open integer NOT NULL,
      overdue integer NOT NULL,
      came_at timestamp with time zone,
      left_at timestamp with time zone,
      CONSTRAINT pk_queue_deltas PRIMARY KEY (id)
    ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)""",
    "COMMENT ON TABLE dispatch.queue_deltas IS 'cases that came into a list and left it'",
    """CREATE TABLE dispatch.queue_counts (
      token text NOT NULL,
      queue text NOT NULL,
      open bigint NOT NULL,
      overdue bigint NOT NULL,
      oldest_at timestamp with time zone,
      left_at timestamp with time zone,
      CONSTRAINT pk_queue_counts PRIMARY KEY (token, queue)
    ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)""",
    "COMMENT ON TABLE dispatch.queue_counts IS 'what each list holds, but for what queue_deltas still has'",
)
_STAGE_DUE = "coalesce(stage_due_at, 'infinity'::timestamptz)"
_KEYS = {
    **dict.fromkeys(
        (
            *("branch_triage", "community_calls", "community_handling", "to_confirm", "to_dispatch", "to_sign"),
            *("to_respond", "in_handling", "to_verify", "visits", "to_close", "red", "due_soon", "no_rule"),
            *("grid_handling", "grid_open", "called_street", "whistles"),
        ),
        _STAGE_DUE,
    ),
    **dict.fromkeys(("disputes", "hard", "cross_border"), "opened_at"),
    "intake": "arrival",
    "overdue": "coalesce(twice_at, 'infinity'::timestamptz)",
    "approvals": "coalesce(due_at, 'infinity'::timestamptz)",
    "review_due": "coalesce(review_at, 'infinity'::timestamptz)",
    "supervise_open": "coalesce(reply_at, 'infinity'::timestamptz)",
}
_INDEXES = (
    *(
        f"CREATE INDEX ix_cases_in_{queue} ON dispatch.cases ({key}, id) WHERE queues @> '{{{queue}}}'::text[]"
        for queue, key in _KEYS.items()
    ),
    # with a short list of waiting entries: every reader has to read through it
    "CREATE INDEX ix_cases_live_standing ON dispatch.cases USING gin (audience, queues)"
    " WITH (gin_pending_list_limit = 256) WHERE live",
    "CREATE INDEX ix_cases_live_opened ON dispatch.cases (opened_at) WHERE live",
    "CREATE INDEX ix_cases_turns ON dispatch.cases (turns_at) WHERE turns_at IS NOT NULL",
    "CREATE INDEX ix_cases_unstood ON dispatch.cases (id)"
    " WHERE standing <> sequence AND (live OR queues <> '{}'::text[])",
    "DROP INDEX dispatch.ix_cases_live_state_due",
    "DROP INDEX dispatch.ix_cases_live_due",
    "DROP INDEX dispatch.ix_cases_live_flags",
    "DROP INDEX dispatch.ix_cases_live_audience",
)

# Whoever writes cases, one by one or a million at once, what changes in the lists is noted in the same statement.
_DIFFERENT = """
    INSERT INTO dispatch.queue_deltas (token, queue, open, overdue, came_at, left_at)
    SELECT d.token, d.queue, sum(d.n), sum(d.n * d.late), min(d.opened_at) FILTER (WHERE d.n > 0),
      min(d.opened_at) FILTER (WHERE d.n < 0)
    FROM (@sides) AS d
    GROUP BY d.token, d.queue
    HAVING sum(d.n) <> 0 OR sum(d.n * d.late) <> 0
      OR min(d.opened_at) FILTER (WHERE d.n > 0) IS DISTINCT FROM min(d.opened_at) FILTER (WHERE d.n < 0);"""
_PLACES = (
    "unnest(ARRAY['s:*', 's:' || @c.street, 'c:' || @c.community, 'g:' || @c.grid]) AS token,"
    " unnest(@c.queues) AS queue WHERE token IS NOT NULL"
)
_SIDE = "SELECT @n AS n, @c.late::int AS late, @c.opened_at, token, queue FROM @from, " + _PLACES  # noqa: S608 - our own words
_BOTH = (
    "before AS o JOIN after AS n ON n.id = o.id AND (n.queues, n.late, n.street, n.community, n.grid, n.opened_at)"
    " IS DISTINCT FROM (o.queues, o.late, o.street, o.community, o.grid, o.opened_at)"
)


def _counting(name: str, event: str, referencing: str, *sides: tuple[int, str, str]) -> tuple[str, str]:
    """A function and its trigger. A side is (+1 or -1, alias, where its rows come from)."""
    parts = (_SIDE.replace("@n", str(n)).replace("@c", alias).replace("@from", rows) for n, alias, rows in sides)
    body = _DIFFERENT.replace("@sides", " UNION ALL ".join(parts))
    return (
        f"CREATE FUNCTION dispatch.count_{name}() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog"
        f" AS $body$ BEGIN {body} RETURN NULL; END $body$",
        f"CREATE TRIGGER count_{name} AFTER {event} ON dispatch.cases REFERENCING {referencing}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION dispatch.count_{name}()",
    )


_COUNTING = (
    *_counting("opened", "INSERT", "NEW TABLE AS after", (1, "n", "after AS n")),
    *_counting("moved", "UPDATE", "OLD TABLE AS before NEW TABLE AS after", (1, "n", _BOTH), (-1, "o", _BOTH)),
    *_counting("removed", "DELETE", "OLD TABLE AS before", (-1, "o", "before AS o")),
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in (_COLUMNS, *_TABLES, *_INDEXES, *_COUNTING):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

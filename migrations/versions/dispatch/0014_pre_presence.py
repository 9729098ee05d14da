"""Who has a case open, what a request is for, and how a case was found; one grid's open cases in their order.

Revision: 0014, after 0013

Whoever did something with a case at the street's desk finds it under 我的, also one of before.
"""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# It tells of half a minute: what a crash of the database takes with it would be gone anyway.
_PRESENCE = (
    """CREATE UNLOGGED TABLE dispatch.presence (
      account text NOT NULL,
      seat text NOT NULL,
      case_id uuid NOT NULL,
      acting boolean NOT NULL,
      at timestamp with time zone NOT NULL,
      CONSTRAINT pk_presence PRIMARY KEY (account, seat)
    ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)""",
    "COMMENT ON TABLE dispatch.presence IS 'who has a case open just now, one window a row'",
)
_COLUMNS = (
    "ALTER TABLE dispatch.requests ADD COLUMN reason text",
    "ALTER TABLE dispatch.cases ADD COLUMN grade text",
)
_REASONS = """
    UPDATE dispatch.requests r SET reason = asked ->> 'reason'
    FROM dispatch.cases c, json_array_elements(c.body -> 'requests') asked
    WHERE c.id = r.case_id AND asked ->> 'request_id' = r.request_id AND asked ->> 'reason' IS NOT NULL"""
_OPEN_IN_GRID = (
    "CREATE INDEX ix_cases_open_in_grid ON dispatch.cases"
    " (grid, coalesce(stage_due_at, 'infinity'::timestamptz), id) WHERE queues @> '{grid_open}'::text[]"
)
_AT_THE_DESK = """
    UPDATE dispatch.cases c SET body = (c.body::jsonb || jsonb_build_object('desk', to_jsonb(worked.accounts)))::json
    FROM (
      SELECT case_id, array_agg(DISTINCT account ORDER BY account) AS accounts FROM dispatch.case_facts
      WHERE account IS NOT NULL AND role IN ('IC', 'DP', 'DC') GROUP BY case_id) worked
    WHERE c.id = worked.case_id"""
_WORKED = """
    UPDATE dispatch.cases c SET audience = (SELECT array_agg(DISTINCT token ORDER BY token) FROM (
      SELECT unnest(c.audience) AS token
      UNION ALL SELECT 'w:' || w FROM json_array_elements_text(c.body -> 'desk') w) every)
    WHERE json_array_length(c.body -> 'desk') > 0"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in (*_PRESENCE, *_COLUMNS, _REASONS, _OPEN_IN_GRID, _AT_THE_DESK, _WORKED):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

"""What a receiver wants to hear, how it is signed for, addresses that an administrator vouches for, dead letters.

Revision: 0005, after 0004
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ENDPOINTS = """
    ALTER TABLE escalation.webhook_endpoints
      ADD COLUMN streets text[] NOT NULL DEFAULT '{}',
      ADD COLUMN tiers text[] NOT NULL DEFAULT '{}',
      ADD COLUMN signing_key bytea,
      ADD COLUMN previous_signing_key bytea,
      ADD COLUMN public_key text,
      ADD COLUMN recent jsonb NOT NULL DEFAULT '[]',
      ADD COLUMN off_because text"""
_DELIVERIES = """
    ALTER TABLE escalation.webhook_deliveries
      ADD COLUMN failure text,
      ADD COLUMN died_at timestamp with time zone,
      ADD COLUMN note text"""
_KNOWN_DEAD = """
    UPDATE escalation.webhook_deliveries SET died_at = created_at, failure = CASE
      WHEN last_status BETWEEN 300 AND 399 THEN 'redirected' WHEN last_status = 429 THEN 'throttled'
      WHEN last_status BETWEEN 400 AND 499 THEN 'refused' WHEN last_status >= 500 THEN 'receiver_error'
      WHEN last_error = 'timeout' THEN 'timeout' WHEN last_error = 'refused_address' THEN 'address'
      WHEN last_error = 'secret_unreadable' THEN 'secret' ELSE 'unreachable' END
    WHERE state = 'dead'"""
_INDEXES = (
    "CREATE INDEX ix_webhook_deliveries_ready ON escalation.webhook_deliveries (endpoint_id, next_at, id)"
    " WHERE state = 'waiting'",
    "CREATE INDEX ix_webhook_deliveries_unfinished ON escalation.webhook_deliveries (endpoint_id, case_id, seq)"
    " WHERE state IN ('waiting', 'sending')",
    "CREATE INDEX ix_webhook_deliveries_dead ON escalation.webhook_deliveries (endpoint_id, died_at)"
    " WHERE state = 'dead'",
)
_ALLOWED = """
    CREATE TABLE escalation.webhook_allowed (
      id uuid NOT NULL,
      scheme text NOT NULL,
      host text NOT NULL,
      port integer NOT NULL,
      reason text NOT NULL,
      added_by text NOT NULL,
      added_at timestamp with time zone DEFAULT directory.grid_now() NOT NULL,
      removed_by text,
      removed_at timestamp with time zone,
      CONSTRAINT pk_webhook_allowed PRIMARY KEY (id),
      CONSTRAINT ck_webhook_allowed_scheme CHECK (scheme IN ('http', 'https')),
      CONSTRAINT ck_webhook_allowed_port CHECK (port BETWEEN 1 AND 65535)
    )"""
_ALLOWED_ONCE = (
    "CREATE UNIQUE INDEX uq_webhook_allowed_target ON escalation.webhook_allowed (scheme, host, port)"
    " WHERE removed_at IS NULL"
)
_COMMENTS = {
    "webhook_endpoints.streets": "cases of these alone; empty: of every street",
    "webhook_endpoints.tiers": "cases at these alone; empty: at every tier",
    "webhook_endpoints.signing_key": "encrypted ed25519 key; its public half is public_key",
    "webhook_endpoints.previous_signing_key": "encrypted; signs beside the new one until previous_until",
    "webhook_endpoints.recent": "attempts of the last minute, counted in slices: [second, tried, failed]",
    "webhook_endpoints.off_because": "gone: the receiver answered 410",
    "webhook_deliveries.failure": "class of the last failure",
    "webhook_deliveries.note": "why a dead letter was set aside",
    "webhook_attempts.address": "that was connected to",
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(_ENDPOINTS)
    op.execute(_DELIVERIES)
    op.execute(_KNOWN_DEAD)
    op.execute("ALTER TABLE escalation.webhook_attempts ADD COLUMN address text")
    for statement in (*_INDEXES, _ALLOWED, _ALLOWED_ONCE):
        op.execute(statement)
    for column, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN escalation.{column} IS '{comment}'")


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

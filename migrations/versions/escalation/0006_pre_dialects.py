"""How each receiver is spoken to, which partner it answers, and call-backs that a person has to look at.

Revision: 0006, after 0005
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ENDPOINTS = """
    ALTER TABLE escalation.webhook_endpoints
      ADD COLUMN dialect text NOT NULL DEFAULT 'cloudevents',
      ADD COLUMN auth text NOT NULL DEFAULT 'standard_webhooks',
      ADD COLUMN app_key text NOT NULL DEFAULT '',
      ADD COLUMN crs text NOT NULL DEFAULT 'wgs84',
      ADD COLUMN partner text"""
_RECEIPTS = """
    ALTER TABLE escalation.platform_receipts
      ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid(),
      ADD COLUMN endpoint_id uuid,
      ADD COLUMN case_no text,
      ADD COLUMN mapped_as text,
      ADD COLUMN mapped_by text,
      ADD COLUMN mapped_at timestamp with time zone,
      ADD COLUMN aside_by text,
      ADD COLUMN aside_at timestamp with time zone,
      ADD COLUMN aside_reason text,
      ADD CONSTRAINT uq_platform_receipts_id UNIQUE (id),
      DROP CONSTRAINT ck_platform_receipts_state,
      ADD CONSTRAINT ck_platform_receipts_state CHECK (state IN ('passed_on', 'unknown', 'noted'))"""
_OPEN = """
    CREATE INDEX ix_platform_receipts_open ON escalation.platform_receipts (at, id)
      WHERE aside_at IS NULL AND (state = 'unknown' OR answer = 'refused' AND code IS DISTINCT FROM 'no_change')"""
_COMMENTS = {
    "webhook_endpoints.partner": "hears only of cases that this partner knows",
    "webhook_deliveries.pictures": "names in the picture store that links are made to",
    "platform_receipts.endpoint_id": "whose platform called; none: the one with the common secret",
    "platform_receipts.mapped_as": "what a person took it for",
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(_ENDPOINTS)
    op.execute("ALTER TABLE escalation.webhook_deliveries ADD COLUMN pictures jsonb NOT NULL DEFAULT '[]'")
    op.execute(_RECEIPTS)
    op.execute(_OPEN)
    op.execute("CREATE INDEX ix_platform_receipts_newest ON escalation.platform_receipts (at, id)")
    op.execute("CREATE INDEX ix_case_numbers_number ON escalation.case_numbers (number)")
    for column, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN escalation.{column} IS '{comment}'")


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

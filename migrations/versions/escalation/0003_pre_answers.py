"""What dispatch answered to the platform's call-backs.

Revision: 0003, after 0002
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        "ALTER TABLE escalation.platform_receipts"
        " ADD COLUMN answer TEXT CONSTRAINT ck_platform_receipts_answer CHECK (answer IN ('done', 'refused')),"
        " ADD COLUMN code TEXT, ADD COLUMN answered_at TIMESTAMP WITH TIME ZONE"
    )
    op.execute("COMMENT ON COLUMN escalation.platform_receipts.code IS 'why it was refused'")


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

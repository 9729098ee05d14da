"""Whose turn it is at a receiver: the first message of each case lies before the later ones, so that a long queue is
not looked through for those that may go.

Revision: 0009, after 0008
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        "CREATE INDEX ix_webhook_deliveries_turn ON escalation.webhook_deliveries (endpoint_id, seq, next_at)"
        " WHERE state = 'waiting'"
    )
    op.execute("DROP INDEX escalation.ix_webhook_deliveries_ready")  # of 0005, which no released version reads


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

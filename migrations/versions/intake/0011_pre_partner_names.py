"""The names of the partners, for who sends their cases back to them: nothing else of a partner.

Revision: 0011, after 0010
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("CREATE VIEW intake.partner_names AS SELECT name FROM intake.partners WHERE removed_at IS NULL")
    op.execute("COMMENT ON VIEW intake.partner_names IS 'read by escalation, whose endpoints may stand for a partner'")


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

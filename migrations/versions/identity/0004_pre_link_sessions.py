"""Who signed in by a link holds a phone that may rest unused for days.

Revision: 0004, after 0003
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE identity.sessions ADD COLUMN by_link boolean NOT NULL DEFAULT false")
    op.execute("COMMENT ON COLUMN identity.sessions.by_link IS 'a phone: may rest unused'")


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

"""Staff have a work number, which stands on their photos in place of a name.

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
    op.execute("ALTER TABLE identity.accounts ADD COLUMN work_no text")
    op.execute("COMMENT ON COLUMN identity.accounts.work_no IS 'stands on photos in place of a name; null: a resident'")


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

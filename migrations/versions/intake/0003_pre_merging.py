"""A case that was merged names its master, under which its reporters follow what goes on.

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
    op.execute("ALTER TABLE intake.case_views ADD COLUMN master text")
    op.execute("COMMENT ON COLUMN intake.case_views.master IS 'id of the case that it was merged into'")


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

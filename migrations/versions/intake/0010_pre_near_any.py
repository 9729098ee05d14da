"""What lies near is found quickly for a report without a category too.

Revision: 0010, after 0009
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        "CREATE INDEX case_views_near_any ON intake.case_views (lat, lng)"
        " WHERE closed_at IS NULL AND lat IS NOT NULL AND NOT history"
    )


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

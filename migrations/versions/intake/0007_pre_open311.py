"""Indexes for lists of requests: the newest of a street, and what has moved since.

Revision: 0007, after 0006
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "CREATE INDEX reports_newest ON intake.reports (street, submitted_at, receipt_no)",
    "CREATE INDEX case_views_changed ON intake.case_views (changed_at)",
    "CREATE INDEX case_views_master ON intake.case_views (master) WHERE master IS NOT NULL",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

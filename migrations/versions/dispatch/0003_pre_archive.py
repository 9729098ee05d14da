"""Closed cases are found by how long ago they ended.

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
        "CREATE INDEX ix_cases_closed ON dispatch.cases (rulebook, closed_at) WHERE state = 'closed' AND NOT history"
    )


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

"""A request says whose word it waits for, so that everybody finds what he has to decide.

Revision: 0008, after 0007
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# Those that wait already, by what was asked for.
_WAITING = """
UPDATE dispatch.requests SET deciders = CASE kind
    WHEN 'whistle' THEN '{SL}' WHEN 'extend_request' THEN '{DP,DC}' WHEN 'suspend_request' THEN '{DC,SL}'
    WHEN 'void' THEN '{DC}' WHEN 'appeal_overdue' THEN '{DP,IC}' ELSE '{}' END::text[]
WHERE status = 'pending'
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE dispatch.requests ADD COLUMN deciders text[] DEFAULT '{}' NOT NULL")
    op.execute(_WAITING)


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

"""Weeks of outbox and inbox are made and dropped one by one, by the service's housekeeping.

Revision: 0002, after 0001
"""

from __future__ import annotations

from alembic import op

from services.chassis.housekeeping.ddl import weeks_v1

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in weeks_v1("dispatch"):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

"""Who did what, in rows that nobody changes: the audit log with its chain of hashes.

Revision: 0002, after 0001
"""

from __future__ import annotations

from alembic import op

from services.chassis.audit.ddl import audit_v1

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in audit_v1():
        op.execute(statement)

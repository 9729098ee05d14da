"""Beside facts lies what the rules were asked, so that they can be asked again under another rulebook.

Revision: 0005, after 0004
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE dispatch.case_facts ADD COLUMN asked json")


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

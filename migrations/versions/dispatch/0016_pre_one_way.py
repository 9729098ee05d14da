"""A branch's open cases are found by who may see them, as every other list is: the index by grid is read by nobody.

Revision: 0016, after 0015
"""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP INDEX dispatch.ix_cases_open_in_grid")  # of 0014, which no released version reads


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

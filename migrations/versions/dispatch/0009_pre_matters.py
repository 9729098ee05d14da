"""Numbers by which other systems know a matter lead to the report that brought them.

Revision: 0009, after 0008
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_MATTERS = """
    CREATE TABLE dispatch.matters (
      system text NOT NULL,
      number text NOT NULL,
      report_id uuid NOT NULL,
      CONSTRAINT pk_matters PRIMARY KEY (system, number)
    )"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(_MATTERS)
    op.execute("COMMENT ON COLUMN dispatch.matters.report_id IS 'that brought it; its case is the matter''s'")


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

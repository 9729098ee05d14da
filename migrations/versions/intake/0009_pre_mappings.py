"""Mappings of imported files are kept under a name.

Revision: 0009, after 0008
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_MAPPINGS = """
    CREATE TABLE intake.import_mappings (
      name text NOT NULL,
      body text NOT NULL,
      saved_at timestamptz DEFAULT directory.grid_now() NOT NULL,
      CONSTRAINT pk_import_mappings PRIMARY KEY (name)
    )"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(_MAPPINGS)
    op.execute("COMMENT ON COLUMN intake.import_mappings.body IS 'the mapping file as it was written'")


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

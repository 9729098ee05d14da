"""People keep lists under a name.

Revision: 0012, after 0011
"""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_VIEWS = """
    CREATE TABLE dispatch.views (
      account text NOT NULL,
      id text NOT NULL,
      name text NOT NULL,
      address text NOT NULL,
      at timestamp with time zone DEFAULT directory.grid_now() NOT NULL,
      CONSTRAINT pk_views PRIMARY KEY (account, id)
    )"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(_VIEWS)
    op.execute("COMMENT ON TABLE dispatch.views IS 'lists that people keep under a name'")


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

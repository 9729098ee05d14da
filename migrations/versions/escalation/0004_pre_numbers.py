"""Numbers by which other systems know a case, so that they find their own matter in what they are sent.

Revision: 0004, after 0003
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NUMBERS = """
    CREATE TABLE escalation.case_numbers (
      case_id text NOT NULL,
      system text NOT NULL,
      number text NOT NULL,
      sequence bigint NOT NULL,
      CONSTRAINT pk_case_numbers PRIMARY KEY (case_id, system, number)
    )"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(_NUMBERS)
    op.execute("COMMENT ON COLUMN escalation.case_numbers.sequence IS 'of the fact that brought it'")


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

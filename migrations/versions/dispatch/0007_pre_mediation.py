"""What is said in mediation is kept apart from facts and notes, so that it goes nowhere they go.

Revision: 0007, after 0006
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NOTES = """
    CREATE TABLE dispatch.mediation_notes (
      id uuid NOT NULL,
      case_id uuid NOT NULL,
      account text NOT NULL,
      at timestamptz NOT NULL,
      note text NOT NULL,
      CONSTRAINT pk_mediation_notes PRIMARY KEY (id),
      CONSTRAINT fk_mediation_notes_case_id_cases FOREIGN KEY (case_id) REFERENCES dispatch.cases (id)
    )"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(_NOTES)
    op.execute("CREATE INDEX ix_mediation_notes_case ON dispatch.mediation_notes (case_id, at)")


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

"""The clocks of every case that is no history, for who compares the timers with them: nothing else of the case.

Revision: 0015, after 0014
"""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_VIEW = """
    CREATE VIEW dispatch.case_clocks AS
    SELECT id, case_no, sequence, live, CASE WHEN live THEN body -> 'clocks' ELSE '[]'::json END AS clocks
    FROM dispatch.cases WHERE NOT history"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(_VIEW)
    op.execute(
        "COMMENT ON VIEW dispatch.case_clocks IS 'read by escalation, which sees to it that every clock has its timer'"
    )


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

"""A changed calendar: the jobs that count due times anew, and the column that tells which cases they concern.

`last_work_due` stays NULL until a case is written again; NULL counts as "perhaps". `over_ratio` is 超时倍数.

Revision: 0006, after 0005
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_JOBS = """
    CREATE TABLE dispatch.recomputes (
      id bigint GENERATED ALWAYS AS IDENTITY,
      reason text NOT NULL,
      before jsonb NOT NULL,
      since timestamptz NOT NULL,
      asked_by text NOT NULL,
      asked_at timestamptz NOT NULL DEFAULT directory.grid_now(),
      total bigint NOT NULL,
      looked bigint NOT NULL DEFAULT 0,
      changed bigint NOT NULL DEFAULT 0,
      cursor_due timestamptz,
      cursor_id uuid,
      ended_at timestamptz,
      CONSTRAINT pk_recomputes PRIMARY KEY (id)
    )"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE dispatch.cases ADD COLUMN last_work_due timestamptz, ADD COLUMN over_ratio numeric(10, 2)")
    op.execute(
        "CREATE INDEX ix_cases_live_work_due ON dispatch.cases"
        " ((coalesce(last_work_due, 'infinity'::timestamptz)), id) WHERE live"
    )
    op.execute(_JOBS)


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

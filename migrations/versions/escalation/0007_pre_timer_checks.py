"""What the timers were compared with, and what had to be mended; timers are looked for by their case.

Revision: 0007, after 0006
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """CREATE TABLE escalation.timer_checks (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        asked_at TIMESTAMP WITH TIME ZONE DEFAULT directory.grid_now() NOT NULL,
        asked_by TEXT,
        started_at TIMESTAMP WITH TIME ZONE,
        ended_at TIMESTAMP WITH TIME ZONE,
        cases INTEGER DEFAULT '0' NOT NULL,
        unheard INTEGER DEFAULT '0' NOT NULL,
        armed INTEGER DEFAULT '0' NOT NULL,
        missing INTEGER DEFAULT '0' NOT NULL,
        surplus INTEGER DEFAULT '0' NOT NULL,
        moved INTEGER DEFAULT '0' NOT NULL,
        overdue INTEGER DEFAULT '0' NOT NULL,
        stepless INTEGER DEFAULT '0' NOT NULL,
        stepless_cases TEXT[] DEFAULT '{}' NOT NULL,
        CONSTRAINT pk_timer_checks PRIMARY KEY (id)
    )""",
    "CREATE INDEX ix_timer_checks_waiting ON escalation.timer_checks (id) WHERE started_at IS NULL",
    """CREATE TABLE escalation.timer_repairs (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        check_id BIGINT NOT NULL,
        at TIMESTAMP WITH TIME ZONE DEFAULT directory.grid_now() NOT NULL,
        what TEXT NOT NULL,
        case_id TEXT NOT NULL,
        clock_id TEXT NOT NULL,
        rev INTEGER NOT NULL,
        rung SMALLINT NOT NULL,
        due_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_timer_repairs PRIMARY KEY (id),
        CONSTRAINT fk_timer_repairs_check_id_timer_checks
        FOREIGN KEY(check_id) REFERENCES escalation.timer_checks (id),
        CONSTRAINT ck_timer_repairs_what
        CHECK (what IN ('missing', 'surplus', 'moved'))
    )""",
    "CREATE INDEX ix_timer_repairs_check_id ON escalation.timer_repairs (check_id)",
    "CREATE INDEX ix_sla_timers_armed_case ON escalation.sla_timers (case_id, due_at) WHERE state = 'armed'",
    # who still looks by clock finds it by uq_sla_timers_rung
    "DROP INDEX escalation.ix_sla_timers_armed_clock",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _STATEMENTS:
        op.execute(statement)
    op.execute("COMMENT ON COLUMN escalation.timer_checks.unheard IS 'cases whose last fact is still on its way'")


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

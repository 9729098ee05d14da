"""What people are told, by which ways, and what was sent.

Revision: 0008, after 0007
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """CREATE TABLE escalation.notice_choices (
        account_id TEXT NOT NULL,
        addresses BYTEA NOT NULL,
        "off" TEXT[] DEFAULT '{}' NOT NULL,
        changed_at TIMESTAMP WITH TIME ZONE DEFAULT directory.grid_now() NOT NULL,
        CONSTRAINT pk_notice_choices PRIMARY KEY (account_id)
    )""",
    "COMMENT ON COLUMN escalation.notice_choices.addresses IS 'encrypted'",
    "COMMENT ON COLUMN escalation.notice_choices.\"off\" IS 'ways that are not wanted'",
    """CREATE TABLE escalation.notice_messages (
        id UUID NOT NULL,
        outlet TEXT NOT NULL,
        account_id TEXT,
        size INTEGER NOT NULL,
        state TEXT NOT NULL,
        attempts INTEGER DEFAULT '0' NOT NULL,
        round INTEGER DEFAULT '0' NOT NULL,
        next_at TIMESTAMP WITH TIME ZONE,
        lease_until TIMESTAMP WITH TIME ZONE,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT directory.grid_now() NOT NULL,
        sent_at TIMESTAMP WITH TIME ZONE,
        last_status INTEGER,
        last_error TEXT,
        CONSTRAINT pk_notice_messages PRIMARY KEY (id),
        CONSTRAINT ck_notice_messages_state CHECK (state IN ('waiting', 'sending', 'sent', 'dead'))
    )""",
    "CREATE INDEX ix_notice_messages_lease ON escalation.notice_messages (lease_until) WHERE state = 'sending'",
    "CREATE INDEX ix_notice_messages_newest ON escalation.notice_messages (created_at, id)",
    "CREATE INDEX ix_notice_messages_next ON escalation.notice_messages (next_at) WHERE state = 'waiting'",
    "COMMENT ON COLUMN escalation.notice_messages.outlet IS 'email, sms, or a robot''s id'",
    "COMMENT ON COLUMN escalation.notice_messages.account_id IS 'to whom; none: to the robot''s group'",
    "COMMENT ON COLUMN escalation.notice_messages.size IS 'notices in it'",
    "COMMENT ON COLUMN escalation.notice_messages.round IS 'attempts since it was last set going'",
    """CREATE TABLE escalation.notice_outlets (
        id UUID NOT NULL,
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        area TEXT DEFAULT '' NOT NULL,
        unit TEXT,
        url BYTEA NOT NULL,
        url_hint TEXT NOT NULL,
        secret BYTEA,
        per_minute INTEGER NOT NULL,
        active BOOLEAN DEFAULT true NOT NULL,
        created_by TEXT NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT directory.grid_now() NOT NULL,
        last_success_at TIMESTAMP WITH TIME ZONE,
        last_error TEXT,
        removed_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_notice_outlets PRIMARY KEY (id),
        CONSTRAINT ck_notice_outlets_kind CHECK (kind IN ('wecom', 'dingtalk'))
    )""",
    "COMMENT ON COLUMN escalation.notice_outlets.area IS 'people of this area; '''' the street''s own posts'",
    "COMMENT ON COLUMN escalation.notice_outlets.unit IS 'people of this unit instead'",
    "COMMENT ON COLUMN escalation.notice_outlets.url IS 'encrypted: its key is a secret'",
    "COMMENT ON COLUMN escalation.notice_outlets.secret IS 'encrypted; signs where the robot asks for it'",
    """CREATE TABLE escalation.notices (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        fact_id UUID NOT NULL,
        account_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        case_id TEXT,
        case_no TEXT,
        post TEXT NOT NULL,
        instead_of TEXT,
        urgent BOOLEAN NOT NULL,
        detail JSONB NOT NULL,
        planned_at TIMESTAMP WITH TIME ZONE,
        at TIMESTAMP WITH TIME ZONE DEFAULT directory.grid_now() NOT NULL,
        read_at TIMESTAMP WITH TIME ZONE,
        merged_into BIGINT,
        gathering BOOLEAN DEFAULT false NOT NULL,
        considered_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_notices PRIMARY KEY (id),
        CONSTRAINT uq_notices_fact UNIQUE (fact_id, account_id),
        CONSTRAINT fk_notices_merged_into FOREIGN KEY(merged_into) REFERENCES escalation.notices (id) ON DELETE CASCADE
    )""",
    "CREATE INDEX ix_notices_at ON escalation.notices (at)",
    "CREATE INDEX ix_notices_case ON escalation.notices (case_id)",
    "CREATE INDEX ix_notices_merged ON escalation.notices (merged_into, id) WHERE merged_into IS NOT NULL",
    "CREATE INDEX ix_notices_mine ON escalation.notices (account_id, id) WHERE merged_into IS NULL",
    "CREATE INDEX ix_notices_to_consider ON escalation.notices (id)"
    " WHERE considered_at IS NULL AND merged_into IS NULL",
    "CREATE INDEX ix_notices_unread ON escalation.notices (account_id) WHERE merged_into IS NULL AND read_at IS NULL",
    "CREATE UNIQUE INDEX uq_notices_gathering ON escalation.notices (account_id) WHERE gathering",
    "COMMENT ON COLUMN escalation.notices.post IS 'who had to look'",
    "COMMENT ON COLUMN escalation.notices.instead_of IS 'the post that nobody held'",
    "COMMENT ON COLUMN escalation.notices.detail IS 'codes, names of places and classes; nothing of a person'",
    "COMMENT ON COLUMN escalation.notices.planned_at IS 'when it was due by its clock'",
    "COMMENT ON COLUMN escalation.notices.considered_at IS 'when ways to push it were chosen'",
    """CREATE TABLE escalation.notice_attempts (
        message_id UUID NOT NULL,
        n INTEGER NOT NULL,
        outlet TEXT NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        status INTEGER,
        latency_ms INTEGER NOT NULL,
        error TEXT,
        reply TEXT,
        CONSTRAINT pk_notice_attempts PRIMARY KEY (message_id, n),
        CONSTRAINT fk_notice_attempts_message_id FOREIGN KEY(message_id)
            REFERENCES escalation.notice_messages (id) ON DELETE CASCADE
    )""",
    "CREATE INDEX ix_notice_attempts_pace ON escalation.notice_attempts (outlet, at)",
    """CREATE TABLE escalation.notice_pushes (
        notice_id BIGINT NOT NULL,
        outlet TEXT NOT NULL,
        account_id TEXT NOT NULL,
        digest BOOLEAN NOT NULL,
        due_at TIMESTAMP WITH TIME ZONE NOT NULL,
        message_id UUID,
        dropped_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_notice_pushes PRIMARY KEY (notice_id, outlet),
        CONSTRAINT fk_notice_pushes_notice_id FOREIGN KEY(notice_id)
            REFERENCES escalation.notices (id) ON DELETE CASCADE,
        CONSTRAINT fk_notice_pushes_message_id FOREIGN KEY(message_id) REFERENCES escalation.notice_messages (id)
    )""",
    "CREATE INDEX ix_notice_pushes_due ON escalation.notice_pushes (due_at)"
    " WHERE message_id IS NULL AND dropped_at IS NULL",
    "CREATE INDEX ix_notice_pushes_message ON escalation.notice_pushes (message_id)",
    "CREATE INDEX ix_notice_pushes_person ON escalation.notice_pushes (account_id, due_at)",
    "COMMENT ON COLUMN escalation.notice_pushes.digest IS 'goes with others in one message'",
    "COMMENT ON COLUMN escalation.notice_pushes.dropped_at IS 'had been read before it was due'",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

"""Other authorities hand matters over, each under a secret of its own.

Revision: 0008, after 0007
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """CREATE TABLE intake.partners (
        name text NOT NULL,
        source text NOT NULL,
        scheme text NOT NULL,
        edition text NOT NULL,
        secret bytea NOT NULL,
        previous_secret bytea,
        previous_until timestamptz,
        added_at timestamptz DEFAULT directory.grid_now() NOT NULL,
        removed_at timestamptz,
        CONSTRAINT pk_partners PRIMARY KEY (name)
    )""",
    "COMMENT ON COLUMN intake.partners.name IS 'stands in the address, and before each of its numbers'",
    "COMMENT ON COLUMN intake.partners.source IS 'of the rulebook; what its reports count as'",
    "COMMENT ON COLUMN intake.partners.scheme IS 'of its category codes where it names none'",
    "COMMENT ON COLUMN intake.partners.secret IS 'encrypted'",
    "COMMENT ON COLUMN intake.partners.previous_secret IS 'encrypted; good until previous_until'",
    """CREATE TABLE intake.pushes (
        partner text NOT NULL,
        webhook_id text NOT NULL,
        body_sha256 bytea NOT NULL,
        answer text,
        at timestamptz DEFAULT directory.grid_now() NOT NULL,
        CONSTRAINT pk_pushes PRIMARY KEY (partner, webhook_id)
    )""",
    "COMMENT ON TABLE intake.pushes IS 'one answer for ever to each message of a partner'",
    "COMMENT ON COLUMN intake.pushes.answer IS 'null only inside the transaction that works'",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

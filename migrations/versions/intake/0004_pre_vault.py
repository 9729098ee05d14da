"""Raw words are sealed, and who reports has a table of its own.

Revision: 0004, after 0003
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "ALTER TABLE intake.vault ADD COLUMN sealed bytea",
    "ALTER TABLE intake.vault ADD COLUMN erased_at timestamptz",
    "COMMENT ON COLUMN intake.vault.sealed IS 'the three, encrypted; they are empty then'",
    """CREATE TABLE intake.identities (
        report_id uuid NOT NULL,
        sealed bytea NOT NULL,
        given_at timestamptz NOT NULL,
        CONSTRAINT pk_identities PRIMARY KEY (report_id)
    )""",
    "COMMENT ON TABLE intake.identities IS 'who reported, as he said himself'",
    "COMMENT ON COLUMN intake.identities.sealed IS 'name, phone, mail and wish, encrypted'",
    "CREATE INDEX identities_given ON intake.identities (given_at)",
    """CREATE TABLE intake.reveals (
        reveal_id uuid NOT NULL,
        report_id uuid NOT NULL,
        account text NOT NULL,
        role text NOT NULL,
        reason text NOT NULL,
        at timestamptz NOT NULL,
        CONSTRAINT pk_reveals PRIMARY KEY (reveal_id)
    )""",
    "COMMENT ON TABLE intake.reveals IS 'append-only: who was shown an identity, and why'",
    "CREATE INDEX reveals_report ON intake.reveals (report_id, at)",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

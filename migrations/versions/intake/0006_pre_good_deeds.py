"""Notes of good deeds (讲): no case, no clock, no figure. Their raw words lie in the vault under the note's id.

Revision: 0006, after 0005
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """CREATE TABLE intake.good_deeds (
        note_id uuid NOT NULL,
        account text NOT NULL,
        key text NOT NULL,
        body_sha256 bytea NOT NULL,
        grid text,
        masked_text text NOT NULL,
        masked_place text NOT NULL,
        seen_at timestamptz NOT NULL,
        told_at timestamptz NOT NULL,
        CONSTRAINT pk_good_deeds PRIMARY KEY (note_id),
        CONSTRAINT good_deeds_account_key UNIQUE (account, key)
    )""",
    "COMMENT ON TABLE intake.good_deeds IS 'notes of good deeds: no case, no clock, no figure'",
    "COMMENT ON COLUMN intake.good_deeds.account IS 'who told it; leaves the service in no event'",
    "COMMENT ON COLUMN intake.good_deeds.key IS 'Idempotency-Key; belongs to the account'",
    "COMMENT ON COLUMN intake.good_deeds.grid IS 'whose branch secretary reads it'",
    "CREATE INDEX good_deeds_mine ON intake.good_deeds (account, told_at, note_id)",
    "CREATE INDEX good_deeds_grid ON intake.good_deeds (grid, told_at, note_id)",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

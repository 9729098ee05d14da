"""A post can be lent for a while (值班): who granted it, and the id it is taken back by.

Revision: 0002, after 0001
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """ALTER TABLE directory.posts
            ADD COLUMN grant_id text,
            ADD COLUMN granted_by text,
            ADD CONSTRAINT uq_posts_grant_id UNIQUE (grant_id),
            ADD CONSTRAINT ck_posts_lent CHECK (
                (grant_id IS NULL) = (granted_by IS NULL) AND (grant_id IS NULL OR until IS NOT NULL))"""
    )
    op.execute("COMMENT ON COLUMN directory.posts.granted_by IS 'account that lent it; null: not lent'")


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

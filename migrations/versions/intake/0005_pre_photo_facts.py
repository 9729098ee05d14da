"""What a photo tells of itself: when and where it was taken, what it looks like, and the digest of the clean copy.

Revision: 0005, after 0004
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """ALTER TABLE intake.photos
        ADD COLUMN taken_at timestamptz,
        ADD COLUMN fix_lng double precision,
        ADD COLUMN fix_lat double precision,
        ADD COLUMN clean_sha256 text,
        ADD COLUMN look bigint,
        ADD COLUMN bands integer[]""",
    "COMMENT ON COLUMN intake.photos.taken_at IS 'as the camera wrote it'",
    "COMMENT ON COLUMN intake.photos.fix_lng IS 'WGS-84, as the camera wrote it; stays here'",
    "COMMENT ON COLUMN intake.photos.fix_lat IS 'WGS-84, as the camera wrote it; stays here'",
    "COMMENT ON COLUMN intake.photos.clean_sha256 IS 'of the picture that is shown'",
    "COMMENT ON COLUMN intake.photos.look IS 'difference hash; null: flat, or older than this column'",
    "COMMENT ON COLUMN intake.photos.bands IS 'the hash in four pieces, to find what differs little'",
    "CREATE INDEX photos_bands ON intake.photos USING gin (bands)",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

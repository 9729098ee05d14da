"""Whoever took a case in or filed it finds it under 我的, also cases of before.

Revision: 0013, after 0012
"""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_WORKED = """
    UPDATE dispatch.cases c SET audience = (
      SELECT array_agg(DISTINCT token ORDER BY token) FROM (
        SELECT unnest(c.audience) AS token
        UNION ALL SELECT 'w:' || w FROM json_array_elements_text(c.body -> 'clerks') w) every)
    WHERE NOT c.history AND json_array_length(c.body -> 'clerks') > 0"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(_WORKED)

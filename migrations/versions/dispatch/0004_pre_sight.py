"""Whoever handled a case keeps seeing it, also those handled before; facts are not emptied at one stroke either.

Revision: 0004, after 0003
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_INVOLVED = """
    UPDATE dispatch.cases c SET audience = (
      SELECT array_agg(DISTINCT token ORDER BY token) FROM (
        SELECT unnest(c.audience) AS token
        UNION ALL SELECT 'p:' || h FROM json_array_elements_text(c.body -> 'handlers') h
        UNION ALL SELECT 'p:' || (t ->> 'person') FROM json_array_elements(c.body -> 'tasks') t
        WHERE t ->> 'person' IS NOT NULL AND t ->> 'state' NOT IN ('dropped', 'declined')) every)
    WHERE NOT c.history
      AND (json_array_length(c.body -> 'handlers') > 0 OR json_array_length(c.body -> 'tasks') > 0)"""

_NOT_AT_ONE_STROKE = """
    CREATE TRIGGER not_at_one_stroke BEFORE TRUNCATE ON dispatch.case_facts
    FOR EACH STATEMENT EXECUTE FUNCTION dispatch.refuse_change()"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(_NOT_AT_ONE_STROKE)
    op.execute(_INVOLVED)

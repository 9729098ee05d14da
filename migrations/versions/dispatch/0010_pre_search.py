"""Cases are found by any two neighbouring characters of what is said of them.

Revision: 0010, after 0009
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ROWS = """
    CREATE TABLE dispatch.search_rows (
      case_id uuid NOT NULL,
      opened_at timestamp with time zone NOT NULL,
      words text NOT NULL,
      open_words text,
      keys bigint[] NOT NULL,
      CONSTRAINT pk_search_rows PRIMARY KEY (case_id),
      CONSTRAINT fk_search_rows_case_id FOREIGN KEY (case_id) REFERENCES dispatch.cases (id)
    )"""
_TODO = """
    CREATE TABLE dispatch.search_todo (
      id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
      case_id uuid NOT NULL,
      CONSTRAINT pk_search_todo PRIMARY KEY (id)
    )"""
# Without a list of waiting entries: every search would have to read through it.
_KEYS = "CREATE INDEX ix_search_rows_keys ON dispatch.search_rows USING gin (keys) WITH (fastupdate = off)"
_RECEIPT = "CREATE INDEX ix_case_reports_receipt_no ON dispatch.case_reports (receipt_no)"
_ALL = "INSERT INTO dispatch.search_todo (case_id) SELECT id FROM dispatch.cases ORDER BY opened_at DESC"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in (_ROWS, _TODO, _KEYS, _RECEIPT, _ALL):
        op.execute(statement)
    op.execute("COMMENT ON TABLE dispatch.search_rows IS 'by what cases are found; made of the other tables'")
    op.execute("COMMENT ON TABLE dispatch.search_todo IS 'cases whose search row is to be made anew, oldest first'")


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

"""Cells have versions with a first day, so that grids can be redrawn and a case keeps the cell of its day.

Revision: 0003, after 0002
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """CREATE TABLE directory.cell_versions (
        code text NOT NULL,
        since date NOT NULL,
        until date,
        name text NOT NULL,
        grid text NOT NULL,
        geometry jsonb NOT NULL,
        loaded boolean DEFAULT false NOT NULL,
        CONSTRAINT pk_cell_versions PRIMARY KEY (code, since),
        CONSTRAINT fk_cell_versions_code FOREIGN KEY (code) REFERENCES directory.cells (code),
        CONSTRAINT fk_cell_versions_grid FOREIGN KEY (grid) REFERENCES directory.grids (code),
        CONSTRAINT ck_cell_versions_days CHECK (until IS NULL OR until >= since)
    )""",
    "COMMENT ON COLUMN directory.cell_versions.since IS 'first day, Asia/Shanghai'",
    "COMMENT ON COLUMN directory.cell_versions.until IS"
    " 'first day on which it no longer holds; its own first: it never did'",
    "COMMENT ON COLUMN directory.cell_versions.geometry IS 'GeoJSON polygon, WGS-84'",
    "COMMENT ON COLUMN directory.cell_versions.loaded IS 'by its own file, not the street''s folder'",
    "COMMENT ON TABLE directory.cells IS"
    " 'every code there ever was, as last loaded; what holds when is in cell_versions'",
    # the cells of a street that is there already count from ever on
    "INSERT INTO directory.cell_versions (code, since, name, grid, geometry)"
    " SELECT code, '0001-01-01', name, grid, geometry FROM directory.cells",
    "ALTER TABLE directory.directory_rev ADD COLUMN cells bigint DEFAULT 0 NOT NULL",
    "COMMENT ON COLUMN directory.directory_rev.cells IS 'the revision that last changed cells'",
    "ALTER TABLE directory.places ADD COLUMN loaded boolean DEFAULT false NOT NULL",
    "COMMENT ON COLUMN directory.places.loaded IS 'by its own file, not the street''s folder'",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

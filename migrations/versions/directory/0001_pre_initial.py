"""The clock, and the street: areas, places, units, posts, roster, rulebooks, calendars.

Revision: 0001, the first
"""

from __future__ import annotations

from alembic import op

from services.chassis.migrate import create_grid_now

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    """CREATE TABLE directory.streets (
        code text NOT NULL,
        name text NOT NULL,
        sample boolean DEFAULT false NOT NULL,
        CONSTRAINT pk_streets PRIMARY KEY (code)
    )""",
    """CREATE TABLE directory.communities (
        code text NOT NULL,
        name text NOT NULL,
        street text NOT NULL,
        CONSTRAINT pk_communities PRIMARY KEY (code),
        CONSTRAINT fk_communities_street FOREIGN KEY (street) REFERENCES directory.streets (code)
    )""",
    """CREATE TABLE directory.grids (
        code text NOT NULL,
        name text NOT NULL,
        community text NOT NULL,
        branch text,
        CONSTRAINT pk_grids PRIMARY KEY (code),
        CONSTRAINT fk_grids_community FOREIGN KEY (community) REFERENCES directory.communities (code)
    )""",
    "COMMENT ON COLUMN directory.grids.branch IS '网格党支部'",
    """CREATE TABLE directory.cells (
        code text NOT NULL,
        name text NOT NULL,
        grid text NOT NULL,
        geometry jsonb NOT NULL,
        CONSTRAINT pk_cells PRIMARY KEY (code),
        CONSTRAINT fk_cells_grid FOREIGN KEY (grid) REFERENCES directory.grids (code)
    )""",
    "COMMENT ON COLUMN directory.cells.geometry IS 'GeoJSON polygon, WGS-84'",
    """CREATE TABLE directory.places (
        place_id text NOT NULL,
        name text NOT NULL,
        kind text NOT NULL,
        cell text,
        lng double precision,
        lat double precision,
        initials text NOT NULL,
        CONSTRAINT pk_places PRIMARY KEY (place_id),
        CONSTRAINT fk_places_cell FOREIGN KEY (cell) REFERENCES directory.cells (code)
    )""",
    "COMMENT ON COLUMN directory.places.initials IS 'pinyin initials, made at import'",
    """CREATE TABLE directory.units (
        code text NOT NULL,
        name text NOT NULL,
        kind text NOT NULL,
        area text DEFAULT '' NOT NULL,
        phone text,
        CONSTRAINT pk_units PRIMARY KEY (code)
    )""",
    """CREATE TABLE directory.posts (
        account_id text NOT NULL,
        role text NOT NULL,
        area text DEFAULT '' NOT NULL,
        unit text DEFAULT '' NOT NULL,
        since timestamptz NOT NULL,
        until timestamptz,
        label text,
        CONSTRAINT pk_posts PRIMARY KEY (account_id, role, area, unit, since)
    )""",
    "COMMENT ON COLUMN directory.posts.unit IS ''''' = none'",
    """CREATE TABLE directory.roster (
        area text NOT NULL,
        duty text NOT NULL,
        account_id text NOT NULL,
        since timestamptz NOT NULL,
        until timestamptz,
        branch text,
        CONSTRAINT pk_roster PRIMARY KEY (area, duty, account_id, since)
    )""",
    """CREATE TABLE directory.rulebooks (
        version text NOT NULL,
        street text NOT NULL,
        body text NOT NULL,
        effective_at timestamptz NOT NULL,
        stored_at timestamptz NOT NULL,
        CONSTRAINT pk_rulebooks PRIMARY KEY (version),
        CONSTRAINT fk_rulebooks_street FOREIGN KEY (street) REFERENCES directory.streets (code)
    )""",
    "COMMENT ON COLUMN directory.rulebooks.version IS 'content hash; rows are never changed'",
    "COMMENT ON COLUMN directory.rulebooks.body IS 'the TOML as loaded'",
    """CREATE TABLE directory.calendars (
        name text NOT NULL,
        rev integer NOT NULL,
        body text NOT NULL,
        stored_at timestamptz NOT NULL,
        CONSTRAINT pk_calendars PRIMARY KEY (name, rev)
    )""",
    "COMMENT ON COLUMN directory.calendars.body IS 'the TOML as loaded'",
    """CREATE TABLE directory.directory_rev (
        "only" boolean DEFAULT true NOT NULL,
        rev bigint NOT NULL,
        CONSTRAINT pk_directory_rev PRIMARY KEY ("only"),
        CONSTRAINT ck_directory_rev_one_row CHECK ("only")
    )""",
    "INSERT INTO directory.directory_rev (rev) VALUES (0)",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    create_grid_now(op)
    for statement in _TABLES:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("forward only: restore a backup, or write the next revision")

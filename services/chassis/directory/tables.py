"""Tables of the schema `directory`: written by dispatch alone, read by all."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from services.chassis.db import metadata_for

metadata = metadata_for("directory")

_TIME = sa.TIMESTAMP(timezone=True)


def _code(name: str, *, key: bool = False, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=null and not key)


streets = sa.Table(
    "streets",
    metadata,
    _code("code", key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("sample", sa.Boolean, nullable=False, server_default=sa.false()),
)

communities = sa.Table(
    "communities",
    metadata,
    _code("code", key=True),
    sa.Column("name", sa.Text, nullable=False),
    _code("street"),
    sa.ForeignKeyConstraint(["street"], [streets.c.code]),
)

grids = sa.Table(
    "grids",
    metadata,
    _code("code", key=True),
    sa.Column("name", sa.Text, nullable=False),
    _code("community"),
    sa.Column("branch", sa.Text, nullable=True, comment="网格党支部"),
    sa.ForeignKeyConstraint(["community"], [communities.c.code]),
)

cells = sa.Table(
    "cells",
    metadata,
    _code("code", key=True),
    sa.Column("name", sa.Text, nullable=False),
    _code("grid"),
    sa.Column("geometry", JSONB, nullable=False, comment="GeoJSON polygon, WGS-84"),
    sa.ForeignKeyConstraint(["grid"], [grids.c.code]),
    comment="every code there ever was, as last loaded; what holds when is in cell_versions",
)

cell_versions = sa.Table(
    "cell_versions",
    metadata,
    _code("code", key=True),
    sa.Column("since", sa.Date, primary_key=True, comment="first day, Asia/Shanghai"),
    sa.Column(
        "until", sa.Date, nullable=True, comment="first day on which it no longer holds; its own first: it never did"
    ),
    sa.Column("name", sa.Text, nullable=False),
    _code("grid"),
    sa.Column("geometry", JSONB, nullable=False, comment="GeoJSON polygon, WGS-84"),
    sa.Column(
        "loaded",
        sa.Boolean,
        nullable=False,
        server_default=sa.false(),
        comment="by its own file, not the street's folder",
    ),
    sa.ForeignKeyConstraint(["code"], [cells.c.code]),
    sa.ForeignKeyConstraint(["grid"], [grids.c.code]),
    sa.CheckConstraint("until IS NULL OR until >= since", name="days"),
)

places = sa.Table(
    "places",
    metadata,
    _code("place_id", key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    _code("cell", null=True),
    sa.Column("lng", sa.Double, nullable=True),
    sa.Column("lat", sa.Double, nullable=True),
    sa.Column("initials", sa.Text, nullable=False, comment="pinyin initials, made at import"),
    sa.Column(
        "loaded",
        sa.Boolean,
        nullable=False,
        server_default=sa.false(),
        comment="by its own file, not the street's folder",
    ),
    sa.ForeignKeyConstraint(["cell"], [cells.c.code]),
)

units = sa.Table(
    "units",
    metadata,
    _code("code", key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("area", sa.Text, nullable=False, server_default=""),
    sa.Column("phone", sa.Text, nullable=True),
)

posts = sa.Table(
    "posts",
    metadata,
    _code("account_id", key=True),
    _code("role", key=True),
    sa.Column("area", sa.Text, primary_key=True, server_default=""),
    sa.Column("unit", sa.Text, primary_key=True, server_default="", comment="'' = none"),
    sa.Column("since", _TIME, primary_key=True),
    sa.Column("until", _TIME, nullable=True),
    sa.Column("label", sa.Text, nullable=True),
    sa.Column("grant_id", sa.Text, nullable=True, unique=True),
    sa.Column("granted_by", sa.Text, nullable=True, comment="account that lent it; null: not lent"),
    sa.CheckConstraint(
        "(grant_id IS NULL) = (granted_by IS NULL) AND (grant_id IS NULL OR until IS NOT NULL)", name="lent"
    ),
)

roster = sa.Table(
    "roster",
    metadata,
    _code("area", key=True),
    _code("duty", key=True),
    _code("account_id", key=True),
    sa.Column("since", _TIME, primary_key=True),
    sa.Column("until", _TIME, nullable=True),
    sa.Column("branch", sa.Text, nullable=True),
)

rulebooks = sa.Table(
    "rulebooks",
    metadata,
    sa.Column("version", sa.Text, primary_key=True, comment="content hash; rows are never changed"),
    _code("street"),
    sa.Column("body", sa.Text, nullable=False, comment="the TOML as loaded"),
    sa.Column("effective_at", _TIME, nullable=False),
    sa.Column("stored_at", _TIME, nullable=False),
    sa.ForeignKeyConstraint(["street"], [streets.c.code]),
)

calendars = sa.Table(
    "calendars",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("rev", sa.Integer, primary_key=True),
    sa.Column("body", sa.Text, nullable=False, comment="the TOML as loaded"),
    sa.Column("stored_at", _TIME, nullable=False),
)

directory_rev = sa.Table(
    "directory_rev",
    metadata,
    sa.Column("only", sa.Boolean, primary_key=True, server_default=sa.true()),
    sa.Column("rev", sa.BigInteger, nullable=False),
    sa.Column(
        "cells", sa.BigInteger, nullable=False, server_default="0", comment="the revision that last changed cells"
    ),
    sa.CheckConstraint("only", name="one_row"),
)

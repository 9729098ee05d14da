"""Import jobs with their cursor, and the words behind the codes that imported files use."""

from __future__ import annotations

import sqlalchemy as sa

from services.intake.tables.meta import metadata

_TIME = sa.TIMESTAMP(timezone=True)

import_jobs = sa.Table(
    "import_jobs",
    metadata,
    sa.Column("job_id", sa.Uuid, primary_key=True),
    sa.Column("file_sha256", sa.Text, nullable=False),
    sa.Column("file_name", sa.Text, nullable=False),
    sa.Column("system", sa.Text, nullable=False),
    sa.Column("clock", sa.Text, nullable=False),
    sa.Column("cursor", sa.BigInteger, nullable=False, comment="data rows dealt with"),
    sa.Column("accepted", sa.BigInteger, nullable=False),
    sa.Column("refused", sa.BigInteger, nullable=False),
    sa.Column("known", sa.BigInteger, nullable=False, comment="rows that were here before"),
    sa.Column("started_at", _TIME, nullable=False),
    sa.Column("finished_at", _TIME, nullable=True),
    sa.CheckConstraint("clock IN ('history', 'now')", name="clock"),
    sa.Index("import_jobs_file", "file_sha256", "system", "clock"),
)

import_names = sa.Table(
    "import_names",
    metadata,
    sa.Column("system", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True, comment="street | community | category | unit"),
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True, comment="one code may carry several names, and is kept so"),
    sa.Column("parent", sa.Text, nullable=True),
)

import_mappings = sa.Table(
    "import_mappings",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("body", sa.Text, nullable=False, comment="the mapping file as it was written"),
    sa.Column("saved_at", _TIME, nullable=False, server_default=sa.text("directory.grid_now()")),
)

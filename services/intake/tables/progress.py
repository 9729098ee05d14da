"""The reporter's view of progress, made from the case topic, and the wishes a reporter sent on."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from services.intake.tables.meta import metadata

_TIME = sa.TIMESTAMP(timezone=True)

case_views = sa.Table(
    "case_views",
    metadata,
    sa.Column("case_id", sa.Text, primary_key=True),
    sa.Column("case_no", sa.Text, nullable=False, unique=True),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("tier", sa.Text, nullable=False),
    sa.Column("category", sa.Text, nullable=True),
    sa.Column("restricted", sa.Boolean, nullable=False),
    sa.Column("history", sa.Boolean, nullable=False),
    sa.Column("community", sa.Text, nullable=True),
    sa.Column("grid", sa.Text, nullable=True),
    sa.Column("lng", sa.Double, nullable=True),
    sa.Column("lat", sa.Double, nullable=True),
    sa.Column("due_at", _TIME, nullable=True, comment="the next running clock of the case itself"),
    sa.Column("skipped", JSONB, nullable=False, comment="[{stage, why}]"),
    sa.Column("flags", JSONB, nullable=False),
    sa.Column("opened_at", _TIME, nullable=False),
    sa.Column("closed_at", _TIME, nullable=True),
    sa.Column("closed_as", sa.Text, nullable=True),
    sa.Column("changed_at", _TIME, nullable=False),
    sa.Column("master", sa.Text, nullable=True, comment="id of the case that it was merged into"),
    sa.Index("case_views_changed", "changed_at"),
    sa.Index("case_views_master", "master", postgresql_where=sa.text("master IS NOT NULL")),
    sa.Index(
        "case_views_near",
        "category",
        "lat",
        "lng",
        postgresql_where=sa.text("closed_at IS NULL AND lat IS NOT NULL AND NOT history"),
    ),
    sa.Index(
        "case_views_near_any",  # for reports without a category
        "lat",
        "lng",
        postgresql_where=sa.text("closed_at IS NULL AND lat IS NOT NULL AND NOT history"),
    ),
)

# The case that took a report in, whatever it was merged into since: facts of two cases come in no order of their own.
case_reports = sa.Table(
    "case_reports",
    metadata,
    sa.Column("report_id", sa.Uuid, primary_key=True),
    sa.Column("case_id", sa.Text, nullable=False),
    sa.Index("case_reports_case", "case_id"),
)

case_steps = sa.Table(
    "case_steps",
    metadata,
    sa.Column("case_id", sa.Text, primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("at", _TIME, nullable=False),
)

commands = sa.Table(
    "commands",
    metadata,
    sa.Column("command_id", sa.Uuid, primary_key=True),
    sa.Column("report_id", sa.Uuid, nullable=False),
    sa.Column("caller", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("body_sha256", sa.LargeBinary, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=True, comment="why it was refused"),
    sa.Column("note", sa.Text, nullable=False, comment="raw words, never published"),
    sa.Column("asked_at", _TIME, nullable=False),
    sa.Column("answered_at", _TIME, nullable=True),
    sa.UniqueConstraint("caller", "key", name="commands_caller_key"),
    sa.CheckConstraint("state IN ('asked', 'done', 'refused')", name="state"),
    sa.Index("commands_report", "report_id", "asked_at"),
)

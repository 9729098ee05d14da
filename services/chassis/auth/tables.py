"""Tables of the schema `identity`: accounts (written by dispatch), sessions, tokens, links, throttle and the record
of who did what (by all)."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from services.chassis.db import metadata_for

metadata = metadata_for("identity")

_TIME = sa.TIMESTAMP(timezone=True)

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("login", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("lang", sa.Text, nullable=False, server_default="zh-CN"),
    sa.Column("password", sa.Text, nullable=True, comment="argon2id; null: signs in by link only"),
    sa.Column("sample", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("created_at", _TIME, nullable=False),
    sa.Column("disabled_at", _TIME, nullable=True),
    sa.Column("work_no", sa.Text, nullable=True, comment="stands on photos in place of a name; null: a resident"),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("token_sha256", sa.LargeBinary, primary_key=True, comment="the token itself is only in the cookie"),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("created_at", _TIME, nullable=False),
    sa.Column("seen_at", _TIME, nullable=False),
    sa.Column("expires_at", _TIME, nullable=False, comment="absolute end, whatever happens"),
    sa.Column("address", sa.Text, nullable=True),
    sa.Column("agent", sa.Text, nullable=True),
    sa.Column("by_link", sa.Boolean, nullable=False, server_default=sa.false(), comment="a phone: may rest unused"),
    sa.ForeignKeyConstraint(["account_id"], [accounts.c.account_id], ondelete="CASCADE"),
    sa.Index("ix_sessions_account_id", "account_id"),
    sa.Index("ix_sessions_expires_at", "expires_at"),
)

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("token_id", sa.Text, primary_key=True),
    sa.Column("token_sha256", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=True),
    sa.Column("area", sa.Text, nullable=False, server_default=""),
    sa.Column("unit", sa.Text, nullable=True),
    sa.Column("scope", sa.Text, nullable=True, comment="'open311' or null"),
    sa.Column("created_at", _TIME, nullable=False),
    sa.Column("expires_at", _TIME, nullable=True),
    sa.Column("revoked_at", _TIME, nullable=True),
    sa.CheckConstraint("(role IS NULL) <> (scope IS NULL)", name="role_or_scope"),
)

one_time_links = sa.Table(
    "one_time_links",
    metadata,
    sa.Column("token_sha256", sa.LargeBinary, primary_key=True),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("created_at", _TIME, nullable=False),
    sa.Column("expires_at", _TIME, nullable=False),
    sa.Column("used_at", _TIME, nullable=True),
    sa.ForeignKeyConstraint(["account_id"], [accounts.c.account_id], ondelete="CASCADE"),
)

throttle = sa.Table(
    "throttle",
    metadata,
    sa.Column("key", sa.Text, primary_key=True, comment="'login:…' or 'address:…'"),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("since", _TIME, nullable=False, comment="start of the counting window"),
)

# Filled in by a trigger: shard, number and hashes. `service` is who was connected.
audit_log = sa.Table(
    "audit_log",
    metadata,
    sa.Column("shard", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("n", sa.BigInteger, primary_key=True, autoincrement=False, comment="dense per shard from 1"),
    sa.Column("at", _TIME, nullable=False, server_default=sa.text("directory.grid_now()")),
    sa.Column("service", sa.Text, nullable=False, server_default=sa.text("current_setting('application_name')")),
    sa.Column("account", sa.Text, nullable=True),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=True),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=True),
    sa.Column("details", JSONB, nullable=False, server_default=sa.text("'{}'")),
    sa.Column("request_id", sa.Text, nullable=True),
    sa.Column("address", sa.Text, nullable=True),
    sa.Column("prev_hash", sa.LargeBinary, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.CheckConstraint("outcome IN ('done', 'refused')", name="outcome"),
    sa.Index("ix_audit_log_at", "at", "shard", "n"),
    sa.Index("ix_audit_log_account", "account", "at"),
    sa.Index("ix_audit_log_subject", "subject", "at"),
    comment="append-only: who did what",
)

"""Tables of schema `escalation`. Escalation alone writes them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.chassis.asgi.idempotency import idempotency_tables
from services.chassis.db import metadata_for
from services.chassis.inbox import inbox_tables
from services.chassis.outbox import outbox_tables
from services.escalation.notice_tables import notice_tables

SCHEMA = "escalation"
metadata: MetaData = metadata_for(SCHEMA)
_WHEN = DateTime(timezone=True)
_NOW = text("directory.grid_now()")
_STREETS = "cases of these alone; empty: of every street"
_PICTURES = "names in the picture store that links are made to"
_TIERS = "cases at these alone; empty: at every tier"
_RECENT = "attempts of the last minute, counted in slices: [second, tried, failed]"

# One row per rung that is or was armed; of a clock only the next rung is. `rungs` holds the later ones, so that a
# firing can arm its successor without asking anybody.
sla_timers = Table(
    "sla_timers",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("case_id", Text, nullable=False),
    Column("clock_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("rev", Integer, nullable=False),
    Column("rung", SmallInteger, nullable=False),
    Column("due_at", _WHEN, nullable=False),
    Column("rungs", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("fired_at", _WHEN),
    UniqueConstraint("clock_id", "rev", "rung", name="uq_sla_timers_rung"),
    CheckConstraint("state IN ('armed', 'fired', 'disarmed')", name="state"),
    Index("ix_sla_timers_due", "due_at", postgresql_where=text("state = 'armed'")),
    Index("ix_sla_timers_armed_case", "case_id", "due_at", postgresql_where=text("state = 'armed'")),
    postgresql_with={"fillfactor": "80"},
)

# What was fired, for ever: the primary key is what makes a second firing impossible.
firings = Table(
    "firings",
    metadata,
    Column("clock_id", Text, nullable=False),
    Column("rev", Integer, nullable=False),
    Column("rung", SmallInteger, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("due_at", _WHEN, nullable=False),
    Column("fired_at", _WHEN, nullable=False),
    Column("event_id", Uuid, nullable=False),
    PrimaryKeyConstraint("clock_id", "rev", "rung"),
)

# Each time the timers were compared with the clocks of the cases: what was there, what was wrong and has been mended.
# Without `started_at` somebody has asked for it. `unheard` cases have a fact on its way; they are looked at next time.
timer_checks = Table(
    "timer_checks",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("asked_at", _WHEN, nullable=False, server_default=_NOW),
    Column("asked_by", Text),
    Column("started_at", _WHEN),
    Column("ended_at", _WHEN),
    Column("cases", Integer, nullable=False, server_default="0"),
    Column("unheard", Integer, nullable=False, server_default="0", comment="cases whose last fact is still on its way"),
    Column("armed", Integer, nullable=False, server_default="0"),
    Column("missing", Integer, nullable=False, server_default="0"),
    Column("surplus", Integer, nullable=False, server_default="0"),
    Column("moved", Integer, nullable=False, server_default="0"),
    Column("overdue", Integer, nullable=False, server_default="0"),
    Column("stepless", Integer, nullable=False, server_default="0"),
    Column("stepless_cases", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Index("ix_timer_checks_waiting", "id", postgresql_where=text("started_at IS NULL")),
)

# What had to be mended. None is expected, ever.
timer_repairs = Table(
    "timer_repairs",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("check_id", BigInteger, ForeignKey(timer_checks.c.id), nullable=False, index=True),
    Column("at", _WHEN, nullable=False, server_default=_NOW),
    Column("what", Text, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("clock_id", Text, nullable=False),
    Column("rev", Integer, nullable=False),
    Column("rung", SmallInteger, nullable=False),
    Column("due_at", _WHEN, nullable=False),
    CheckConstraint("what IN ('missing', 'surplus', 'moved')", name="what"),
)

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("events", ARRAY(Text), nullable=False),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("secret", LargeBinary, nullable=False, comment="encrypted"),
    Column("previous_secret", LargeBinary, comment="encrypted; signs beside the new one until previous_until"),
    Column("previous_until", _WHEN),
    Column("secret_hint", Text, nullable=False),
    Column("failures", Integer, nullable=False, server_default="0", comment="in a row"),
    Column("open_until", _WHEN, comment="breaker: nothing is sent before"),
    Column("open_for_s", Integer, nullable=False, server_default="0"),
    Column("created_by", Text, nullable=False),
    Column("created_at", _WHEN, nullable=False, server_default=_NOW),
    Column("last_success_at", _WHEN),
    Column("removed_at", _WHEN),
    Column("streets", ARRAY(Text), nullable=False, server_default="{}", comment=_STREETS),
    Column("tiers", ARRAY(Text), nullable=False, server_default="{}", comment=_TIERS),
    Column("signing_key", LargeBinary, comment="encrypted ed25519 key; its public half is public_key"),
    Column("previous_signing_key", LargeBinary, comment="encrypted; signs beside the new one until previous_until"),
    Column("public_key", Text),
    Column("recent", JSONB, nullable=False, server_default="[]", comment=_RECENT),
    Column("off_because", Text, comment="gone: the receiver answered 410"),
    Column("dialect", Text, nullable=False, server_default="cloudevents"),
    Column("auth", Text, nullable=False, server_default="standard_webhooks"),
    Column("app_key", Text, nullable=False, server_default=""),
    Column("crs", Text, nullable=False, server_default="wgs84"),
    Column("partner", Text, comment="hears only of cases that this partner knows"),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", Text, primary_key=True, comment="the webhook-id, the same on every attempt"),
    Column("endpoint_id", Uuid, ForeignKey(webhook_endpoints.c.id), nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("case_no", Text),
    Column("seq", BigInteger, nullable=False, comment="dense per (endpoint, case)"),
    Column("case_sequence", BigInteger),
    Column("intent", Text),
    Column("headers", JSONB, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("round", Integer, nullable=False, server_default="0", comment="attempts since the last replay"),
    Column("next_at", _WHEN),
    Column("lease_until", _WHEN),
    Column("created_at", _WHEN, nullable=False, server_default=_NOW),
    Column("delivered_at", _WHEN),
    Column("last_status", Integer),
    Column("last_error", Text),
    Column("failure", Text, comment="class of the last failure"),
    Column("died_at", _WHEN),
    Column("note", Text, comment="why a dead letter was set aside"),
    Column("pictures", JSONB, nullable=False, server_default="[]", comment=_PICTURES),
    UniqueConstraint("endpoint_id", "event_id", name="uq_webhook_deliveries_event"),
    UniqueConstraint("endpoint_id", "case_id", "seq", name="uq_webhook_deliveries_seq"),
    CheckConstraint("state IN ('waiting', 'sending', 'delivered', 'dead', 'skipped')", name="state"),
    Index("ix_webhook_deliveries_next", "next_at", postgresql_where=text("state = 'waiting'")),
    Index("ix_webhook_deliveries_lease", "lease_until", postgresql_where=text("state = 'sending'")),
    Index("ix_webhook_deliveries_newest", "created_at", "id"),
    Index("ix_webhook_deliveries_turn", "endpoint_id", "seq", "next_at", postgresql_where=text("state = 'waiting'")),
    Index(
        "ix_webhook_deliveries_unfinished",
        "endpoint_id",
        "case_id",
        "seq",
        postgresql_where=text("state IN ('waiting', 'sending')"),
    ),
    Index("ix_webhook_deliveries_dead", "endpoint_id", "died_at", postgresql_where=text("state = 'dead'")),
)

webhook_attempts = Table(
    "webhook_attempts",
    metadata,
    Column("delivery_id", Text, ForeignKey(webhook_deliveries.c.id), nullable=False),
    Column("n", Integer, nullable=False),
    Column("at", _WHEN, nullable=False),
    Column("status", Integer),
    Column("latency_ms", Integer, nullable=False),
    Column("error", Text),
    Column("reply", Text),
    Column("address", Text, comment="that was connected to"),
    PrimaryKeyConstraint("delivery_id", "n"),
)

# Where plain http or a private address may be called, and why. What was taken back stays to be read.
webhook_allowed = Table(
    "webhook_allowed",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("scheme", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("port", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("added_at", _WHEN, nullable=False, server_default=_NOW),
    Column("removed_by", Text),
    Column("removed_at", _WHEN),
    CheckConstraint("scheme IN ('http', 'https')", name="scheme"),
    CheckConstraint("port BETWEEN 1 AND 65535", name="port"),
    Index(
        "uq_webhook_allowed_target",
        "scheme",
        "host",
        "port",
        unique=True,
        postgresql_where=text("removed_at IS NULL"),
    ),
)

webhook_sequences = Table(
    "webhook_sequences",
    metadata,
    Column("endpoint_id", Uuid, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    PrimaryKeyConstraint("endpoint_id", "case_id"),
)

# By which numbers other systems know a case, in the order in which they came.
case_numbers = Table(
    "case_numbers",
    metadata,
    Column("case_id", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False, comment="of the fact that brought it"),
    PrimaryKeyConstraint("case_id", "system", "number"),
    Index("ix_case_numbers_number", "number"),
)

# What platforms sent us: webhook-id makes it count once, and what we could not read stays to be seen. What we passed on
# as a command has dispatch's answer beside it. Open is what a person has to look at: unknown, or refused by dispatch.
_TO_LOOK_AT = "aside_at IS NULL AND (state = 'unknown' OR answer = 'refused' AND code IS DISTINCT FROM 'no_change')"
platform_receipts = Table(
    "platform_receipts",
    metadata,
    Column("webhook_id", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("at", _WHEN, nullable=False, server_default=_NOW),
    Column("answer", Text),
    Column("code", Text, comment="why it was refused"),
    Column("answered_at", _WHEN),
    Column("id", Uuid, nullable=False, server_default=text("gen_random_uuid()")),
    Column("endpoint_id", Uuid, comment="whose platform called; none: the one with the common secret"),
    Column("case_no", Text),
    Column("mapped_as", Text, comment="what a person took it for"),
    Column("mapped_by", Text),
    Column("mapped_at", _WHEN),
    Column("aside_by", Text),
    Column("aside_at", _WHEN),
    Column("aside_reason", Text),
    UniqueConstraint("id", name="uq_platform_receipts_id"),
    CheckConstraint("state IN ('passed_on', 'unknown', 'noted')", name="state"),
    CheckConstraint("answer IN ('done', 'refused')", name="answer"),
    Index("ix_platform_receipts_open", "at", "id", postgresql_where=text(_TO_LOOK_AT)),
    Index("ix_platform_receipts_newest", "at", "id"),
)

outbox = outbox_tables(metadata, SCHEMA)
inbox = inbox_tables(metadata, SCHEMA)
idempotency = idempotency_tables(metadata, SCHEMA)
told = notice_tables(metadata)

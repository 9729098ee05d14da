"""Tables of what people are told; part of escalation's schema."""

from __future__ import annotations

from typing import NamedTuple

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
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

_WHEN = DateTime(timezone=True)
_NOW = text("directory.grid_now()")


class NoticeTables(NamedTuple):
    """What is told to whom, where robots stand, what people chose, and what was sent."""

    notices: Table
    outlets: Table
    choices: Table
    messages: Table
    pushes: Table
    attempts: Table


def notice_tables(metadata: MetaData) -> NoticeTables:
    """The tables, in `metadata`."""
    messages = _messages(metadata)
    notices = _notices(metadata)
    return NoticeTables(
        notices, _outlets(metadata), _choices(metadata), messages, _pushes(metadata, notices), _attempts(metadata)
    )


def _notices(metadata: MetaData) -> Table:
    # One row per fact and person: what makes a second telling impossible. `gathering` holds while a merged notice of
    # things that came late still takes in more; those it took in point to it.
    return Table(
        "notices",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("fact_id", Uuid, nullable=False),
        Column("account_id", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("case_id", Text),
        Column("case_no", Text),
        Column("post", Text, nullable=False, comment="who had to look"),
        Column("instead_of", Text, comment="the post that nobody held"),
        Column("urgent", Boolean, nullable=False),
        Column("detail", JSONB, nullable=False, comment="codes, names of places and classes; nothing of a person"),
        Column("planned_at", _WHEN, comment="when it was due by its clock"),
        Column("at", _WHEN, nullable=False, server_default=_NOW),
        Column("read_at", _WHEN),
        Column("merged_into", BigInteger, ForeignKey("escalation.notices.id", ondelete="CASCADE")),
        Column("gathering", Boolean, nullable=False, server_default=text("false")),
        Column("considered_at", _WHEN, comment="when ways to push it were chosen"),
        UniqueConstraint("fact_id", "account_id", name="uq_notices_fact"),
        Index("ix_notices_mine", "account_id", "id", postgresql_where=text("merged_into IS NULL")),
        Index("ix_notices_unread", "account_id", postgresql_where=text("merged_into IS NULL AND read_at IS NULL")),
        Index(
            "ix_notices_to_consider",
            "id",
            postgresql_where=text("considered_at IS NULL AND merged_into IS NULL"),
        ),
        Index("ix_notices_merged", "merged_into", "id", postgresql_where=text("merged_into IS NOT NULL")),
        Index("ix_notices_case", "case_id"),
        Index("ix_notices_at", "at"),
        Index("uq_notices_gathering", "account_id", unique=True, postgresql_where=text("gathering")),
    )


def _outlets(metadata: MetaData) -> Table:
    return Table(
        "notice_outlets",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("kind", Text, nullable=False),
        Column("name", Text, nullable=False),
        Column(
            "area", Text, nullable=False, server_default="", comment="people of this area; '' the street's own posts"
        ),
        Column("unit", Text, comment="people of this unit instead"),
        Column("url", LargeBinary, nullable=False, comment="encrypted: its key is a secret"),
        Column("url_hint", Text, nullable=False),
        Column("secret", LargeBinary, comment="encrypted; signs where the robot asks for it"),
        Column("per_minute", Integer, nullable=False),
        Column("active", Boolean, nullable=False, server_default=text("true")),
        Column("created_by", Text, nullable=False),
        Column("created_at", _WHEN, nullable=False, server_default=_NOW),
        Column("last_success_at", _WHEN),
        Column("last_error", Text),
        Column("removed_at", _WHEN),
        CheckConstraint("kind IN ('wecom', 'dingtalk')", name="kind"),
    )


def _choices(metadata: MetaData) -> Table:
    return Table(
        "notice_choices",
        metadata,
        Column("account_id", Text, primary_key=True),
        Column("addresses", LargeBinary, nullable=False, comment="encrypted"),
        Column("off", ARRAY(Text), nullable=False, server_default="{}", comment="ways that are not wanted"),
        Column("changed_at", _WHEN, nullable=False, server_default=_NOW),
    )


def _messages(metadata: MetaData) -> Table:
    return Table(
        "notice_messages",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("outlet", Text, nullable=False, comment="email, sms, or a robot's id"),
        Column("account_id", Text, comment="to whom; none: to the robot's group"),
        Column("size", Integer, nullable=False, comment="notices in it"),
        Column("state", Text, nullable=False),
        Column("attempts", Integer, nullable=False, server_default="0"),
        Column("round", Integer, nullable=False, server_default="0", comment="attempts since it was last set going"),
        Column("next_at", _WHEN),
        Column("lease_until", _WHEN),
        Column("created_at", _WHEN, nullable=False, server_default=_NOW),
        Column("sent_at", _WHEN),
        Column("last_status", Integer),
        Column("last_error", Text),
        CheckConstraint("state IN ('waiting', 'sending', 'sent', 'dead')", name="state"),
        Index("ix_notice_messages_next", "next_at", postgresql_where=text("state = 'waiting'")),
        Index("ix_notice_messages_lease", "lease_until", postgresql_where=text("state = 'sending'")),
        Index("ix_notice_messages_newest", "created_at", "id"),
    )


def _pushes(metadata: MetaData, notices: Table) -> Table:
    return Table(
        "notice_pushes",
        metadata,
        Column("notice_id", BigInteger, ForeignKey(notices.c.id, ondelete="CASCADE"), nullable=False),
        Column("outlet", Text, nullable=False),
        Column("account_id", Text, nullable=False),
        Column("digest", Boolean, nullable=False, comment="goes with others in one message"),
        Column("due_at", _WHEN, nullable=False),
        Column("message_id", Uuid, ForeignKey("escalation.notice_messages.id")),
        Column("dropped_at", _WHEN, comment="had been read before it was due"),
        PrimaryKeyConstraint("notice_id", "outlet"),
        Index("ix_notice_pushes_due", "due_at", postgresql_where=text("message_id IS NULL AND dropped_at IS NULL")),
        Index("ix_notice_pushes_person", "account_id", "due_at"),
        Index("ix_notice_pushes_message", "message_id"),
    )


def _attempts(metadata: MetaData) -> Table:
    return Table(
        "notice_attempts",
        metadata,
        Column("message_id", Uuid, ForeignKey("escalation.notice_messages.id", ondelete="CASCADE"), nullable=False),
        Column("n", Integer, nullable=False),
        Column("outlet", Text, nullable=False),
        Column("at", _WHEN, nullable=False),
        Column("status", Integer),
        Column("latency_ms", Integer, nullable=False),
        Column("error", Text),
        Column("reply", Text),
        PrimaryKeyConstraint("message_id", "n"),
        Index("ix_notice_attempts_pace", "outlet", "at"),
    )

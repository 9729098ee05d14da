"""Other authorities that hand matters over, and the answers their messages got."""

from __future__ import annotations

import sqlalchemy as sa

from services.intake.tables.meta import metadata

_TIME = sa.TIMESTAMP(timezone=True)
_NOW = sa.text("directory.grid_now()")

partners = sa.Table(
    "partners",
    metadata,
    sa.Column("name", sa.Text, primary_key=True, comment="stands in the address, and before each of its numbers"),
    sa.Column("source", sa.Text, nullable=False, comment="of the rulebook; what its reports count as"),
    sa.Column("scheme", sa.Text, nullable=False, comment="of its category codes where it names none"),
    sa.Column("edition", sa.Text, nullable=False),
    sa.Column("secret", sa.LargeBinary, nullable=False, comment="encrypted"),
    sa.Column("previous_secret", sa.LargeBinary, nullable=True, comment="encrypted; good until previous_until"),
    sa.Column("previous_until", _TIME, nullable=True),
    sa.Column("added_at", _TIME, nullable=False, server_default=_NOW),
    sa.Column("removed_at", _TIME, nullable=True),
)

pushes = sa.Table(
    "pushes",
    metadata,
    sa.Column("partner", sa.Text, primary_key=True),
    sa.Column("webhook_id", sa.Text, primary_key=True),
    sa.Column("body_sha256", sa.LargeBinary, nullable=False),
    sa.Column("answer", sa.Text, nullable=True, comment="null only inside the transaction that works"),
    sa.Column("at", _TIME, nullable=False, server_default=_NOW),
    comment="one answer for ever to each message of a partner",
)

"""讲: good deeds that people told of. Raw words lie in the vault under the note's id."""

from __future__ import annotations

import sqlalchemy as sa

from services.intake.tables.meta import metadata

_TIME = sa.TIMESTAMP(timezone=True)

good_deeds = sa.Table(
    "good_deeds",
    metadata,
    sa.Column("note_id", sa.Uuid, primary_key=True),
    sa.Column("account", sa.Text, nullable=False, comment="who told it; leaves the service in no event"),
    sa.Column("key", sa.Text, nullable=False, comment="Idempotency-Key; belongs to the account"),
    sa.Column("body_sha256", sa.LargeBinary, nullable=False),
    sa.Column("grid", sa.Text, nullable=True, comment="whose branch secretary reads it"),
    sa.Column("masked_text", sa.Text, nullable=False),
    sa.Column("masked_place", sa.Text, nullable=False),
    sa.Column("seen_at", _TIME, nullable=False),
    sa.Column("told_at", _TIME, nullable=False),
    sa.UniqueConstraint("account", "key", name="good_deeds_account_key"),
    sa.Index("good_deeds_mine", "account", "told_at", "note_id"),
    sa.Index("good_deeds_grid", "grid", "told_at", "note_id"),
    comment="notes of good deeds: no case, no clock, no figure",
)

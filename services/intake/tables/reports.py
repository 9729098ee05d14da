"""Reports, their ledger, photos, receipts and tracking tokens."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.intake.tables.meta import metadata

_TIME = sa.TIMESTAMP(timezone=True)

receipt_seq = sa.Sequence("receipt_seq", metadata=metadata)

ledger = sa.Table(
    "ledger",
    metadata,
    sa.Column("report_id", sa.Uuid, primary_key=True),
    sa.Column("caller", sa.Text, nullable=False, comment="account or token; keys belong to the caller"),
    sa.Column("key", sa.Text, nullable=False, comment="Idempotency-Key; kept for ever"),
    sa.Column("body_sha256", sa.LargeBinary, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("source_event_id", sa.Text, nullable=True),
    sa.Column("answer", sa.Text, nullable=False, comment="the first answer, given again to every repeat"),
    sa.Column("at", _TIME, nullable=False),
    sa.UniqueConstraint("caller", "key", name="ledger_caller_key"),
    sa.UniqueConstraint("source", "source_event_id", name="ledger_source_event"),
    comment="append-only: what was acknowledged, for ever",
)

reports = sa.Table(
    "reports",
    metadata,
    sa.Column("report_id", sa.Uuid, primary_key=True),
    sa.Column("receipt_no", sa.Text, nullable=False, unique=True),
    sa.Column("reporter_ref", sa.Text, nullable=False, comment="random per report; all that leaves the service"),
    sa.Column("reporter_account", sa.Text, nullable=True, comment="stays here; null: imported"),
    sa.Column("reporter_role", sa.Text, nullable=True),
    sa.Column("anonymous", sa.Boolean, nullable=False, comment="the account leaves in no event"),
    sa.Column("staff", sa.Boolean, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("source_event_id", sa.Text, nullable=True),
    sa.Column("nature", sa.Text, nullable=False),
    sa.Column("scheme", sa.Text, nullable=True),
    sa.Column("edition", sa.Text, nullable=True),
    sa.Column("category", sa.Text, nullable=True, comment="null: the reporter was unsure"),
    sa.Column("danger", sa.Boolean, nullable=False),
    sa.Column("life", sa.Boolean, nullable=False),
    sa.Column("street", sa.Text, nullable=False),
    sa.Column("community", sa.Text, nullable=True),
    sa.Column("grid", sa.Text, nullable=True),
    sa.Column("cell", sa.Text, nullable=True, comment="null: outside every cell, or unknown"),
    sa.Column("place_id", sa.Text, nullable=True),
    sa.Column("lng", sa.Double, nullable=True, comment="WGS-84"),
    sa.Column("lat", sa.Double, nullable=True, comment="WGS-84"),
    sa.Column("raw_lng", sa.Double, nullable=True, comment="as sent, in raw_crs"),
    sa.Column("raw_lat", sa.Double, nullable=True),
    sa.Column("raw_crs", sa.Text, nullable=True),
    sa.Column("accuracy_m", sa.Double, nullable=True),
    sa.Column("fixed_at", _TIME, nullable=True),
    sa.Column("masked_text", sa.Text, nullable=False),
    sa.Column("masked_place", sa.Text, nullable=False),
    sa.Column("on_the_spot", sa.Text, nullable=True),
    sa.Column("direct", sa.Boolean, nullable=False),
    sa.Column("call_now", sa.Boolean, nullable=False),
    sa.Column("joins", sa.Text, nullable=True),
    sa.Column("occurred_at", _TIME, nullable=False),
    sa.Column("submitted_at", _TIME, nullable=False),
    sa.Column("rulebook", sa.Text, nullable=False),
    sa.Column("recorded", JSONB, nullable=True, comment="imported history: the outcome its file tells"),
    sa.Column("imported", JSONB, nullable=True, comment="the file's own codes and words"),
    sa.Column("import_job", sa.Uuid, nullable=True),
    sa.Column("event_seq", sa.BigInteger, nullable=False, comment="events published about this report so far"),
    sa.Index("reports_mine", "reporter_account", "submitted_at", "report_id"),
    sa.Index("reports_newest", "street", "submitted_at", "receipt_no"),
    sa.Index("reports_import", "import_job", postgresql_where=sa.text("import_job IS NOT NULL")),
)

vault = sa.Table(
    "vault",
    metadata,
    sa.Column("report_id", sa.Uuid, primary_key=True),
    sa.Column("text", sa.Text, nullable=False, comment="raw words of the reporter"),
    sa.Column("place_words", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False, comment="what was done on the spot"),
    sa.Column("sealed", sa.LargeBinary, nullable=True, comment="the three, encrypted; they are empty then"),
    sa.Column("erased_at", _TIME, nullable=True),
)

identities = sa.Table(
    "identities",
    metadata,
    sa.Column("report_id", sa.Uuid, primary_key=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False, comment="name, phone, mail and wish, encrypted"),
    sa.Column("given_at", _TIME, nullable=False),
    sa.Index("identities_given", "given_at"),
    comment="who reported, as he said himself",
)

reveals = sa.Table(
    "reveals",
    metadata,
    sa.Column("reveal_id", sa.Uuid, primary_key=True),
    sa.Column("report_id", sa.Uuid, nullable=False),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", _TIME, nullable=False),
    sa.Index("reveals_report", "report_id", "at"),
    comment="append-only: who was shown an identity, and why",
)

photos = sa.Table(
    "photos",
    metadata,
    sa.Column("report_id", sa.Uuid, primary_key=True),
    sa.Column("photo_id", sa.Text, primary_key=True),
    sa.Column("sha256", sa.Text, nullable=False, comment="of the bytes the phone holds"),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("mime", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=True, comment="below the media folder"),
    sa.Column("stored_at", _TIME, nullable=True),
    sa.Column("taken_at", _TIME, nullable=True, comment="as the camera wrote it"),
    sa.Column("fix_lng", sa.Double, nullable=True, comment="WGS-84, as the camera wrote it; stays here"),
    sa.Column("fix_lat", sa.Double, nullable=True, comment="WGS-84, as the camera wrote it; stays here"),
    sa.Column("clean_sha256", sa.Text, nullable=True, comment="of the picture that is shown"),
    sa.Column("look", sa.BigInteger, nullable=True, comment="difference hash; null: flat, or older than this column"),
    sa.Column(
        "bands",
        ARRAY(sa.Integer),
        nullable=True,
        comment="the hash in four pieces, to find what differs little",
    ),
    sa.Index("photos_bands", "bands", postgresql_using="gin"),
    sa.CheckConstraint("state IN ('named', 'stored', 'broken')", name="state"),
)

track_tokens = sa.Table(
    "track_tokens",
    metadata,
    sa.Column("token", sa.Text, primary_key=True),
    sa.Column("report_id", sa.Uuid, nullable=False),
    sa.Index("track_tokens_report", "report_id"),
)

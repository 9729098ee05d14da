"""Writing reports: a whole batch in one statement with one JSON parameter.

The ledger decides: a row that meets any of its unique keys is not written, and nothing that hangs on it either. What
stood in the way is asked for afterwards, row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson
import sqlalchemy as sa

from schemas.registry import encode
from services.chassis.outbox import Outgoing
from services.chassis.outbox.publish import shard_of
from services.chassis.statements import Statements
from services.intake.store import Tx
from services.intake.tables import ledger
from services.intake.tables.rows import IdentityRow, LedgerRow, PhotoRow, ReportRow, TokenRow, VaultRow


@dataclass(frozen=True, slots=True)
class NewReport:
    """Everything one accepted report writes."""

    ledger: LedgerRow
    report: ReportRow
    vault: VaultRow
    photos: tuple[PhotoRow, ...]
    token: TokenRow
    event: Outgoing
    identity: IdentityRow | None = None


@dataclass(frozen=True, slots=True)
class Stamp:
    """What only the database knows before the rows can be made: the time, and a number per report."""

    now: datetime
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """The ids of what was new; None: nothing was written, the time was off. `next` may stamp what comes."""

    fresh: set[UUID] | None
    next: Stamp


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """What the ledger holds for a submission that was not new."""

    report_id: UUID
    caller: str
    key: str
    body_sha256: bytes
    answer: str


_STAMP: Final = (
    "SELECT directory.grid_now(), ARRAY(SELECT nextval('intake.receipt_seq') FROM generate_series(1, %(n)s::int))"
)

_WRITE: Final = """
WITH clock AS MATERIALIZED (SELECT directory.grid_now() AS now),
doc AS MATERIALIZED (
  SELECT CAST(%(doc)s AS jsonb) AS d FROM clock
  WHERE %(asked)s OR now BETWEEN %(at)s::timestamptz AND %(at)s::timestamptz + interval '250 ms'
), fresh AS (
  INSERT INTO intake.ledger
  SELECT r.* FROM doc, jsonb_populate_recordset(NULL::intake.ledger, d -> 'ledger') r
  ON CONFLICT DO NOTHING RETURNING report_id
), reports AS (
  INSERT INTO intake.reports
  SELECT r.* FROM doc, jsonb_populate_recordset(NULL::intake.reports, d -> 'reports') r JOIN fresh USING (report_id)
), vault AS (
  INSERT INTO intake.vault
  SELECT r.* FROM doc, jsonb_populate_recordset(NULL::intake.vault, d -> 'vault') r JOIN fresh USING (report_id)
), photos AS (
  INSERT INTO intake.photos
  SELECT r.* FROM doc, jsonb_populate_recordset(NULL::intake.photos, d -> 'photos') r JOIN fresh USING (report_id)
), tokens AS (
  INSERT INTO intake.track_tokens
  SELECT r.* FROM doc, jsonb_populate_recordset(NULL::intake.track_tokens, d -> 'tokens') r JOIN fresh USING (report_id)
), identities AS (
  INSERT INTO intake.identities
  SELECT r.* FROM doc, jsonb_populate_recordset(NULL::intake.identities, d -> 'identities') r
  JOIN fresh USING (report_id)
), outbox AS (
  INSERT INTO intake.outbox (shard, topic, key, seq, event_id, headers, payload)
  SELECT s, t, convert_to(r.report_id::text, 'UTF8'), q, e, h, convert_to(p, 'UTF8')
  FROM doc, jsonb_to_recordset(d -> 'outbox')
    AS r(n int, report_id uuid, s smallint, t text, q bigint, e uuid, h jsonb, p text) JOIN fresh USING (report_id)
  ORDER BY n
)
SELECT EXISTS (SELECT FROM doc), CASE WHEN (SELECT count(*) FROM fresh) < %(count)s THEN ARRAY(TABLE fresh) END,
  now, ARRAY(SELECT nextval('intake.receipt_seq') FROM generate_series(1, %(ahead)s::int)) FROM clock
"""


async def stamp(speak: Statements, count: int) -> Stamp:
    """The time of these submissions and `count` receipt numbers; numbers may have gaps."""
    ((now, numbers),) = await speak.rows(_STAMP, {"n": count})
    return Stamp(now, tuple(numbers))


async def write(
    speak: Statements, new: Sequence[NewReport], stamp: Stamp, *, asked: bool = True, ahead: int = 0
) -> Written:
    """Write what is new, in one statement, and bring `ahead` numbers along. All or nothing.

    `asked`: the database has just told this stamp; if not, it judges the time, and may write nothing.
    """
    doc = {
        # in one order whoever writes, so that two writers with the same keys wait for each other one way only
        "ledger": sorted((item.ledger for item in new), key=lambda row: (row.caller, row.key)),
        "reports": [item.report for item in new],
        "vault": [item.vault for item in new],
        "photos": [photo for item in new for photo in item.photos],
        "tokens": [item.token for item in new],
        "identities": [item.identity for item in new if item.identity is not None],
        "outbox": [_outbox_row(n, item) for n, item in enumerate(new)],
    }
    parameters = {"asked": asked, "at": stamp.now, "count": len(new), "ahead": ahead}
    rows = await speak.rows(_WRITE, {"doc": orjson.dumps(doc).decode(), **parameters})
    ((in_time, some, now, numbers),) = rows
    fresh = {item.report.report_id for item in new} if some is None else set(some)
    return Written(fresh if in_time else None, Stamp(now, tuple(numbers)))


async def in_the_way(tx: Tx, row: LedgerRow) -> list[LedgerEntry]:
    """The ledger rows that share a unique key with `row`: its caller's key first, then its source id, then its id."""
    same_key = sa.and_(ledger.c.caller == row.caller, ledger.c.key == row.key)
    same_event: sa.ColumnElement[bool] = sa.false()
    if row.source_event_id is not None:
        same_event = sa.and_(ledger.c.source == row.source, ledger.c.source_event_id == row.source_event_id)
    query = (
        sa.select(ledger.c.report_id, ledger.c.caller, ledger.c.key, ledger.c.body_sha256, ledger.c.answer)
        .where(sa.or_(same_key, same_event, ledger.c.report_id == row.report_id))
        .order_by(sa.case((same_key, 0), (same_event, 1), else_=2))
    )
    return [LedgerEntry(*found) for found in await tx.execute(query)]


def _outbox_row(n: int, item: NewReport) -> dict[str, object]:
    envelope = item.event.envelope
    headers, payload = encode(envelope)
    return {
        "n": n,
        "report_id": item.report.report_id,
        "s": shard_of(envelope.subject.encode()),
        "t": item.event.topic,
        "q": envelope.sequence,
        "e": envelope.id,
        "h": headers,
        "p": payload.decode(),
    }

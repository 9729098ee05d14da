"""A photo's row as its bytes come in, the event that tells of it, and photos that look alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from services.chassis.db import Database, grid_now
from services.chassis.outbox import Outgoing, publish
from services.chassis.pictures.likeness import NEAR, bands_of, probes_of
from services.intake.store import Tx
from services.intake.tables import outbox, photos, reports
from services.intake.tables.rows import PhotoRow

_SAME: Final = sa.text("""
  SELECT r.report_id, min(v.case_no) AS case_no, r.submitted_at
  FROM intake.photos p
  JOIN intake.reports r USING (report_id)
  LEFT JOIN intake.case_reports c USING (report_id)
  LEFT JOIN intake.case_views v USING (case_id)
  WHERE p.bands && CAST(:bands AS integer[]) AND p.state = 'stored' AND p.report_id <> :report
    AND bit_count(CAST(p.look # :look AS bit(64))) <= :near
    AND r.street = :street AND r.submitted_at > directory.grid_now() - CAST(:within AS interval)
  GROUP BY r.report_id, r.submitted_at ORDER BY r.submitted_at DESC LIMIT 20""")


@dataclass(frozen=True, slots=True)
class NamedPhoto:
    """A photo with whom its report belongs to."""

    photo: PhotoRow
    reporter_account: str | None


@dataclass(frozen=True, slots=True)
class CleanPicture:
    """What was made of a photo and where it lies. `look`: see `chassis.pictures.likeness`."""

    path: str
    sha256: str
    look: int | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a report is about."""

    street: str
    lng: float | None
    lat: float | None


@dataclass(frozen=True, slots=True)
class SameLook:
    """Another report of the street with the same picture; whose it is stays here. `case_no` None: no case yet."""

    report_id: UUID
    case_no: str | None
    at: datetime


async def find(tx: Tx, report_id: UUID, photo_id: str) -> NamedPhoto | None:
    """The photo a report named, or None."""
    query = (
        sa.select(photos, reports.c.reporter_account)
        .join(reports, reports.c.report_id == photos.c.report_id)
        .where(photos.c.report_id == report_id, photos.c.photo_id == photo_id)
    )
    row = (await tx.execute(query)).mappings().one_or_none()
    if row is None:
        return None
    values = dict(row)
    account = values.pop("reporter_account")
    return NamedPhoto(PhotoRow(**values), account)


async def stored_of(tx: Tx, report_id: UUID) -> list[PhotoRow]:
    """The photos of a report that are there."""
    query = sa.select(photos).where(photos.c.report_id == report_id, photos.c.state == "stored")
    return [PhotoRow(**row) for row in (await tx.execute(query.order_by(photos.c.stored_at))).mappings()]


async def place_of(tx: Tx, report_id: UUID) -> Place | None:
    """Street and pin of a report; None where there is none."""
    query = sa.select(reports.c.street, reports.c.lng, reports.c.lat).where(reports.c.report_id == report_id)
    row = (await tx.execute(query)).one_or_none()
    return Place(*row) if row else None


async def same_look(tx: Tx, photo: PhotoRow, street: str, within: timedelta) -> list[SameLook]:
    """Other reports of the street not older than `within` that show the same picture, newest first."""
    if photo.look is None:
        return []
    found = await tx.execute(
        _SAME,
        {
            "report": photo.report_id,
            "street": street,
            "look": photo.look,
            "bands": probes_of(photo.look % (1 << 64)),
            "near": NEAR,
            "within": within,
        },
    )
    return [SameLook(*row) for row in found]


async def mark_broken(db: Database, photo: PhotoRow) -> None:
    """The bytes were no picture; nothing is published."""
    async with db.transaction() as tx:
        await tx.execute(_update(photo, state="broken", path=None, stored_at=None).where(photos.c.state != "stored"))


async def mark_stored(
    db: Database, photo: PhotoRow, clean: CleanPicture, event: Callable[[int, datetime], Outgoing]
) -> None:
    """The picture is in the store: row and event together. `event` gets the report's next event number and the time.

    A second call for a photo already stored changes nothing and publishes nothing.
    """
    async with db.transaction() as tx:
        now = await grid_now(tx)
        lock = sa.select(reports.c.event_seq).where(reports.c.report_id == photo.report_id).with_for_update()
        sequence = (await tx.execute(lock)).scalar_one() + 1
        values = {
            "path": clean.path,
            "clean_sha256": clean.sha256,
            "look": None if clean.look is None else _signed(clean.look),
            "bands": None if clean.look is None else bands_of(clean.look),
        }
        stored = _update(photo, state="stored", stored_at=now, **values)
        changed = await tx.execute(stored.where(photos.c.state != "stored"))
        if changed.rowcount == 0:
            return
        await tx.execute(sa.update(reports).where(reports.c.report_id == photo.report_id).values(event_seq=sequence))
        await publish(tx, outbox, [event(sequence, now)])


def _signed(look: int) -> int:
    """The same 64 bits as PostgreSQL's bigint reads them."""
    return look - (1 << 64) if look >> 63 else look


def _update(photo: PhotoRow, **values: object) -> sa.Update:
    row = sa.and_(photos.c.report_id == photo.report_id, photos.c.photo_id == photo.photo_id)
    return sa.update(photos).where(row).values(**values)

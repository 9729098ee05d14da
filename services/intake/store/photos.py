"""A photo's row as its bytes come in, and the event that tells of it, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from services.chassis.db import Database, grid_now
from services.chassis.outbox import Outgoing, publish
from services.intake.store import Tx
from services.intake.tables import outbox, photos, reports
from services.intake.tables.rows import PhotoRow


@dataclass(frozen=True, slots=True)
class NamedPhoto:
    """A photo with whom its report belongs to."""

    photo: PhotoRow
    reporter_account: str | None


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


async def mark_broken(db: Database, photo: PhotoRow) -> None:
    """The bytes were no picture; nothing is published."""
    async with db.transaction() as tx:
        await tx.execute(_update(photo, state="broken", path=None, stored_at=None))


async def mark_stored(db: Database, photo: PhotoRow, path: str, event: Callable[[int, datetime], Outgoing]) -> None:
    """The picture is on disk: row and event together. `event` gets the report's next event number and the time.

    A second call for a photo already stored changes nothing and publishes nothing.
    """
    async with db.transaction() as tx:
        now = await grid_now(tx)
        lock = sa.select(reports.c.event_seq).where(reports.c.report_id == photo.report_id).with_for_update()
        sequence = (await tx.execute(lock)).scalar_one() + 1
        changed = await tx.execute(
            _update(photo, state="stored", path=path, stored_at=now).where(photos.c.state != "stored")
        )
        if changed.rowcount == 0:
            return
        await tx.execute(sa.update(reports).where(reports.c.report_id == photo.report_id).values(event_seq=sequence))
        await publish(tx, outbox, [event(sequence, now)])


def _update(photo: PhotoRow, **values: object) -> sa.Update:
    row = sa.and_(photos.c.report_id == photo.report_id, photos.c.photo_id == photo.photo_id)
    return sa.update(photos).where(row).values(**values)

"""Reports behind cases: the lasting guard against a second case, their masked words, their photos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from services.dispatch import tables
from services.dispatch.store import Tx
from services.dispatch.store.bulk import Inserting, as_json


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo that a report named; `arrived` once its bytes are stored with intake."""

    photo_id: str
    mime: str
    arrived: bool


@dataclass(frozen=True, slots=True)
class ReportWords:
    """One report as the case page shows it."""

    report_id: str
    receipt_no: str
    source: str
    at: datetime
    text: str
    place: str
    photos: tuple[Photo, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """A report about to become a case or a part of one."""

    report_id: str
    case_id: str
    receipt_no: str
    reporter_ref: str
    source: str
    at: datetime
    text: str
    place: str
    photos: tuple[tuple[str, str], ...]  # (id, mime)
    imported: Mapping[str, str | None] | None = None  # the file's own codes and words


_CLAIM = """
INSERT INTO dispatch.case_reports (report_id, case_id, receipt_no, reporter_ref, source, at, imported)
SELECT report_id, case_id, receipt_no, reporter_ref, source, at, imported FROM json_to_recordset(CAST(:rows AS json))
AS new(report_id uuid, case_id uuid, receipt_no text, reporter_ref text, source text, at timestamptz, imported jsonb)
ON CONFLICT (report_id) DO NOTHING RETURNING report_id
"""


async def claim(tx: Tx, claims: Sequence[Claim]) -> set[str]:
    """Take reports for their cases; returns those that were free. The others are duplicates and change nothing.

    A claim of another transaction that has not ended yet is waited for.
    """
    if not claims:
        return set()
    rows = [
        {
            "report_id": c.report_id,
            "case_id": c.case_id,
            "receipt_no": c.receipt_no,
            "reporter_ref": c.reporter_ref,
            "source": c.source,
            "at": c.at,
            "imported": c.imported,
        }
        for c in claims
    ]
    taken = await tx.execute(text(_CLAIM), {"rows": as_json(rows)})
    return {str(row.report_id) for row in taken}


_MOVE = """
UPDATE dispatch.case_reports AS r SET case_id = new.case_id
FROM json_to_recordset(CAST(:rows AS json)) AS new(report_id uuid, case_id uuid)
WHERE r.report_id = new.report_id AND r.case_id <> new.case_id
"""


async def move_reports(tx: Tx, cases: Mapping[str, str]) -> None:
    """Reports go over to another case, by report id: with a merge, or back. The caller holds the cases."""
    if cases:
        rows = [{"report_id": report_id, "case_id": case_id} for report_id, case_id in cases.items()]
        await tx.execute(text(_MOVE), {"rows": as_json(rows)})


async def keep_words(tx: Tx, claims: Sequence[Claim]) -> None:
    """Store masked words and the promised photos of claimed reports."""
    words = [
        {"report_id": c.report_id, "masked_text": c.text, "masked_place": c.place} for c in claims if c.text or c.place
    ]
    photos = [{"report_id": c.report_id, "photo_id": p, "mime": mime} for c in claims for p, mime in c.photos]
    inserting = Inserting()
    inserting.insert(tables.case_texts, words)
    inserting.insert(tables.report_photos, photos, on_conflict="ON CONFLICT DO NOTHING")
    await inserting.write(tx)


async def photo_arrived(tx: Tx, report_id: str, photo_id: str, mime: str) -> None:
    """The bytes of a photo are with intake."""
    photos = tables.report_photos
    row = insert(photos).values(report_id=report_id, photo_id=photo_id, mime=mime, arrived=True)
    keys = [photos.c.report_id, photos.c.photo_id]
    await tx.execute(row.on_conflict_do_update(index_elements=keys, set_={"arrived": True}))


async def reports_of(tx: Tx, case_id: str) -> list[ReportWords]:
    """The reports of a case, oldest first."""
    r, t, p = tables.case_reports, tables.case_texts, tables.report_photos
    rows = await tx.execute(
        select(r.c.report_id, r.c.receipt_no, r.c.source, r.c.at, t.c.masked_text, t.c.masked_place)
        .select_from(r.outerjoin(t, t.c.report_id == r.c.report_id))
        .where(r.c.case_id == case_id)
        .order_by(r.c.at, r.c.report_id)
    )
    listed = list(rows)
    photos: dict[str, list[Photo]] = {}
    wanted = select(r.c.report_id).where(r.c.case_id == case_id)
    for row in await tx.execute(select(p).where(p.c.report_id.in_(wanted)).order_by(p.c.photo_id)):
        photos.setdefault(str(row.report_id), []).append(Photo(row.photo_id, row.mime, row.arrived))
    return [
        ReportWords(
            report_id=str(row.report_id),
            receipt_no=row.receipt_no,
            source=row.source,
            at=row.at,
            text=row.masked_text or "",
            place=row.masked_place or "",
            photos=tuple(photos.get(str(row.report_id), ())),
        )
        for row in listed
    ]


async def reports_with_photos(tx: Tx, case_id: str) -> list[str]:
    """Ids of a case's reports that named photos, in their order."""
    r, p = tables.case_reports, tables.report_photos
    named = select(p.c.report_id).where(p.c.report_id == r.c.report_id).exists()
    found = await tx.execute(select(r.c.report_id).where(r.c.case_id == case_id, named).order_by(r.c.at, r.c.report_id))
    return [str(report_id) for report_id in found.scalars()]


async def case_of_photo(tx: Tx, report_id: str, photo_id: str) -> str | None:
    """The case number whose report named this photo."""
    r, p, c = tables.case_reports, tables.report_photos, tables.cases
    found = await tx.execute(
        select(c.c.case_no)
        .select_from(r.join(c, c.c.id == r.c.case_id).join(p, p.c.report_id == r.c.report_id))
        .where(r.c.report_id == report_id, p.c.photo_id == photo_id)
    )
    number: str | None = found.scalar_one_or_none()
    return number

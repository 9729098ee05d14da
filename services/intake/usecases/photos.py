"""Taking a photo in: bytes in pieces → hash → clean picture in the store → row and event.

Repeats are harmless at every step: bytes already here are skipped by offset, a stored photo answers from its row. A
process that dies on the way leaves the bytes, and perhaps a picture no row names; whoever sends the photo again goes
on from the bytes and makes another picture, and housekeeping takes the first one away.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final
from uuid import UUID

from schemas.envelope import Envelope
from schemas.events.report import ReportPhotoAddedV1
from schemas.topics import REPORT
from services.chassis.coordinates import metres_between
from services.chassis.db import Database
from services.chassis.ids import IdSource
from services.chassis.outbox import Outgoing
from services.chassis.pictures.shelf import mime_of
from services.chassis.pictures.store import PictureMissing, PictureStore, thumb_of
from services.chassis.pictures.workshop import BrokenImage, Workshop
from services.chassis.telemetry import logger
from services.intake.media import Bench, MediaFiles, PartialFile, UploadInProgress, picture_path
from services.intake.store import photos as store
from services.intake.store.photos import CleanPicture, NamedPhoto, SameLook
from services.intake.tables.rows import PhotoRow
from services.intake.usecases.refusal import Refusal
from services.intake.usecases.render import PRODUCER

_MAGIC_BYTES = 12
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Progress(StrEnum):
    """How an upload stands after a request."""

    PARTIAL = "partial"
    STORED = "stored"
    KNOWN = "known"  # was stored before, with the same hash


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of a photo from `start` on; `total` as the sender says, None where he does not."""

    start: int
    total: int | None
    chunks: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Received:
    """What came of a request: `offset` bytes are here now."""

    progress: Progress
    offset: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A clean picture. `digest` is of these bytes; None for one that is older than this is kept."""

    content: bytes
    digest: str | None


@dataclass(frozen=True, slots=True)
class PhotoFacts:
    """What a photo tells beside what it shows. `metres` lie between where it was taken and the report's pin."""

    photo_id: str
    taken_at: datetime | None
    metres: int | None
    same: Sequence[SameLook]


class PhotoDesk:
    """Takes photos in and gives them out. `remember`: how far back a picture is known again."""

    def __init__(
        self,
        db: Database,
        files: MediaFiles,
        pictures: PictureStore,
        workshop: Workshop,
        ids: IdSource,
        remember: timedelta,
    ) -> None:
        self._db = db
        self._files = files
        self._pictures = pictures
        self._workshop = workshop
        self._ids = ids
        self._remember = remember

    async def named(self, report_id: UUID, photo_id: str) -> NamedPhoto:
        """The photo as its report named it. Raises Refusal 404 `photo_unknown`."""
        found = None
        if _ID.fullmatch(photo_id):
            async with self._db.reading() as tx:
                found = await store.find(tx, report_id, photo_id)
        if found is None:
            raise Refusal("photo_unknown", status=404)
        return found

    async def received(self, photo: PhotoRow) -> Received:
        """How far an upload has come; what a client asks before it goes on."""
        if photo.state == "stored":
            return Received(Progress.KNOWN, photo.bytes)
        return Received(Progress.PARTIAL, self._files.received(self._bench(photo)))

    async def take(self, photo: PhotoRow, piece: Piece) -> Received:
        """Bytes of a photo. Raises Refusal: wrong offset, other content, no picture; StoreAway, WorkshopClosed."""
        bench = self._bench(photo)
        try:
            with self._files.opened(bench) as partial:  # until the picture is stored: nobody changes what is looked at
                size = await self._append(photo, partial, piece)
                if size < photo.bytes:
                    return Received(Progress.PARTIAL, size)
                await self._check_hash(photo, bench)
                if photo.state != "stored":
                    await self._finish(photo, bench)
                await asyncio.to_thread(self._files.clear, bench)
        except UploadInProgress:
            raise Refusal("upload_in_progress", status=409) from None
        return Received(Progress.KNOWN if photo.state == "stored" else Progress.STORED, photo.bytes)

    async def picture(self, photo: PhotoRow, *, thumb: bool) -> Shown:
        """The clean picture of a stored photo. Raises Refusal 404 while there is none, StoreAway."""
        if photo.state != "stored" or photo.path is None:
            raise Refusal("not_found", status=404)
        try:
            content = await self._pictures.get(thumb_of(photo.path) if thumb else photo.path)
        except PictureMissing:
            logger("photos").error("picture_missing", report_id=str(photo.report_id), path=photo.path)
            raise Refusal("not_found", status=404) from None
        return Shown(content, photo.clean_sha256)

    async def facts(self, report_id: UUID) -> list[PhotoFacts]:
        """What is known of a report's stored photos, and where else the same pictures were shown."""
        facts = []
        async with self._db.reading() as tx:
            place = await store.place_of(tx, report_id)
            for photo in await store.stored_of(tx, report_id):
                same = await store.same_look(tx, photo, place.street, self._remember) if place else []
                facts.append(PhotoFacts(photo.photo_id, photo.taken_at, _metres(photo, place), same))
        return facts

    # --- steps ------------------------------------------------------------------------------------------------------
    async def _append(self, photo: PhotoRow, partial: PartialFile, piece: Piece) -> int:
        """Write the piece behind what is here; answers how much is here then."""
        if piece.total is not None and piece.total != photo.bytes:
            raise Refusal("photo_conflict", status=409)
        if piece.start > partial.size:
            raise Refusal("upload_offset", "Content-Range", status=409, offset=partial.size)
        partial.start_at(piece.start)
        size = piece.start
        async for chunk in piece.chunks:
            size += len(chunk)
            if size > photo.bytes:
                partial.start_at(0)
                raise Refusal("photo_conflict", status=409)
            await asyncio.to_thread(partial.write, chunk)
        await asyncio.to_thread(partial.settle)
        return size

    async def _check_hash(self, photo: PhotoRow, bench: Bench) -> None:
        digest = await asyncio.to_thread(self._files.sha256, bench.partial)
        if digest != photo.sha256:
            await asyncio.to_thread(self._files.clear, bench)
            raise Refusal("photo_conflict" if photo.state == "stored" else "hash_mismatch", status=409)

    async def _finish(self, photo: PhotoRow, bench: Bench) -> None:
        """Whole and as announced: make it clean, keep it, tell of it. Where that fails the bytes stay for next time."""
        try:
            head = await asyncio.to_thread(_head, bench.partial)
            if mime_of(head) != photo.mime:
                raise BrokenImage("not_as_announced" if mime_of(head) else "not_an_image")
            look = await self._workshop.clean(bench.partial, bench.full, bench.thumb)
        except BrokenImage as broken:
            await asyncio.to_thread(self._files.clear, bench)
            await store.mark_broken(self._db, photo)
            raise Refusal("broken_image", reason=broken.reason) from broken
        full, thumb = await asyncio.gather(*(asyncio.to_thread(path.read_bytes) for path in (bench.full, bench.thumb)))
        path = picture_path(photo.report_id, photo.photo_id, self._ids.uuid7())
        await self._pictures.put(thumb_of(path), thumb)
        await self._pictures.put(path, full)
        clean = CleanPicture(path, hashlib.sha256(full).hexdigest(), look)
        await store.mark_stored(self._db, photo, clean, _EventOf(photo, path, self._ids.uuid7()))

    def _bench(self, photo: PhotoRow) -> Bench:
        return self._files.bench(photo.report_id, photo.photo_id)


def _metres(photo: PhotoRow, place: store.Place | None) -> int | None:
    fix, pin = (photo.fix_lng, photo.fix_lat), (place.lng, place.lat) if place else (None, None)
    if fix[0] is None or fix[1] is None or pin[0] is None or pin[1] is None:
        return None
    return round(metres_between(fix[0], fix[1], pin[0], pin[1]))


@dataclass(frozen=True, slots=True)
class _EventOf:
    """Makes `report.photo_added` once its number and time are known."""

    photo: PhotoRow
    path: str
    event_id: UUID

    def __call__(self, sequence: int, now: datetime) -> Outgoing:
        photo = self.photo
        body = ReportPhotoAddedV1(
            report_id=str(photo.report_id),
            photo_id=photo.photo_id,
            sha256=photo.sha256,
            mime="image/jpeg",
            path=self.path,
        )
        envelope = Envelope(
            id=self.event_id,
            type="report.photo_added",
            version=1,
            source=PRODUCER,
            time=now,
            subject=body.report_id,
            sequence=sequence,
            data=body,
        )
        return Outgoing(REPORT.name, envelope)


def _head(path: Path) -> bytes:
    with path.open("rb") as handle:
        return handle.read(_MAGIC_BYTES)

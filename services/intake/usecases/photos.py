"""Taking a photo in: bytes in pieces → hash → clean picture → row and event.

Repeats are harmless at every step: bytes already here are skipped by offset, a stored photo answers from its row.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from uuid import UUID

from schemas.envelope import Envelope
from schemas.events.report import ReportPhotoAddedV1
from schemas.topics import REPORT
from services.chassis.db import Database
from services.chassis.ids import IdSource
from services.chassis.outbox import Outgoing
from services.chassis.pictures.shelf import mime_of, publish
from services.chassis.pictures.workshop import BrokenImage, Workshop
from services.intake.media import MediaFiles, Shelf, UploadInProgress
from services.intake.store import photos as store
from services.intake.store.photos import NamedPhoto
from services.intake.tables.rows import PhotoRow
from services.intake.usecases.refusal import Refusal
from services.intake.usecases.render import PRODUCER

_MAGIC_BYTES = 12


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


class PhotoDesk:
    """Takes photos in and gives them out."""

    def __init__(self, db: Database, files: MediaFiles, workshop: Workshop, ids: IdSource) -> None:
        self._db = db
        self._files = files
        self._workshop = workshop
        self._ids = ids

    async def named(self, report_id: UUID, photo_id: str) -> NamedPhoto:
        """The photo as its report named it. Raises Refusal 404 `photo_unknown`."""
        async with self._db.reading() as tx:
            found = await store.find(tx, report_id, photo_id)
        if found is None:
            raise Refusal("photo_unknown", status=404)
        return found

    async def received(self, photo: PhotoRow) -> Received:
        """How far an upload has come; what a client asks before it goes on."""
        if photo.state == "stored":
            return Received(Progress.KNOWN, photo.bytes)
        return Received(Progress.PARTIAL, self._files.received(self._shelf(photo)))

    async def take(self, photo: PhotoRow, piece: Piece) -> Received:
        """Bytes of a photo. Raises Refusal: wrong offset, other content, no picture."""
        shelf = self._shelf(photo)
        try:
            size = await self._append(photo, shelf, piece)
        except UploadInProgress:
            raise Refusal("upload_in_progress", status=409) from None
        if size < photo.bytes:
            return Received(Progress.PARTIAL, size)
        await self._check_hash(photo, shelf)
        if photo.state == "stored":
            await asyncio.to_thread(self._files.discard, shelf.partial)
            return Received(Progress.KNOWN, photo.bytes)
        await self._finish(photo, shelf)
        return Received(Progress.STORED, photo.bytes)

    def picture(self, photo: PhotoRow, *, thumb: bool) -> Path:
        """The clean picture of a stored photo. Raises Refusal 404 while there is none."""
        shelf = self._shelf(photo)
        path = shelf.thumb if thumb else shelf.full
        if photo.state != "stored" or not path.is_file():
            raise Refusal("not_found", status=404)
        return path

    # --- steps ------------------------------------------------------------------------------------------------------
    async def _append(self, photo: PhotoRow, shelf: Shelf, piece: Piece) -> int:
        """Write the piece behind what is here; answers how much is here then."""
        if piece.total is not None and piece.total != photo.bytes:
            raise Refusal("photo_conflict", status=409)
        with self._files.opened(shelf) as partial:
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

    async def _check_hash(self, photo: PhotoRow, shelf: Shelf) -> None:
        digest = await asyncio.to_thread(self._files.sha256, shelf.partial)
        if digest != photo.sha256:
            await asyncio.to_thread(self._files.discard, shelf.partial)
            raise Refusal("photo_conflict" if photo.state == "stored" else "hash_mismatch", status=409)

    async def _finish(self, photo: PhotoRow, shelf: Shelf) -> None:
        """Whole and as announced: make it clean, give it its name, tell of it."""
        full, thumb = self._files.fresh(shelf.full), self._files.fresh(shelf.thumb)
        try:
            head = await asyncio.to_thread(_head, shelf.partial)
            if mime_of(head) != photo.mime:
                raise BrokenImage("not_as_announced" if mime_of(head) else "not_an_image")
            await self._workshop.clean(shelf.partial, full, thumb)
        except BrokenImage as broken:
            for path in (shelf.partial, full, thumb):
                await asyncio.to_thread(self._files.discard, path)
            await store.mark_broken(self._db, photo)
            raise Refusal("broken_image", reason=broken.reason) from broken
        except OSError:  # a full disk: the bytes stay, and the next try begins here
            for path in (full, thumb):
                await asyncio.to_thread(self._files.discard, path)
            raise
        await asyncio.to_thread(publish, thumb, shelf.thumb)
        await asyncio.to_thread(publish, full, shelf.full)
        await store.mark_stored(self._db, photo, shelf.public, self._event(photo, shelf.public))
        await asyncio.to_thread(self._files.discard, shelf.partial)

    def _event(self, photo: PhotoRow, path: str) -> _EventOf:
        return _EventOf(photo, path, self._ids.uuid7())

    def _shelf(self, photo: PhotoRow) -> Shelf:
        return self._files.shelf(photo.report_id, photo.photo_id)


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

"""Evidence: what a unit shows of its work. Names are made here, never given; only clean copies are kept."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from services.chassis.ids import IdSource
from services.chassis.pictures.shelf import mime_of
from services.chassis.pictures.store import PictureMissing, PictureStore, thumb_of
from services.chassis.pictures.workshop import BrokenImage, Workshop

MAX_BYTES = 12 * 1024 * 1024
MAX_CASE_BYTES = 200 * 1024 * 1024
STORED_MIME = "image/jpeg"


class UnsupportedPicture(Exception):
    """The bytes announce no type that is taken."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A piece in the store. `sha256` and `bytes` are of what was sent, `path` is where it lies."""

    sha256: str
    bytes: int
    path: str


class EvidenceFiles:
    """All evidence of a store. Pictures are made in `bench`, a folder of this machine."""

    def __init__(self, pictures: PictureStore, bench: Path, workshop: Workshop, ids: IdSource) -> None:
        self._pictures = pictures
        self._bench = bench
        self._workshop = workshop
        self._ids = ids

    async def read(self, path: str, *, thumb: bool = False) -> bytes:
        """The picture behind a stored path. Raises PictureMissing, StoreAway."""
        return await self._pictures.get(thumb_of(path) if thumb else path)

    async def store(self, case_id: str, evidence_id: str, content: bytes) -> Stored:
        """Keep a clean copy, each time under a new name. Raises UnsupportedPicture, BrokenImage, WorkshopClosed,
        StoreAway."""
        if mime_of(content[:12]) is None:
            raise UnsupportedPicture
        digest = hashlib.sha256(content).hexdigest()
        name = hashlib.sha256(f"{evidence_id}\n{digest}".encode()).hexdigest()[:24]
        path = f"{case_id[-2:]}/{case_id}/{name}-{self._ids.uuid7().hex}.jpg"
        full, thumb = await self._made(content)
        await self._pictures.put(thumb_of(path), thumb)
        await self._pictures.put(path, full)
        return Stored(digest, len(content), path)

    async def discard(self, stored: Stored) -> None:
        """Nobody came to name it: another request had stored the same piece. Raises StoreAway."""
        for path in (stored.path, thumb_of(stored.path)):
            await self._pictures.remove(path)

    async def _made(self, content: bytes) -> tuple[bytes, bytes]:
        """Both clean copies. What a crash leaves on the bench, housekeeping takes away."""
        await asyncio.to_thread(self._bench.mkdir, parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self._bench) as folder:
            source, full, thumb = (Path(folder) / part for part in ("in", "full", "thumb"))
            await asyncio.to_thread(source.write_bytes, content)
            await self._workshop.clean(source, full, thumb)
            return await asyncio.to_thread(full.read_bytes), await asyncio.to_thread(thumb.read_bytes)


__all__ = ["BrokenImage", "EvidenceFiles", "PictureMissing", "Stored", "UnsupportedPicture"]

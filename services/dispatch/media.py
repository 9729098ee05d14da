"""Evidence files: what a unit shows of its work. Names are made here, never given; only clean copies are kept."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path

from services.chassis.ids import IdSource
from services.chassis.pictures.shelf import mime_of, publish
from services.chassis.pictures.workshop import BrokenImage, Workshop

MAX_BYTES = 12 * 1024 * 1024
MAX_CASE_BYTES = 200 * 1024 * 1024
STORED_MIME = "image/jpeg"


class UnsupportedPicture(Exception):
    """The bytes announce no type that is taken."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A piece on the shelf. `sha256` and `bytes` are of what was sent, `path` is relative to the store."""

    sha256: str
    bytes: int
    path: str


class EvidenceFiles:
    """All evidence below one folder."""

    def __init__(self, root: Path, workshop: Workshop, ids: IdSource) -> None:
        self._root = root
        self._workshop = workshop
        self._ids = ids

    def open_path(self, path: str, *, thumb: bool = False) -> Path:
        """The file behind a stored path."""
        full = self._root / path
        return full.with_suffix(".thumb.jpg") if thumb else full

    async def store(self, case_id: str, evidence_id: str, content: bytes) -> Stored:
        """Keep a clean copy. The same id and bytes give the same file. Raises UnsupportedPicture, BrokenImage."""
        if mime_of(content[:12]) is None:
            raise UnsupportedPicture
        digest = hashlib.sha256(content).hexdigest()
        name = hashlib.sha256(f"{evidence_id}\n{digest}".encode()).hexdigest()[:32]
        path = f"{case_id[-2:]}/{case_id}/{name}.jpg"
        target = self._root / path
        await self._make(content, target)
        return Stored(digest, len(content), path)

    async def _make(self, content: bytes, target: Path) -> None:
        aside = f".{self._ids.uuid7().hex}"
        source, full, thumb = (target.with_name(f"{aside}.{part}") for part in ("in", "full", "thumb"))
        try:
            await asyncio.to_thread(_write, source, content)
            await self._workshop.clean(source, full, thumb)
            await asyncio.to_thread(publish, thumb, target.with_suffix(".thumb.jpg"))
            await asyncio.to_thread(publish, full, target)
        finally:
            for leftover in (source, full, thumb):
                await asyncio.to_thread(leftover.unlink, missing_ok=True)


def _write(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


__all__ = ["BrokenImage", "EvidenceFiles", "Stored", "UnsupportedPicture"]

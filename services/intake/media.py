"""Where photo bytes lie: `partial/` while they arrive, `photos/` once they are clean. Names are made here, never given.

The clean picture is made beside its place and gets its name in one step, so a crash leaves the whole of it or none.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

_CHUNK = 1 << 20


class UploadInProgress(Exception):
    """Another request is writing the same photo."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """The three files of one photo, and the path that events carry."""

    partial: Path
    full: Path
    thumb: Path
    public: str


class PartialFile:
    """The bytes of one photo as they arrive. Holds a lock from `opened` to its end."""

    def __init__(self, handle: BinaryIO) -> None:
        self._handle = handle

    @property
    def size(self) -> int:
        return os.fstat(self._handle.fileno()).st_size

    def start_at(self, offset: int) -> None:
        """Forget what lies behind `offset` and write on from there."""
        self._handle.truncate(offset)
        self._handle.seek(offset)

    def write(self, chunk: bytes) -> None:
        self._handle.write(chunk)

    def settle(self) -> None:
        """Bytes so far survive a crash from here on."""
        self._handle.flush()
        os.fsync(self._handle.fileno())


class MediaFiles:
    """All photo files below one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def shelf(self, report_id: UUID, photo_id: str) -> Shelf:
        """Where a photo lies. The photo id is hashed into the name: it came from outside."""
        name = hashlib.sha256(photo_id.encode()).hexdigest()[:24]
        public = f"photos/{report_id.hex[-2:]}/{report_id}/{name}.jpg"
        full = self._root / public
        return Shelf(
            partial=self._root / "partial" / f"{report_id}-{name}",
            full=full,
            thumb=full.with_suffix(".thumb.jpg"),
            public=public,
        )

    @contextmanager
    def opened(self, shelf: Shelf) -> Iterator[PartialFile]:
        """The photo's partial file, locked. Raises UploadInProgress."""
        shelf.partial.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(shelf.partial, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UploadInProgress from None
            if not _lies_at(handle, shelf.partial):  # removed as forgotten in this very moment
                raise UploadInProgress
            yield PartialFile(handle)

    def received(self, shelf: Shelf) -> int:
        """How many bytes of an unfinished photo are here."""
        try:
            return shelf.partial.stat().st_size
        except FileNotFoundError:
            return 0

    def fresh(self, target: Path) -> Path:
        """A name beside `target` for the child to write to; its folder is made."""
        target.parent.mkdir(parents=True, exist_ok=True)
        return target.with_name(f".{target.name}.new")

    def discard(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def sha256(self, path: Path) -> str:
        digest = hashlib.sha256()
        with path.open("rb") as handle:
            while chunk := handle.read(_CHUNK):
                digest.update(chunk)
        return digest.hexdigest()


def _lies_at(handle: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle.fileno()), path.stat())
    except FileNotFoundError:
        return False

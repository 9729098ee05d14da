"""Bytes of photos that are still arriving, in `partial/` on this machine; and what finished ones are called.

A finished picture goes to the picture store under a name that is given once, so that an attempt which a crash broke
off is never mixed up with the one that succeeded.
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
PHOTOS = "photos"
PARTIAL = "partial"


class UploadInProgress(Exception):
    """Another request is writing the same photo."""


@dataclass(frozen=True, slots=True)
class Bench:
    """Where one photo is worked on: its bytes as they came, and the two pictures made of them."""

    partial: Path
    full: Path
    thumb: Path


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
    """All uploads below one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def bench(self, report_id: UUID, photo_id: str) -> Bench:
        """Where a photo is worked on. Its id is hashed into the name: it came from outside."""
        partial = self._root / PARTIAL / f"{report_id}-{_name(photo_id)}"
        return Bench(partial, partial.with_name(f"{partial.name}.full"), partial.with_name(f"{partial.name}.thumb"))

    @contextmanager
    def opened(self, bench: Bench) -> Iterator[PartialFile]:
        """The photo's partial file, locked. Raises UploadInProgress."""
        bench.partial.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(bench.partial, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UploadInProgress from None
            if not _lies_at(handle, bench.partial):  # removed as forgotten in this very moment
                raise UploadInProgress
            yield PartialFile(handle)

    def received(self, bench: Bench) -> int:
        """How many bytes of an unfinished photo are here."""
        try:
            return bench.partial.stat().st_size
        except FileNotFoundError:
            return 0

    def clear(self, bench: Bench) -> None:
        """Take everything off the bench."""
        for path in (bench.full, bench.thumb, bench.partial):
            path.unlink(missing_ok=True)

    def sha256(self, path: Path) -> str:
        digest = hashlib.sha256()
        with path.open("rb") as handle:
            while chunk := handle.read(_CHUNK):
                digest.update(chunk)
        return digest.hexdigest()


def picture_path(report_id: UUID, photo_id: str, attempt: UUID) -> str:
    """What this attempt at a photo is called in the picture store."""
    return f"{PHOTOS}/{report_id.hex[-2:]}/{report_id}/{_name(photo_id)}-{attempt.hex}.jpg"


def _name(photo_id: str) -> str:
    return hashlib.sha256(photo_id.encode()).hexdigest()[:24]


def _lies_at(handle: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle.fileno()), path.stat())
    except FileNotFoundError:
        return False

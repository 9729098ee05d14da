"""Naming finished files, so that a crash leaves either the whole picture or none; and taking old ones away.

Whoever names, claims or removes a file holds its folder's lock for that moment, so that what was just named anew is
never taken for the old file that lay there.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def publish(written: Path, target: Path) -> None:
    """Give a finished file its name, durably: fsync, rename, fsync of the folder. Blocks."""
    with written.open("rb") as handle:
        os.fsync(handle.fileno())
    with _locked(target.parent) as folder:
        written.replace(target)
        os.fsync(folder)


def claim(target: Path) -> bool:
    """Whether the file is there; if so it counts as written now, and nobody removes it for its age."""
    if not target.parent.is_dir():
        return False
    with _locked(target.parent):
        try:
            os.utime(target)
        except FileNotFoundError:
            return False
    return True


def remove_old(path: Path, before: float) -> bool:
    """Remove a file not written since `before` (epoch seconds), unless it is being written; whether it is gone."""
    try:
        with _locked(path.parent), path.open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(handle.fileno()).st_mtime >= before:
                return False
            path.unlink()
    except (FileNotFoundError, BlockingIOError):
        return False
    return True


def mime_of(head: bytes) -> str | None:
    """The picture type that the first twelve bytes announce; None: none that is taken."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return None


@contextmanager
def _locked(folder: Path) -> Iterator[int]:
    """The folder's descriptor, locked against everybody else who works on its names."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)

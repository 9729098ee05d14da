"""Naming finished files, so that a crash leaves either the whole picture or none; and taking old ones away.

Whoever names or removes a file holds its folder's lock for that moment, so that what was just named anew is never
taken for the old file that lay there.
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


def old_files(root: Path, before: float) -> Iterator[str]:
    """Regular files below `root` not written since `before` (epoch seconds), as paths below it."""
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except FileNotFoundError:
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(Path(entry.path))
            elif entry.is_file(follow_symlinks=False) and _written(entry) < before:
                yield os.path.relpath(entry.path, root)


def _written(entry: os.DirEntry[str]) -> float:
    try:
        return entry.stat(follow_symlinks=False).st_mtime
    except FileNotFoundError:  # gone since the folder was listed: nothing to remove
        return float("inf")


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

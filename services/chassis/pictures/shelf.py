"""Naming finished files, so that a crash leaves either the whole picture or none."""

from __future__ import annotations

import os
from pathlib import Path


def publish(written: Path, target: Path) -> None:
    """Give a finished file its name, durably: fsync, rename, fsync of the folder. Blocks."""
    with written.open("rb") as handle:
        os.fsync(handle.fileno())
    written.replace(target)
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def mime_of(head: bytes) -> str | None:
    """The picture type that the first twelve bytes announce; None: none that is taken."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return None

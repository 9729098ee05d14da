"""Looks at a picture that is said to be clean, byte by byte."""

from __future__ import annotations

import io
import struct

from PIL import Image

from services.chassis.pictures.sanitise import FULL_SIDE
from tests.support.hostile import SECRET

_START, _END, _SCAN, _FRAME = 0xD8, 0xD9, 0xDA, 0xFF
_ALLOWED = {0xE0, 0xDB, 0xC0, 0xC4, 0xDA}
"""What a plain JPEG consists of: JFIF, tables, one frame, one scan."""


def faults_of(content: bytes) -> list[str]:
    """What is in it that should not be; empty: it is clean."""
    faults = [f"segment {marker:#x}" for marker in segments(content) if marker not in _ALLOWED]
    if SECRET in content:
        faults.append("something of what it came with")
    if not content.endswith(b"\xff\xd9") or content.count(b"\xff\xd9") != 1:
        faults.append("bytes behind its end")
    with Image.open(io.BytesIO(content)) as picture:
        picture.load()
        if picture.format != "JPEG" or picture.mode != "RGB" or max(picture.size) > FULL_SIDE:
            faults.append(f"{picture.format} {picture.mode} {picture.size}")
    return faults


def segments(content: bytes) -> list[int]:
    """The markers of a JPEG up to its scan."""
    found, at = [], 2
    assert content[:2] == b"\xff\xd8", "no JPEG"
    while at < len(content):
        assert content[at] == _FRAME, f"no marker at {at}"
        marker, length = content[at + 1], struct.unpack_from(">H", content, at + 2)[0]
        found.append(marker)
        if marker == _SCAN:
            return found
        at += 2 + length
    return found

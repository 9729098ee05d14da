"""Runs the picture-making child, few at a time, and says what came of it."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
from pathlib import Path

_TIMEOUT_S = 40.0
NO_ROOM = "no_room"
"""The child's word for a disk that is full: no fault of the picture's."""


class BrokenImage(Exception):
    """The bytes are no picture that can be kept. `reason`: not_an_image | damaged | too_many_pixels | too_large."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Workshop:
    """At most `hands` children at once: a burst of photos must not take the cores from reports."""

    def __init__(self, hands: int = 1) -> None:
        self._hands = asyncio.Semaphore(hands)

    async def clean(self, source: Path, full: Path, thumb: Path) -> None:
        """Make `full` and `thumb` out of `source`. Raises BrokenImage, and OSError where the disk is full."""
        async with self._hands:
            child = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "services.chassis.pictures.sanitise", str(source), str(full), str(thumb)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
            try:
                said, _ = await asyncio.wait_for(child.communicate(), _TIMEOUT_S)
            except TimeoutError:
                child.kill()
                await child.wait()
                raise BrokenImage("too_large") from None
            except asyncio.CancelledError:
                child.kill()
                raise
        if child.returncode != 0:
            reason = said.decode("ascii", "replace") or "damaged"
            if reason == NO_ROOM:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(full))
            raise BrokenImage(reason)

"""Runs the picture-making child, few at a time, and says what came of it."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import signal
import sys
from pathlib import Path
from typing import Final

_PATIENCE_S: Final = 90.0
"""Longer than the child's own limit of processor time: on a machine with nothing to do it never comes to this."""
_SAID: Final = re.compile(r"ok ([0-9a-f]{16}|-)")
_REASONS: Final = frozenset({"not_an_image", "damaged", "too_many_pixels", "too_large"})
NO_ROOM: Final = "no_room"
"""The child's word for a disk that is full: no fault of the picture's."""
_ENDED_ITSELF: Final = {signal.SIGXCPU: "too_large", signal.SIGXFSZ: "too_large"} | dict.fromkeys(
    (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL), "damaged"
)
_ENVIRONMENT: Final = {"LANG": "C.UTF-8", "PATH": os.defpath}
"""All it needs to know: addresses and secrets of ours are none of its business."""


class BrokenImage(Exception):
    """The bytes are no picture that can be kept. `reason`: not_an_image | damaged | too_many_pixels | too_large |
    not_as_announced."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class WorkshopClosed(Exception):
    """The child was ended from outside, or never began: the picture is not at fault and may come again."""


class Workshop:
    """At most `hands` children at once: a burst of photos must not take the cores from reports."""

    def __init__(self, hands: int = 1) -> None:
        self._hands = asyncio.Semaphore(hands)

    async def clean(self, source: Path, full: Path, thumb: Path) -> int | None:
        """Make `full` and `thumb` out of `source`; answers what the picture looks like (`likeness`), None if flat.

        Raises BrokenImage, WorkshopClosed, and OSError where the disk is full.
        """
        async with self._hands:
            child = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-I", "-m", "services.chassis.pictures.sanitise", str(source), str(full), str(thumb)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=_ENVIRONMENT,
            )
            try:
                said, _ = await asyncio.wait_for(child.communicate(), _PATIENCE_S)
            except TimeoutError:
                child.kill()
                await child.wait()
                raise WorkshopClosed("a picture took too long") from None
            except asyncio.CancelledError:
                child.kill()
                raise
        assert child.returncode is not None, "it has ended"
        return outcome(child.returncode, said.decode("ascii", "replace"))


def outcome(code: int, said: str) -> int | None:
    """What the end of a child means. Raises as `Workshop.clean` does."""
    if code == 0 and (told := _SAID.fullmatch(said)):
        return None if told[1] == "-" else int(told[1], 16)
    if said == NO_ROOM:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if said in _REASONS:
        raise BrokenImage(said)
    if (reason := _ENDED_ITSELF.get(signal.Signals(-code)) if code < 0 else None) is not None:
        raise BrokenImage(reason)
    raise WorkshopClosed(f"the child ended with {code}")

"""What the doctor asks about pictures: whether their store takes and gives, and how tightly their maker is held."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from services.chassis.finding import Finding, Verdict
from services.chassis.pictures.settings import MediaSettings, picture_store
from services.chassis.pictures.store import StoreAway, probe

_REMEDIES: Final = {
    "denied": "give the key of GRID_MEDIA_KEY_ID the rights to put, get, list and delete there",
    "no_bucket": "make the bucket of GRID_MEDIA_URL, or correct its name",
    "unreachable": "correct GRID_MEDIA_ENDPOINT, or let this machine reach it",
}
_CONFINED: Final = "from services.chassis.pictures.confine import confine; raise SystemExit(0 if confine() else 3)"


def examine(home: Path) -> Iterator[Finding]:
    """Both findings."""
    yield store(home)
    yield workshop()


def store(home: Path) -> Finding:
    """A little can be written, read and removed again."""
    try:
        kept = picture_store(MediaSettings(), home / "media")
    except (ValidationError, ValueError) as error:
        return Finding(Verdict.BAD, f"picture store: {_told(error)}", "correct GRID_MEDIA_URL")
    try:
        asyncio.run(probe(kept, f"doctor-{socket.gethostname()}-{os.getpid()}"))
    except StoreAway as away:
        return Finding(Verdict.BAD, f"pictures in {kept.describe()}: {away.why}", _REMEDIES[away.why])
    except OSError as error:
        return Finding(Verdict.BAD, f"pictures in {kept.describe()}: {error.strerror}", "mend or change GRID_MEDIA_URL")
    return Finding(Verdict.OK, f"pictures in {kept.describe()}")


def workshop() -> Finding:
    """Whether this kernel lets a process give up its system calls."""
    ended = subprocess.run([sys.executable, "-I", "-c", _CONFINED], check=False, timeout=60)  # noqa: S603 - this very interpreter
    if ended.returncode == 0:
        return Finding(Verdict.OK, "pictures are made by a process without network")
    return Finding(
        Verdict.HINT,
        "this kernel has no filter of system calls: pictures are made under limits of memory and time alone",
        "use a kernel with CONFIG_SECCOMP_FILTER",
    )


def _told(error: ValidationError | ValueError) -> str:
    return str(error.errors()[0]["msg"]) if isinstance(error, ValidationError) else str(error)

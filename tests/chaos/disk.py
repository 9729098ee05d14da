"""A small disk for PostgreSQL alone, which can be filled to the last byte. Needs the right to mount."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

CLONE_NEWNS = 0x0002_0000
SIZE_MB = 1536
"""Room for a long run's tables and write-ahead log."""
BLOCK = 1 << 20


def own_mounts() -> bool:
    """Give the calling thread, and whoever it starts, mounts of their own; False where that is not allowed.

    To be called from the main thread. The mounts end with the last of these processes.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() != 0 or libc.unshare(CLONE_NEWNS) != 0:
        return False
    return subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True, check=False).returncode == 0


@dataclass(slots=True)
class SmallDisk:
    """A file system in memory, mounted at `place` before the cluster is made there."""

    place: Path
    size_mb: int = SIZE_MB

    def mount(self) -> bool:
        """False where this process may not."""
        if not own_mounts():
            return False
        words = ["mount", "-t", "tmpfs", "-o", f"size={self.size_mb}m,mode=0755", "grid-chaos", str(self.place)]
        return subprocess.run(words, capture_output=True, check=False).returncode == 0

    def unmount(self) -> None:
        """Give it up, whatever is still open there."""
        subprocess.run(["umount", "--lazy", str(self.place)], capture_output=True, check=False)

    def fill(self) -> int:
        """Leave not a byte; answers how many it took."""
        with self._ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(b"\0" * BLOCK) == BLOCK:
                pass
        return self._ballast.stat().st_size

    def free(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)

    @property
    def _ballast(self) -> Path:
        return self.place / "ballast"

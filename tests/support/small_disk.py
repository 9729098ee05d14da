"""A disk of a few megabytes that can be filled and cleared: a real file system, not a pretended error.

As root it is a tmpfs mounted for the test. Without rights it is a tmpfs inside a user namespace of its own, which
everybody may make where the kernel allows it, reached through the root folder of the process that holds it.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_STEP = 1 << 20
_HOLD = 'mount -t tmpfs -o size="$1"m,mode=0755 grid-test "$2" && echo mounted && exec sleep infinity'


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """Its folder, with everything a test puts there."""

    folder: Path

    @property
    def free(self) -> int:
        """Bytes left."""
        return shutil.disk_usage(self.folder).free

    def fill(self, leave: int = 0) -> None:
        """Take all room but `leave` bytes."""
        step = _STEP
        with self._ballast.open("ab") as ballast:
            while step:
                try:
                    ballast.write(bytes(min(step, max(self.free - leave, 0))))
                    ballast.flush()
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    step //= 16
                if self.free <= leave:
                    return

    def clear(self) -> None:
        """Give back what `fill` took."""
        self._ballast.unlink()

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"


@contextmanager
def small_disk(megabytes: int) -> Iterator[SmallDisk]:
    """A disk of this size; skips, loudly, where the machine can make none at all."""
    point = Path(tempfile.mkdtemp(prefix="grid-test-disk-", dir="/tmp"))
    point.chmod(0o755)
    why = ""
    for way in (_mounted, _held):
        opened = way(megabytes, point)
        folder = next(opened)
        if isinstance(folder, Path):
            try:
                yield SmallDisk(folder)
            finally:
                next(opened, None)
                point.rmdir()
            return
        why += f"\n{way.__doc__} {folder}"
    point.rmdir()
    pytest.skip(f"NOT TESTED ON THIS MACHINE: what a full disk does. It can make no small disk:{why}")


def _mounted(megabytes: int, point: Path) -> Iterator[Path | str]:
    """By mounting it (root):"""
    options = f"size={megabytes}m,mode=0755"
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "grid-test", str(point)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        yield made.stderr.strip()
        return
    yield point
    subprocess.run(["umount", "--lazy", str(point)], check=True)


def _held(megabytes: int, point: Path) -> Iterator[Path | str]:
    """In a user namespace (anybody):"""
    words = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", _HOLD, "sh", str(megabytes), str(point)]
    holder = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert holder.stdout is not None
    said = holder.stdout.readline().strip()
    if said != "mounted":
        holder.wait()
        yield said
        return
    yield Path(f"/proc/{holder.pid}/root{point}")
    holder.kill()
    holder.wait()


def reachable(folder: Path) -> None:
    """Let the account that servers run as pass."""
    os.chmod(folder, 0o755)

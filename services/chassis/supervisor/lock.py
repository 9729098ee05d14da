"""One supervisor per GRID_HOME: a lock that the kernel lets go of when the process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType


class AlreadyRunning(RuntimeError):
    """Another supervisor holds this GRID_HOME."""

    def __init__(self, pid: str) -> None:
        super().__init__(f"`grid up` already runs on this GRID_HOME (process {pid or 'unknown'}); `grid stop` ends it")


class HomeLock:
    """Held while in the `with` block; the file is gone afterwards."""

    def __init__(self, home: Path) -> None:
        self._path = home / "run" / "supervisor.pid"
        self._fd = -1

    def __enter__(self) -> HomeLock:
        self._path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        while True:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pid = os.read(fd, 20).decode().strip()
                os.close(fd)
                raise AlreadyRunning(pid) from None
            if self._still_named(fd):
                break
            os.close(fd)  # its former holder removed the name between our open and our lock
        os.truncate(fd, 0)
        os.write(fd, f"{os.getpid()}\n".encode())
        self._fd = fd
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._path.unlink(missing_ok=True)
        os.close(self._fd)

    def _still_named(self, fd: int) -> bool:
        try:
            return os.path.samestat(os.fstat(fd), self._path.stat())
        except FileNotFoundError:
            return False


def holder(home: Path) -> int | None:
    """Process id of the supervisor that holds `home`, or None."""
    path = home / "run" / "supervisor.pid"
    try:
        with path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read().strip() or 0) or None
            return None
    except FileNotFoundError:
        return None

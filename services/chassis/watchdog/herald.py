"""Where heartbeats go: to a socket in systemd's way (`NOTIFY_SOCKET`, which `grid up` offers as well), and to the
time stamp of a file, for a container's health check. Neither ever holds the process up."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path

from services.chassis.watchdog.beat import BadBeat, Beat

FIELD = "X_GRID_BEAT="


class Herald:
    """Sends heartbeats; where nobody wants any, it does nothing."""

    def __init__(self, notify: str | None, file: Path | None) -> None:
        self._address = notify and ("\0" + notify[1:] if notify.startswith("@") else notify)
        self._file = file
        self._socket: socket.socket | None = None

    def send(self, beat: Beat) -> None:
        """One heartbeat. What cannot be delivered (a full queue, a full disk) is dropped: the next one comes."""
        if self._address:
            with contextlib.suppress(OSError):
                self._open().sendto(message(beat).encode(), self._address)
        if self._file is not None and beat.verdict is None:
            with contextlib.suppress(OSError):
                _touch(self._file)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()

    def _open(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)
        return self._socket


def message(beat: Beat) -> str:
    """A datagram as sd_notify(3) describes it; systemd passes over fields it does not know."""
    lines = [f"{FIELD}{beat.encode()}"]
    if beat.verdict is None:
        lines += ["WATCHDOG=1", f"STATUS={status_line(beat)}"]
    return "\n".join(lines) + "\n"


def status_line(beat: Beat) -> str:
    """For `systemctl status`."""
    doing = f"waiting for {beat.waits_for}" if beat.waits_for else "at work" if beat.serving else "no work assigned"
    return f"{doing}, {beat.rss_mb} MB"


def read_message(datagram: bytes) -> Beat:
    """The heartbeat in a datagram; raises BadBeat."""
    for line in datagram.decode("utf-8", "replace").splitlines():
        if line.startswith(FIELD):
            return Beat.decode(line.removeprefix(FIELD))
    raise BadBeat("no heartbeat in it")


def _touch(file: Path) -> None:
    try:
        os.utime(file)
    except FileNotFoundError:
        file.touch()

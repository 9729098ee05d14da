"""Where parts send their heartbeats: a socket in systemd's manner, known to them as NOTIFY_SOCKET.

Its name is abstract: no file that a full disk or a long path could spoil, and gone with the supervisor. The kernel says
which process a datagram comes from, so no other process can speak for a part.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Callable
from typing import Final

from services.chassis.ids import SystemIds
from services.chassis.watchdog.beat import BadBeat, Beat
from services.chassis.watchdog.herald import read_message

_CREDENTIALS: Final = struct.Struct("3i")
_DATAGRAM: Final = 4096

Heard = Callable[[int, Beat], None]
"""Told the process id and its heartbeat."""


class Ear:
    """Open for as long as the supervisor runs."""

    def __init__(self, heard: Heard) -> None:
        self._heard = heard
        self.address = f"@grid-{os.getpid()}-{SystemIds().token(6)}"
        self._socket: socket.socket | None = None

    def open(self) -> None:
        """Listen in the running loop."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind("\0" + self.address[1:])
        self._socket.setblocking(False)
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self.drain)

    def drain(self) -> None:
        """Hear everything that has arrived by now."""
        while self._socket is not None:
            try:
                datagram, ancillary, _, _ = self._socket.recvmsg(_DATAGRAM, socket.CMSG_SPACE(_CREDENTIALS.size))
            except (BlockingIOError, InterruptedError):
                return
            sender = next(
                (_CREDENTIALS.unpack(raw)[0] for _, kind, raw in ancillary if kind == socket.SCM_CREDENTIALS), 0
            )
            try:
                beat = read_message(datagram)
            except BadBeat:
                continue
            self._heard(sender, beat)

    def close(self) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None

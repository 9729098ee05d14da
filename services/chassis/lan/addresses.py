"""Under which addresses other machines of the network reach this one."""

from __future__ import annotations

import fcntl
import socket
import struct
from contextlib import suppress
from ipaddress import IPv4Address
from typing import Final

SIOCGIFADDR: Final = 0x8915
SOMEWHERE: Final = ("192.0.2.1", 9)
"""Nothing is sent there; the kernel only says from which address it would."""


def lan_addresses() -> list[IPv4Address]:
    """The machine's IPv4 addresses but loopback, the one it speaks to the world from first."""
    found = [address for name in _interfaces() if (address := _address_of(name)) is not None]
    first = _outward()
    return sorted({each for each in found if not each.is_loopback}, key=lambda each: (each != first, each))


def _interfaces() -> list[str]:
    return [name for _, name in socket.if_nameindex()]


def _address_of(interface: str) -> IPv4Address | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        request = struct.pack("256s", interface[:15].encode())
        with suppress(OSError):
            return IPv4Address(fcntl.ioctl(asking.fileno(), SIOCGIFADDR, request)[20:24])
    return None


def _outward() -> IPv4Address | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking, suppress(OSError):
        asking.connect(SOMEWHERE)
        return IPv4Address(asking.getsockname()[0])
    return None

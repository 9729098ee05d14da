"""What `LAN=1` means for a run: papers, ports, what the parts have to know, and what a person is told."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

import segno

from services.chassis.clock import Clock
from services.chassis.engines import EngineFailed
from services.chassis.lan.addresses import lan_addresses
from services.chassis.lan.authority import Papers, papers_for
from services.chassis.lan.door import Door

FIRST_PORT: Final = 8440
"""The page with the certificate; the services with TLS come behind it."""
SERVICES: Final = ("intake", "dispatch", "escalation")


@dataclass(frozen=True, slots=True)
class LanPlan:
    """Made before the parts start."""

    address: IPv4Address
    papers: Papers
    first_port: int

    @classmethod
    def make(cls, home: Path, clock: Clock, first_port: int) -> LanPlan:
        """`first_port` 0: the usual one. Raises EngineFailed where this machine is in no network."""
        addresses = lan_addresses()
        if not addresses:
            raise EngineFailed("LAN=1: this machine has no address in any network")
        return cls(addresses[0], papers_for(home / "secrets" / "lan", addresses, clock.now()), first_port or FIRST_PORT)

    @property
    def environment(self) -> Mapping[str, str]:
        """For every part."""
        ports = {f"GRID_{service.upper()}_HTTPS_PORT": str(self._port(service)) for service in SERVICES}
        return {
            **ports,
            "GRID_HTTPS_CERTIFICATE": str(self.papers.certificate),
            "GRID_HTTPS_KEY": str(self.papers.key),
        }

    @property
    def door(self) -> Door:
        """The page a phone begins with."""
        form, desk = self._url("intake", "/m/"), self._url("dispatch", "/desk/")
        return Door(self.papers.authority, self.papers.fingerprint, form, desk)

    @property
    def begin(self) -> str:
        """Where the phone begins."""
        return f"http://{self.address}:{self.first_port}/"

    async def open_door(self) -> None:
        """Raises OSError where the port is taken."""
        await self.door.open(self.first_port)

    def lines(self) -> list[str]:
        """For the terminal: a warning, the addresses, the code to scan."""
        code = io.StringIO()
        segno.make(self.begin, error="l").terminal(code, border=2, compact=True)
        return [
            "LAN=1: everybody in this network can now reach the sign-in pages; the sample's passwords are public.",
            "Use it in a network you trust, and with sample data only.",
            "",
            f"on a phone begin here    {self.begin}",
            f"上报   the phone form    {self._url('intake', '/m/')}",
            f"待办   the role desks    {self._url('dispatch', '/desk/')}",
            f"指挥   the console       {self._url('dispatch', '/console/')}",
            f"certificate, SHA-256     {self.papers.fingerprint}",
            *code.getvalue().splitlines(),
            "",
        ]

    def _port(self, service: str) -> int:
        return self.first_port + 1 + SERVICES.index(service)

    def _url(self, service: str, path: str) -> str:
        return f"https://{self.address}:{self._port(service)}{path}"

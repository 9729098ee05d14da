"""What counts as one caller on the network."""

from __future__ import annotations

import ipaddress


def network_of(address: str) -> str:
    """What counts as one address: of IPv6 the first half, since one line has all of the other half."""
    if "." in address and ":" not in address:
        return address[:60]
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:60]
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)

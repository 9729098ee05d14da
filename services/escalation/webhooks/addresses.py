"""Which addresses deliveries may go to.

A name is judged when it is resolved, a literal address here; the same parsed address is then called, so that no two
readers of one URL can come to different hosts.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from yarl import URL

_IPv4 = ipaddress.IPv4Address
_NOT_PUBLIC: Final = tuple(
    ipaddress.ip_network(block)
    for block in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        *("::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16"),
        *("3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"),
    )
)
"""Blocks that no receiver on the internet has, those that carry an IPv4 address inside among them."""
_NUMBER: Final = re.compile(r"\d+|0x[0-9a-f]*", re.IGNORECASE)
DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class RefusedAddressError(OSError):
    """The target is not public, or the address is not one we deliver to."""


def is_public(address: str) -> bool:
    """Whether an IP address may be called: globally reachable, also after undoing IPv4-in-IPv6."""
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        return is_public(str(ip.ipv4_mapped))
    if any(ip.version == block.version and ip in block for block in _NOT_PUBLIC):
        return False
    return ip.is_global and not ip.is_multicast


def target_of(url: str) -> URL:
    """The address as it would be called. Raises RefusedAddressError where it is none of ours, whoever vouches."""
    try:
        target = URL(url)
        port = target.port
    except ValueError as error:
        raise RefusedAddressError("the address cannot be read") from error
    if target.scheme not in DEFAULT_PORTS:
        raise RefusedAddressError("only https is allowed")
    if not target.raw_host or not port:
        raise RefusedAddressError("the address needs a host and a port above 0")
    if target.user is not None or target.password is not None:
        raise RefusedAddressError("the address may not carry a user or a password")
    _refuse_disguise(target.raw_host)
    return target


def check_target(url: str, allowed: frozenset[str]) -> None:
    """Refuses an address that may never be called. Raises RefusedAddressError; names are judged when resolved."""
    target = target_of(url)
    if vouched(target, allowed):
        return
    if target.scheme != "https":
        raise RefusedAddressError("only https is allowed")
    literal = literal_of(target.raw_host or "")
    if literal is not None and not is_public(literal):
        raise RefusedAddressError("the address is not public")


def vouched(target: URL, allowed: frozenset[str]) -> bool:
    """Whether an administrator allowed this target: `host:port` for either scheme, `scheme://host:port` for one."""
    host = f"[{target.raw_host}]" if ":" in (target.raw_host or "") else target.raw_host
    place = f"{host}:{target.port}"
    bare = f"{target.raw_host}:{target.port}"
    return not allowed.isdisjoint({place, bare, f"{target.scheme}://{place}"})


def literal_of(host: str) -> str | None:
    """The IP address that a host is, None for a name."""
    try:
        return str(ipaddress.ip_address(host.split("%")[0]))
    except ValueError:
        return None


def _refuse_disguise(host: str) -> None:
    """An IPv4 address as one number, octal or hexadecimal: the system's resolver would read it, a person would not."""
    last = host.rstrip(".").rpartition(".")[2]
    if ":" in host or _NUMBER.fullmatch(last) is None:
        return
    try:
        _IPv4(host)
    except ValueError as error:
        raise RefusedAddressError("an IP address is written as four decimal numbers") from error

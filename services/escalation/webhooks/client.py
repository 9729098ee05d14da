"""The HTTP client of deliveries: every address is checked, and the checked address is the one connected to.

Checking a name and then letting the library resolve it again would leave room for DNS rebinding; so the resolver
itself refuses, and literal addresses, which bypass a resolver, are checked before.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

REPLY_CAP = 65_536
KEPT_REPLY = 2_048
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SIX_TO_FOUR = ipaddress.ip_network("2002::/16")


class RefusedAddressError(OSError):
    """The target is not public, or the address is not one we deliver to."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one attempt met. `status` None: no answer, then `error` says which kind."""

    status: int | None
    error: str | None
    latency_ms: int
    reply: str
    retry_after: str | None = None
    their_number: str | None = None  # how the receiver calls the matter, where its answer says so

    @property
    def accepted(self) -> bool:
        return self.error is None and self.status is not None and 200 <= self.status < 300


def is_public(address: str) -> bool:
    """Whether an IP address may be called: globally reachable, also after undoing IPv4-in-IPv6."""
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if ip in _NAT64 or ip in _SIX_TO_FOUR:
            return False
    return ip.is_global and not ip.is_multicast


class GuardedResolver(AbstractResolver):
    """Resolves names and drops the connection when any address is not public, unless the host:port is vouched for."""

    def __init__(self, allowed: frozenset[str]) -> None:
        self._allowed = allowed
        self._inner = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if f"{host}:{port}" not in self._allowed:
            for one in found:
                if not is_public(one["host"]):
                    raise RefusedAddressError(f"{host} leads to an address that is not public")
        return found

    async def close(self) -> None:
        await self._inner.close()


def check_target(url: str, allowed: frozenset[str]) -> None:
    """Refuses an address that may never be called. Raises RefusedAddressError; names are judged when resolved."""
    target = URL(url)
    if target.host is None or target.user is not None:
        raise RefusedAddressError("the address needs a host and no user")
    if f"{target.host}:{target.port}" in allowed:
        return
    if target.scheme != "https":
        raise RefusedAddressError("only https is allowed")
    try:
        literal = ipaddress.ip_address(target.host)
    except ValueError:
        return
    if not is_public(str(literal)):
        raise RefusedAddressError("the address is not public")


class WebhookClient:
    """Posts one message and says what came back; never follows a redirect. Build it inside the running loop."""

    def __init__(self, allowed: frozenset[str], timeout_s: float, steady: Callable[[], float]) -> None:
        self._allowed = allowed
        self._steady = steady
        connector = aiohttp.TCPConnector(
            resolver=GuardedResolver(allowed), ttl_dns_cache=0, limit=200, limit_per_host=8
        )
        self._session = aiohttp.ClientSession(
            connector=connector, timeout=aiohttp.ClientTimeout(total=timeout_s), trust_env=False
        )

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> Outcome:
        """One attempt. Errors of the way come back as an Outcome; only cancellation is raised."""
        began = self._steady()
        try:
            check_target(url, self._allowed)
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                reply = await response.content.read(REPLY_CAP)
                kept = reply[:KEPT_REPLY].decode("utf-8", "replace").replace("\x00", "")
                return Outcome(response.status, None, self._since(began), kept, response.headers.get("retry-after"))
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            return Outcome(None, _kind(error), self._since(began), "")

    async def close(self) -> None:
        await self._session.close()

    def _since(self, began: float) -> int:
        return int((self._steady() - began) * 1000)


def _kind(error: BaseException) -> str:
    causes = (error, error.__cause__, getattr(error, "os_error", None))
    if any(isinstance(cause, RefusedAddressError) for cause in causes):
        return "refused_address"
    if isinstance(error, asyncio.TimeoutError):
        return "timeout"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "no_connection"
    return type(error).__name__

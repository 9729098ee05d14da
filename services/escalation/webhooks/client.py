"""The HTTP client of deliveries: every address is checked, and the checked address is the one connected to.

Checking a name and then letting the library resolve it again would leave room for DNS rebinding; so the resolver
itself refuses, and each socket looks once more at the address that it is about to be connected to. Places that an
administrator vouches for have connections of their own, so that none of them is left over when he takes that back.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from services.escalation.webhooks.addresses import RefusedAddressError, check_target, is_public, target_of, vouched

REPLY_CAP: Final = 65_536
KEPT_REPLY: Final = 2_048
CONNECT_WITHIN_S: Final = 10.0
PLACES: Final = 200
PLACES_EACH: Final = 64
_reached: ContextVar[list[str]] = ContextVar("reached")
"""The address of the connection that this attempt made or was given."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one attempt met. `status` None: no answer, then `error` says which kind. `address`: whom it reached."""

    status: int | None
    error: str | None
    latency_ms: int
    reply: str
    retry_after: str | None = None
    their_number: str | None = None  # how the receiver calls the matter, where its answer says so
    address: str | None = None

    @property
    def accepted(self) -> bool:
        return self.error is None and self.status is not None and 200 <= self.status < 300


class GuardedResolver(AbstractResolver):
    """Resolves a name once and drops it when any of its addresses is not public."""

    def __init__(self, inner: AbstractResolver | None = None) -> None:
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        for one in found:
            if not is_public(one["host"]):
                raise RefusedAddressError(f"{host} leads to an address that is not public")
        return found

    async def close(self) -> None:
        await self._inner.close()


class _Answer(aiohttp.ClientResponse):
    """An answer that remembers where it came from: its connection is given back before anybody could ask."""

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        peer = connection.transport.get_extra_info("peername") if connection.transport is not None else None
        if peer is not None:
            _reached.get([]).append(str(peer[0]))
        return await super().start(connection)


class WebhookClient:
    """Posts one message and says what came back; never follows a redirect. Build it inside the running loop.

    `allowed` answers which places may be called though they are not public; `tls` is for receivers with a certificate
    authority of their own, or that want to see our certificate.
    """

    def __init__(
        self,
        allowed: Callable[[], frozenset[str]],
        timeout_s: float,
        steady: Callable[[], float],
        tls: ssl.SSLContext | None = None,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._allowed = allowed
        self._steady = steady
        timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=min(timeout_s, CONNECT_WITHIN_S))
        self._public = _session(GuardedResolver(resolver), _public_socket, timeout, tls)
        self._vouched = _session(resolver or ThreadedResolver(), _noted_socket, timeout, tls)

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> Outcome:
        """One attempt. Errors of the way come back as an Outcome; only cancellation is raised."""
        began, reached = self._steady(), list[str]()
        token = _reached.set(reached)
        try:
            allowed = self._allowed()
            check_target(url, allowed)
            target = target_of(url)
            session = self._vouched if vouched(target, allowed) else self._public
            return await self._posted(session, target, headers, body, began, reached)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            return Outcome(None, _kind(error), self._since(began), "", address=_last(reached))
        finally:
            _reached.reset(token)

    async def _posted(
        self,
        session: aiohttp.ClientSession,
        target: URL,
        headers: dict[str, str],
        body: bytes,
        began: float,
        reached: list[str],
    ) -> Outcome:
        async with session.post(target, data=body, headers=headers, allow_redirects=False) as response:
            told = (await _read(response)).decode("utf-8", "replace").replace("\x00", "")
            patience = response.headers.get("retry-after")
            return Outcome(response.status, None, self._since(began), told, patience, address=_last(reached))

    async def close(self) -> None:
        await self._public.close()
        await self._vouched.close()

    def _since(self, began: float) -> int:
        return int((self._steady() - began) * 1000)


def _session(
    resolver: AbstractResolver,
    make_socket: Callable[[Any], socket.socket],
    timeout: aiohttp.ClientTimeout,
    tls: ssl.SSLContext | None,
) -> aiohttp.ClientSession:
    """Nothing of the environment counts, no cookie is kept, and what an answer says is read as it came."""
    connector = aiohttp.TCPConnector(
        resolver=resolver,
        ttl_dns_cache=0,
        limit=PLACES,
        limit_per_host=PLACES_EACH,
        socket_factory=make_socket,
        ssl=tls or True,
    )
    return aiohttp.ClientSession(
        connector=connector,
        timeout=timeout,
        trust_env=False,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        response_class=_Answer,
        headers={"accept-encoding": "identity", "user-agent": "grid-webhooks/1"},
    )


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The beginning of an answer; what lies beyond the cap is never taken in."""
    parts, size = [], 0
    async for part in response.content.iter_chunked(REPLY_CAP):
        parts.append(part[: REPLY_CAP - size])
        size += len(parts[-1])
        if size >= REPLY_CAP:
            response.close()
            break
    return b"".join(parts)


def _public_socket(info: Any) -> socket.socket:
    if not is_public(str(info[4][0])):
        raise RefusedAddressError(f"{info[4][0]} is not public")
    return _noted_socket(info)


def _noted_socket(info: Any) -> socket.socket:
    family, kind, protocol, _, address = info
    _reached.get([]).append(str(address[0]))
    return socket.socket(family=family, type=kind, proto=protocol)


def _last(reached: list[str]) -> str | None:
    return reached[-1] if reached else None


def _kind(error: BaseException) -> str:
    causes = (error, error.__cause__, error.__context__, getattr(error, "os_error", None))
    if any(isinstance(cause, RefusedAddressError) for cause in causes):
        return "refused_address"
    if isinstance(error, asyncio.TimeoutError):
        return "timeout"
    if isinstance(error, aiohttp.ClientSSLError):
        return "tls"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "no_connection"
    return type(error).__name__

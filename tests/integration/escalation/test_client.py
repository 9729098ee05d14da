"""The client of deliveries on real sockets: names that change their mind, redirects, answers that never end, and
receivers with an authority of their own."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.chassis.clock import monotonic
from services.escalation.settings import WebhookSettings
from services.escalation.webhooks.client import REPLY_CAP, WebhookClient

pytestmark = pytest.mark.anyio
ENDLESS = 40 * 1024 * 1024


@dataclass
class House:
    """A receiver that must not be reached unless somebody vouches for it."""

    port: int = 0
    taken: list[str] = field(default_factory=list)
    sent: int = 0

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.taken.append(request.path)
        await request.read()
        if request.path == "/away":
            return web.Response(status=307, headers={"location": f"http://127.0.0.1:{self.port}/elsewhere"})
        if request.path == "/slow":
            await asyncio.sleep(60)
        if request.path != "/endless":
            return web.Response(text="taken", headers={"set-cookie": "a=b"})
        answer = web.StreamResponse()
        await answer.prepare(request)
        with suppress(ConnectionError):  # whoever has read enough hangs up
            while self.sent < ENDLESS:
                await answer.write(b"x" * 65_536)
                self.sent += 65_536
        return answer


@dataclass
class Rebinding(AbstractResolver):
    """A name server that gives another answer each time it is asked; the last one for ever."""

    answers: list[list[str]]

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        given = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(hostname=host, host=one, port=port, family=socket.AF_INET, proto=0, flags=0) for one in given
        ]

    async def close(self) -> None:
        """Nothing is open."""


async def serve(house: House, tls: ssl.SSLContext | None = None) -> web.AppRunner:
    app = web.Application()
    app.router.add_post("/{path:.*}", house.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    house.port = runner.addresses[0][1]
    return runner


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = House()
    runner = await serve(made)
    yield made
    await runner.cleanup()


@pytest.fixture
async def opened() -> AsyncIterator[Callable[..., WebhookClient]]:
    made: list[WebhookClient] = []

    def open_client(
        *allowed: str,
        timeout_s: float = 20.0,
        tls: ssl.SSLContext | None = None,
        resolver: AbstractResolver | None = None,
    ) -> WebhookClient:
        made.append(WebhookClient(lambda: frozenset(allowed), timeout_s, monotonic, tls, resolver))
        return made[-1]

    yield open_client
    for one in made:
        await one.close()


@pytest.mark.parametrize(
    "answers",
    [
        [["127.0.0.1"]],
        [["203.0.114.9", "127.0.0.1"]],
        [["::ffff:127.0.0.1"]],
        [["169.254.169.254"]],
    ],
)
async def test_a_name_is_called_only_when_every_address_of_it_is_public(
    house: House, opened: Callable[..., WebhookClient], answers: list[list[str]]
) -> None:
    outcome = await opened(resolver=Rebinding(answers)).post(f"https://platform.example:{house.port}/", {}, b"{}")
    assert (outcome.status, outcome.error) == (None, "refused_address")
    assert house.taken == []


async def test_a_name_that_was_public_and_leads_home_the_next_time_is_refused(
    house: House, opened: Callable[..., WebhookClient]
) -> None:
    """The name is asked once for each connection, and that answer is the one that is used."""
    client = opened(resolver=Rebinding([["192.0.2.1"], ["127.0.0.1"]]), timeout_s=5)
    for _ in range(2):
        outcome = await client.post(f"https://platform.example:{house.port}/", {}, b"{}")
        assert outcome.error == "refused_address"
    assert house.taken == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"])
async def test_ways_home_are_closed(house: House, opened: Callable[..., WebhookClient], host: str) -> None:
    for scheme in ("http", "https"):
        outcome = await opened().post(f"{scheme}://{host}:{house.port}/", {}, b"{}")
        assert (outcome.status, outcome.error) == (None, "refused_address")
    assert house.taken == []


async def test_a_redirect_is_an_answer_and_is_not_followed(house: House, opened: Callable[..., WebhookClient]) -> None:
    outcome = await opened(f"127.0.0.1:{house.port}").post(f"http://127.0.0.1:{house.port}/away", {}, b"{}")
    assert (outcome.status, outcome.accepted, outcome.address) == (307, False, "127.0.0.1")
    assert house.taken == ["/away"]


async def test_what_is_taken_back_ends_at_once_though_a_connection_is_still_there(house: House) -> None:
    allowed = {f"http://127.0.0.1:{house.port}"}
    client = WebhookClient(lambda: frozenset(allowed), 10.0, monotonic)
    assert (await client.post(f"http://127.0.0.1:{house.port}/", {}, b"{}")).accepted
    allowed.clear()
    assert (await client.post(f"http://127.0.0.1:{house.port}/", {}, b"{}")).error == "refused_address"
    await client.close()
    assert house.taken == ["/"]


async def test_of_an_answer_that_never_ends_only_the_beginning_is_taken(
    house: House, opened: Callable[..., WebhookClient]
) -> None:
    outcome = await opened(f"127.0.0.1:{house.port}").post(f"http://127.0.0.1:{house.port}/endless", {}, b"{}")
    assert (outcome.status, len(outcome.reply)) == (200, REPLY_CAP)
    assert house.sent < ENDLESS


async def test_whoever_does_not_answer_in_time_is_left(house: House, opened: Callable[..., WebhookClient]) -> None:
    client = opened(f"127.0.0.1:{house.port}", timeout_s=0.5)
    outcome = await client.post(f"http://127.0.0.1:{house.port}/slow", {}, b"{}")
    assert (outcome.status, outcome.error, outcome.address) == (None, "timeout", "127.0.0.1")


async def test_a_receiver_with_an_authority_of_its_own_sees_our_certificate(
    tmp_path: Path, opened: Callable[..., WebhookClient]
) -> None:
    ca = _authority(tmp_path)
    theirs, ours = _issued(ca, tmp_path, "receiver"), _issued(ca, tmp_path, "grid")
    door = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=tmp_path / "ca.pem")
    door.load_cert_chain(theirs)
    door.verify_mode = ssl.CERT_REQUIRED
    house = House()
    runner = await serve(house, door)
    url, place = f"https://127.0.0.1:{house.port}/", f"https://127.0.0.1:{house.port}"
    known = WebhookSettings(GRID_WEBHOOK_CA_FILE=tmp_path / "ca.pem", GRID_WEBHOOK_CLIENT_CERT_FILE=ours)
    nameless = WebhookSettings(GRID_WEBHOOK_CA_FILE=tmp_path / "ca.pem")
    assert (await opened(place, tls=known.tls()).post(url, {}, b"{}")).accepted
    assert (await opened(place, tls=nameless.tls()).post(url, {}, b"{}")).status is None
    assert (await opened(place).post(url, {}, b"{}")).error == "tls"
    await runner.cleanup()
    assert house.taken == ["/"]


@dataclass
class _Authority:
    key: ec.EllipticCurvePrivateKey
    name: x509.Name


def _authority(folder: Path) -> _Authority:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ca")])
    made = _certificate(name, name, key.public_key(), key, x509.BasicConstraints(ca=True, path_length=0))
    (folder / "ca.pem").write_bytes(made)
    return _Authority(key, name)


def _issued(ca: _Authority, folder: Path, who: str) -> Path:
    """A certificate and its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    at_home = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, who)])
    made = _certificate(name, ca.name, key.public_key(), ca.key, at_home)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{who}.pem"
    path.write_bytes(made + secret)
    return path


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    signer: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> bytes:
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        .sign(signer, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)

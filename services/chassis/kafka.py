"""How to reach Kafka, told once for Faust, the relay and the admin commands.

`KAFKA_URL`: `kafka://host:port,host:port` in plain text, `kafkas://…` over TLS. A user and password in it turn on SASL.
Options behind `?`: `mechanism` (SCRAM-SHA-512, the default, SCRAM-SHA-256 or PLAIN), `cafile`, `certfile`, `keyfile`.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from services.chassis.clock import monotonic

_OPTIONS: Final = frozenset({"mechanism", "cafile", "certfile", "keyfile"})
_MECHANISMS: Final = frozenset({"SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"})
DEFAULT_PORT: Final = 9092
MESSAGE_BYTES: Final = 1_048_576
DEAD_LETTER_BYTES: Final = 2 * MESSAGE_BYTES
"""A dead letter carries what could not be read plus why; it must never be too large for its own topic."""
METADATA_MS: Final = 5_000
"""How soon a client notices partitions that have been added. A broker that has just come back may not know its topics
yet, and a group that forms then is given nothing: its members notice by this too. The usual five minutes are too long
for both."""


class KafkaUrlError(ValueError):
    """KAFKA_URL cannot be understood; the message says which part, and never shows the password."""


@dataclass(frozen=True, slots=True)
class KafkaAddress:
    """A parsed KAFKA_URL."""

    hosts: tuple[str, ...]
    tls: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    mechanism: str = "SCRAM-SHA-512"
    cafile: str | None = None
    certfile: str | None = None
    keyfile: str | None = None

    @classmethod
    def parse(cls, url: str) -> KafkaAddress:
        """Read a KAFKA_URL; raises KafkaUrlError."""
        parts = urlsplit(url)
        if parts.scheme not in ("kafka", "kafkas"):
            raise KafkaUrlError("KAFKA_URL must begin with kafka:// or kafkas://")
        login, _, hosts = parts.netloc.rpartition("@")
        user, _, password = login.partition(":")
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if unknown := options.keys() - _OPTIONS:
            raise KafkaUrlError(f"KAFKA_URL has unknown options {sorted(unknown)}; known are {sorted(_OPTIONS)}")
        if options.get("mechanism", "PLAIN") not in _MECHANISMS:
            raise KafkaUrlError(f"KAFKA_URL: mechanism must be one of {sorted(_MECHANISMS)}")
        return cls(
            hosts=tuple(_with_port(host) for host in hosts.split(",")),
            tls=parts.scheme == "kafkas",
            username=unquote(user) or None,
            password=unquote(password) or None,
            **options,
        )

    @property
    def protocol(self) -> str:
        """Kafka's own name for how we speak."""
        return ("SASL_" if self.username else "") + ("SSL" if self.tls else "PLAINTEXT")

    def ssl_context(self) -> ssl.SSLContext | None:
        """TLS with certificates checked, or None for plain text."""
        if not self.tls:
            return None
        context = ssl.create_default_context(cafile=self.cafile)
        if self.certfile:
            context.load_cert_chain(self.certfile, self.keyfile)
        return context

    def client_options(self) -> dict[str, Any]:
        """Keyword arguments every aiokafka client takes."""
        options: dict[str, Any] = {
            "bootstrap_servers": list(self.hosts),
            "security_protocol": self.protocol,
            "ssl_context": self.ssl_context(),
        }
        if self.username:
            options |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password or "",
            }
        return options

    def faust_broker(self) -> str:
        """The address in Faust's own grammar."""
        return "kafka://" + ";".join(self.hosts)


def _with_port(host: str) -> str:
    if not host:
        raise KafkaUrlError("KAFKA_URL names no host")
    name, colon, port = host.rpartition(":")
    if not colon:
        return f"{host}:{DEFAULT_PORT}"
    if not name or not port.isdigit():
        raise KafkaUrlError(f"KAFKA_URL: {host!r} is not host:port")
    return host


def idempotent_producer(address: KafkaAddress, client_id: str) -> AIOKafkaProducer:
    """The relay's producer: acknowledged by all replicas, each message once per producer's life, in order sent."""
    return AIOKafkaProducer(  # type: ignore[no-untyped-call]
        **address.client_options(),
        client_id=client_id,
        enable_idempotence=True,
        acks="all",
        linger_ms=5,
        max_batch_size=262_144,
        max_request_size=DEAD_LETTER_BYTES,
        request_timeout_ms=30_000,
        metadata_max_age_ms=METADATA_MS,
    )


@asynccontextmanager
async def admin_client(address: KafkaAddress) -> AsyncIterator[AIOKafkaAdminClient]:
    """An admin connection for the length of a block."""
    client = AIOKafkaAdminClient(**address.client_options(), client_id="grid-admin", request_timeout_ms=20_000)
    await client.start()  # type: ignore[no-untyped-call]
    try:
        yield client
    finally:
        await client.close()  # type: ignore[no-untyped-call]


class RateLimit(logging.Filter):
    """Lets each distinct message of a logger through once per `every` seconds.

    Kafka's client writes hundreds of equal lines a second while a broker is away.
    """

    def __init__(self, every: float = 10.0, clock: Callable[[], float] = monotonic) -> None:
        super().__init__()
        self._every = every
        self._clock = clock
        self._last: dict[tuple[str, int, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        key = (record.name, record.levelno, str(record.msg))
        now = self._clock()
        if now - self._last.get(key, -self._every) < self._every:
            return False
        self._last[key] = now
        return True


def quiet_client_logs() -> None:
    """Rate-limit the Kafka client's loggers of this process."""
    for name in ("aiokafka", "aiokafka.conn", "aiokafka.client", "aiokafka.cluster", "aiokafka.producer.sender",
                 "aiokafka.consumer.group_coordinator", "aiokafka.consumer.fetcher"):  # fmt: skip
        logging.getLogger(name).addFilter(RateLimit())

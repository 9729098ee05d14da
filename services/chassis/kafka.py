"""How to reach Kafka, told once for Faust, the relay and the admin commands; and the topics the system needs.

`KAFKA_URL`: `kafka://host:port,host:port` in plain text, `kafkas://…` over TLS. A user and password in it turn on SASL.
Options behind `?`: `mechanism` (SCRAM-SHA-512, the default, SCRAM-SHA-256 or PLAIN), `cafile`, `certfile`, `keyfile`.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from schemas.topics import DEAD_DAYS, DEAD_PARTITIONS
from services.chassis.clock import monotonic

_OPTIONS: Final = frozenset({"mechanism", "cafile", "certfile", "keyfile"})
_MECHANISMS: Final = frozenset({"SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"})
DEFAULT_PORT: Final = 9092
MESSAGE_BYTES: Final = 1_048_576
DEAD_LETTER_BYTES: Final = 2 * MESSAGE_BYTES
"""A dead letter carries what could not be read plus why; it must never be too large for its own topic."""


class KafkaUrlError(ValueError):
    """KAFKA_URL cannot be understood; the message says which part, and never shows the password."""


class TopicsDiffer(Exception):
    """Kafka's topics are not what the code expects, in a way no command may change by itself."""


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


class WantedTopic(Protocol):
    """What a row of `schemas.topics` tells about a topic."""

    @property
    def name(self) -> str: ...
    @property
    def dlq(self) -> str: ...
    @property
    def partitions(self) -> int: ...
    @property
    def retention_days(self) -> int: ...


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """One topic as Kafka should have it."""

    name: str
    partitions: int
    config: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which Kafka is not as it should be; `blocking` ones no command repairs by itself."""

    topic: str
    what: str
    blocking: bool = False


def specs_of(topics: Iterable[WantedTopic], replication: int) -> tuple[TopicSpec, ...]:
    """Every topic and its dead-letter topic."""
    specs = []
    in_sync = ("min.insync.replicas", str(max(1, replication - 1)))
    common = (("cleanup.policy", "delete"), in_sync, ("unclean.leader.election.enable", "false"))
    for topic in topics:
        keep = ("retention.ms", str(topic.retention_days * 86_400_000))
        specs.append(TopicSpec(topic.name, topic.partitions, (*common, keep)))
        dead = (("retention.ms", str(DEAD_DAYS * 86_400_000)), ("max.message.bytes", str(DEAD_LETTER_BYTES)))
        specs.append(TopicSpec(topic.dlq, DEAD_PARTITIONS, (*common, *dead)))
    return tuple(specs)


async def check_topics(address: KafkaAddress, topics: Iterable[WantedTopic], replication: int) -> list[Difference]:
    """What `apply_topics` would change, and what it could not."""
    async with admin_client(address) as admin:
        return await _differences(admin, specs_of(topics, replication))


async def apply_topics(address: KafkaAddress, topics: Iterable[WantedTopic], replication: int) -> list[Difference]:
    """Create missing topics and set their options; answers what it changed.

    Raises TopicsDiffer where the number of partitions differs: growing it would move keys away from their order.
    """
    specs = specs_of(topics, replication)
    async with admin_client(address) as admin:
        found = await _differences(admin, specs)
        if blocking := [each for each in found if each.blocking]:
            raise TopicsDiffer("; ".join(f"{each.topic}: {each.what}" for each in blocking))
        touched = {each.topic for each in found}
        existing = set(await admin.list_topics())
        await _create(admin, [spec for spec in specs if spec.name not in existing], replication)
        changed = [spec for spec in specs if spec.name in existing and spec.name in touched]
        if changed:
            await admin.alter_configs([_resource(spec.name, dict(spec.config)) for spec in changed])
        return found


async def _create(admin: AIOKafkaAdminClient, specs: Sequence[TopicSpec], replication: int) -> None:
    if not specs:
        return
    wanted = [_new_topic(spec, replication) for spec in specs]
    response: Any = await admin.create_topics(wanted)
    for name, code, *why in response.topic_errors:
        if code not in (0, 36):  # 36: somebody else has just created it
            raise for_code(code)(f"cannot create topic {name}: {why}")


async def _differences(admin: AIOKafkaAdminClient, specs: Sequence[TopicSpec]) -> list[Difference]:
    existing = set(await admin.list_topics())
    found = [Difference(spec.name, "missing") for spec in specs if spec.name not in existing]
    present = [spec for spec in specs if spec.name in existing]
    if not present:
        return found
    partitions = {t["topic"]: len(t["partitions"]) for t in await admin.describe_topics([s.name for s in present])}
    configs = await _configs(admin, [spec.name for spec in present])
    for spec in present:
        if partitions[spec.name] != spec.partitions:
            what = f"{partitions[spec.name]} partitions instead of {spec.partitions}"
            found.append(Difference(spec.name, what, blocking=True))
        for name, value in spec.config:
            actual = configs[spec.name].get(name)
            if actual != value:
                found.append(Difference(spec.name, f"{name} is {actual}, should be {value}"))
    return found


async def _configs(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, dict[str, str]]:
    responses: list[Any] = await admin.describe_configs([_resource(name) for name in names])
    return {
        name: {entry[0]: entry[1] for entry in entries}
        for response in responses
        for _, _, _, name, entries in response.resources
    }


def _new_topic(spec: TopicSpec, replication: int) -> NewTopic:
    return NewTopic(  # type: ignore[no-untyped-call]
        spec.name, spec.partitions, replication, topic_configs=dict(spec.config)
    )


def _resource(topic: str, config: dict[str, str] | None = None) -> ConfigResource:
    return ConfigResource(ConfigResourceType.TOPIC, topic, config)  # type: ignore[no-untyped-call]


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

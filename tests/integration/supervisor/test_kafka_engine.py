"""The embedded Kafka: first start, no topics of its own making, stop, crash, a taken port."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.chassis.clock import monotonic
from services.chassis.engines import EngineFailed
from services.chassis.engines.kafka import EmbeddedKafka, free_port


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="grid-test-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def broker(home: Path) -> Iterator[EmbeddedKafka]:
    engine = EmbeddedKafka(home, free_port())
    engine.start()
    yield engine
    engine.remove()


async def topics(broker: EmbeddedKafka, create: str | None = None) -> set[str]:
    client = AIOKafkaAdminClient(bootstrap_servers=broker.url.removeprefix("kafka://"))
    await client.start()
    try:
        if create is not None:
            await client.create_topics([NewTopic(create, 12, 1)])
        return set(await client.list_topics())
    finally:
        await client.close()


@pytest.mark.anyio
async def test_it_takes_topics_and_makes_none_itself(broker: EmbeddedKafka) -> None:
    assert "grid.test" not in await topics(broker)
    assert "grid.test" in await topics(broker, create="grid.test")


def test_it_listens_on_loopback_alone(broker: EmbeddedKafka) -> None:
    settings = (broker.home / "kafka" / "server.properties").read_text()
    listeners = next(line for line in settings.splitlines() if line.startswith("listeners="))
    assert listeners.count("127.0.0.1") == 2
    assert "auto.create.topics.enable=false" in settings


def test_it_stops_and_starts_with_the_same_storage(broker: EmbeddedKafka) -> None:
    identity = (broker.home / "kafka" / "data" / "meta.properties").read_text()
    broker.stop()
    assert not broker.ready()
    broker.start()
    assert (broker.home / "kafka" / "data" / "meta.properties").read_text() == identity


def test_it_is_back_soon_after_kill_9(broker: EmbeddedKafka) -> None:
    settings = (broker.home / "kafka" / "server.properties").read_text()
    assert "broker.session.timeout.ms=3000" in settings  # what decides how long the controller refuses it
    broker.crash()
    began = monotonic()
    broker.start()
    assert monotonic() - began < 90


def test_a_taken_port_is_named_with_the_remedy(home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(EngineFailed, match="GRID_KAFKA_PORT"):
            EmbeddedKafka(home / "second", other.getsockname()[1]).start()


def test_half_formatted_storage_is_made_again(home: Path) -> None:
    engine = EmbeddedKafka(home / "third", free_port())
    (home / "third" / "kafka" / "data").mkdir(parents=True)
    (home / "third" / "kafka" / "data" / "bootstrap.checkpoint").write_bytes(b"half")
    try:
        engine.start()
        assert engine.ready()
    finally:
        engine.remove()

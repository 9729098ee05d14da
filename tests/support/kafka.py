"""A real Kafka for tests: one broker per test process, started when the first test asks for it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from services.chassis.engines.kafka import EmbeddedKafka, free_port
from services.chassis.kafka import KafkaAddress, admin_client


@pytest.fixture(scope="session")
def kafka_url() -> Iterator[str]:
    home = Path(tempfile.mkdtemp(prefix="grid-test-kafka-"))
    broker = EmbeddedKafka(home, port=free_port())
    try:
        broker.start()
        yield broker.url
    finally:
        broker.stop()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def kafka_address(kafka_url: str) -> KafkaAddress:
    return KafkaAddress.parse(kafka_url)


_numbers = count(1)


@pytest.fixture
async def topic_name(kafka_address: KafkaAddress) -> str:
    """A new empty topic with four partitions, and its dead-letter topic."""
    from aiokafka.admin import NewTopic

    name = f"test.topic{next(_numbers)}.v1"
    async with admin_client(kafka_address) as admin:
        await admin.create_topics([NewTopic(name, 4, 1), NewTopic(f"{name}.dlq", 1, 1)])
    return name

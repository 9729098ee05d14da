"""`grid topics`: the topics as Kafka has them against the topics as the code needs them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence

from aiokafka.errors import KafkaError

from schemas.topics import TOPICS
from services.chassis.grid.target import kafka_url
from services.chassis.kafka import (
    Difference,
    KafkaAddress,
    KafkaUrlError,
    TopicsDiffer,
    apply_topics,
    check_topics,
    quiet_client_logs,
)
from services.chassis.settings import KafkaSettings

PATIENCE = 60.0


def run_apply() -> int:
    """Create and adjust; 1 where that is not possible."""
    return _run(apply_topics, lambda _: 0, "changed")


def run_check() -> int:
    """Only look; 1 where something differs."""
    return _run(check_topics, lambda found: 1 if found else 0, "differs")


def _run(
    work: Callable[..., Awaitable[list[Difference]]], code: Callable[[Sequence[Difference]], int], word: str
) -> int:
    quiet_client_logs()
    try:
        address = KafkaAddress.parse(kafka_url())
        found = asyncio.run(asyncio.wait_for(work(address, TOPICS, KafkaSettings().replication), PATIENCE))
    except (KafkaUrlError, TopicsDiffer, KafkaError, OSError, TimeoutError) as error:
        sys.stderr.write(f"grid: topics: {error or type(error).__name__}\n")
        return 1
    for each in found:
        sys.stdout.write(f"{each.topic}: {each.what}\n")
    sys.stdout.write(f"{len(found)} {word}\n" if found else "topics are as they should be\n")
    return code(found)

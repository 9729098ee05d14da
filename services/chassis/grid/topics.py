"""`grid topics`: the topics as Kafka has them against the topics as the code needs them, and growing them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping

from aiokafka.errors import KafkaConnectionError, KafkaError

from schemas.topics import TOPICS
from services.chassis.clock import monotonic
from services.chassis.grid.exits import NOT_RUNNING
from services.chassis.grid.target import kafka_url
from services.chassis.groups import members_read, unread
from services.chassis.kafka import KafkaAddress, KafkaUrlError, quiet_client_logs
from services.chassis.kafka_server import KafkaUnfit, require_fit
from services.chassis.outbox.parts import group_of
from services.chassis.settings import KafkaSettings
from services.chassis.topics import Difference, TopicsDiffer, apply_topics, check_topics, grow_topics

PATIENCE = 60.0
READ_WITHIN = 90.0
"""Seconds that workers have to notice new partitions and to share them out."""
LOOK_EVERY = 1.0


def run_apply() -> int:
    """Create and adjust; 1 where that is not possible."""

    async def apply(address: KafkaAddress) -> int:
        found = await apply_topics(address, TOPICS, KafkaSettings().replication)
        _list(found, "changed")
        return 0

    return _run(apply)


def run_check() -> int:
    """Only look; 1 where something differs."""

    async def check(address: KafkaAddress) -> int:
        found = await check_topics(address, TOPICS, KafkaSettings().replication)
        _list(found, "differs")
        return 1 if found else 0

    return _run(check)


def run_grow(partitions: int) -> int:
    """Add partitions and wait until the workers read them; 1 where that is not possible, or they do not."""

    async def grow(address: KafkaAddress) -> int:
        grown = await grow_topics(address, TOPICS, partitions)
        _say(f"{', '.join(grown)}: {partitions} partitions" if grown else "nothing to grow")
        return 0 if all([await _read_whole(address, service, partitions) for service in _readers()]) else 1

    return _run(grow, PATIENCE + READ_WITHIN * len(_readers()))


async def _read_whole(address: KafkaAddress, service: str, partitions: int) -> bool:
    """Whether the service's workers read every partition in time; also where none runs, for then they will."""
    wanted = {topic.name: partitions for topic in TOPICS if service in topic.consumers}
    until = monotonic() + READ_WITHIN
    left: Mapping[str, int] = wanted
    while monotonic() < until:
        try:
            members = await members_read(address, group_of(service))
        except KafkaError:
            members = [{}]
        if not members:
            _say(f"{service}: no worker runs; the next one to start reads all of them")
            return True
        left = unread(members, wanted)
        if not left:
            _say(f"{service}: every partition is read, workers: {len(members)}")
            return True
        await asyncio.sleep(LOOK_EVERY)
    _say(f"{service}: not read by anybody: {dict(left)}. Start its workers again, one after the other")
    return False


def _readers() -> tuple[str, ...]:
    return tuple(sorted({consumer for topic in TOPICS for consumer in topic.consumers}))


def _run(work: Callable[[KafkaAddress], Awaitable[int]], patience: float = PATIENCE) -> int:
    quiet_client_logs()
    try:
        return asyncio.run(asyncio.wait_for(_fit(work), patience))
    except KafkaConnectionError as error:
        sys.stderr.write(f"grid: topics: Kafka does not answer ({error.args[0]}); `grid up` starts one\n")
        return NOT_RUNNING
    except (KafkaUrlError, KafkaUnfit, TopicsDiffer, KafkaError, OSError, TimeoutError) as error:
        sys.stderr.write(f"grid: topics: {error or type(error).__name__}\n")
        return 1


async def _fit(work: Callable[[KafkaAddress], Awaitable[int]]) -> int:
    address = KafkaAddress.parse(kafka_url())
    await require_fit(address)
    return await work(address)


def _list(found: list[Difference], word: str) -> None:
    for each in found:
        _say(f"{each.topic}: {each.what}")
    count = sum(1 for each in found if not each.by_hand)
    if count:
        _say(f"{count} {word}")
    elif not found:
        _say("topics are as they should be")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()

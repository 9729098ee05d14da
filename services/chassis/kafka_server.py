"""What a Kafka cluster must be for this system: how new, and whether it answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.admin import ApiVersionRequest
from aiokafka.protocol.metadata import MetadataRequest

from services.chassis.clock import monotonic
from services.chassis.kafka import KafkaAddress

LEAST_VERSION: Final = "3.7"
"""The oldest release the whole system was run on."""
SETTLED_WITHIN_S: Final = 30.0
_PRODUCE: Final = 0
_PRODUCE_OF_LEAST: Final = 10
"""A broker does not tell its release, only which version of each request it takes; this one came with 3.7."""


class KafkaUnfit(Exception):
    """This cluster cannot carry the system; the text says why and what would."""


@dataclass(frozen=True, slots=True)
class KafkaFacts:
    """What a cluster says of itself. `produce`: the newest produce request each broker that answers takes."""

    produce: dict[int, int]

    @property
    def brokers(self) -> int:
        return len(self.produce)


async def read_facts(address: KafkaAddress) -> KafkaFacts:
    """Ask every broker of the cluster; one that does not answer is left out. Raises KafkaError where none does."""
    produce: dict[int, int] = {}
    async with _client(address) as client:
        for node in client.cluster.brokers():
            with suppress(KafkaError):  # it has just died and is in the list still
                produce[node.nodeId] = await _newest_produce(client, node.nodeId)
    return KafkaFacts(produce)


async def known_everywhere(address: KafkaAddress, partitions: Mapping[str, int]) -> bool:
    """Wait until each broker tells of these topics with at least so many partitions; False where one never does.

    Brokers learn of a change one after the other, and a client asks any of them.
    """
    until = monotonic() + SETTLED_WITHIN_S
    async with _client(address) as client:
        while monotonic() < until:
            nodes = [node.nodeId for node in client.cluster.brokers()]
            if all([await _knows(client, node, partitions) for node in nodes]):
                return True
            await asyncio.sleep(0.2)
    return False


def unfit(facts: KafkaFacts) -> list[str]:
    """Why nothing may start on this cluster; empty where it will do."""
    old = sorted(node for node, version in facts.produce.items() if version < _PRODUCE_OF_LEAST)
    if not old:
        return []
    return [f"Kafka is too old on broker {', '.join(map(str, old))}: {LEAST_VERSION} or newer is needed"]


async def require_fit(address: KafkaAddress) -> KafkaFacts:
    """Raises KafkaUnfit; answers what it read."""
    facts = await read_facts(address)
    if reasons := unfit(facts):
        raise KafkaUnfit("; ".join(reasons))
    return facts


@asynccontextmanager
async def _client(address: KafkaAddress) -> AsyncIterator[Any]:
    client: Any = AIOKafkaClient(  # type: ignore[no-untyped-call]
        **address.client_options(), client_id="grid-admin", request_timeout_ms=10_000
    )
    try:
        await client.bootstrap()
        yield client
    finally:
        await client.close()


async def _knows(client: Any, node: int, partitions: Mapping[str, int]) -> bool:
    try:
        answer = await client.send(node, MetadataRequest(list(partitions)))
    except KafkaError:
        return False
    rows = {topic["topic"]: topic["partitions"] for topic in answer.to_object()["topics"]}
    led = {name: sum(1 for row in rows.get(name, ()) if row["leader"] >= 0) for name in partitions}
    return all(led[name] >= count for name, count in partitions.items())


async def _newest_produce(client: Any, node: int) -> int:
    answer = await client.send(node, ApiVersionRequest())
    versions: dict[int, int] = {key: newest for key, _, newest in answer.api_versions}
    return versions.get(_PRODUCE, 0)

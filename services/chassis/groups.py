"""What Kafka knows of the groups that read our topics: which partitions somebody reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiokafka.coordinator.protocol import ConsumerProtocol
from aiokafka.errors import for_code

from services.chassis.kafka import KafkaAddress, admin_client


async def members_read(address: KafkaAddress, group: str) -> list[Mapping[str, frozenset[int]]]:
    """For each member of the group the partitions it reads, by topic; empty where nobody is in the group.

    Raises KafkaError; one that passes while the group is being shared out anew.
    """
    async with admin_client(address) as admin:
        answers: list[Any] = await admin.describe_consumer_groups([group])
    members = []
    for code, _, state, _, _, rows, *_ in answers[0].groups:
        if code:
            raise for_code(code)(f"cannot look at group {group}")
        members += [_read(row[4]) for row in rows] if state == "Stable" else [{} for _ in rows]
    return members


def unread(members: list[Mapping[str, frozenset[int]]], wanted: Mapping[str, int]) -> dict[str, int]:
    """How many partitions of each topic no member reads; topics that are read whole are left out."""
    read = {name: frozenset[int]().union(*(m.get(name, frozenset()) for m in members)) for name in wanted}
    left = {name: len(frozenset(range(count)) - read[name]) for name, count in wanted.items()}
    return {name: count for name, count in left.items() if count}


def _read(assignment: bytes) -> Mapping[str, frozenset[int]]:
    if not assignment:
        return {}
    decoded = ConsumerProtocol.ASSIGNMENT.decode(assignment)
    return {topic: frozenset(partitions) for topic, partitions in decoded.assignment}

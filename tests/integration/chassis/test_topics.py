"""Topics are created once, kept as they should be, and never repartitioned behind anybody's back."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from services.chassis.kafka import KafkaAddress, TopicsDiffer, admin_client, apply_topics, check_topics

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Wanted:
    name: str
    partitions: int = 3
    retention_days: int = 14

    @property
    def dlq(self) -> str:
        return f"{self.name}.dlq"


async def test_missing_topics_are_created_and_then_nothing_differs(kafka_address: KafkaAddress) -> None:
    wanted = [Wanted("topics.one")]
    assert {each.what for each in await check_topics(kafka_address, wanted, 1)} == {"missing"}
    assert len(await apply_topics(kafka_address, wanted, 1)) == 2
    assert await check_topics(kafka_address, wanted, 1) == []
    assert await apply_topics(kafka_address, wanted, 1) == []


async def test_options_are_brought_back(kafka_address: KafkaAddress) -> None:
    await apply_topics(kafka_address, [Wanted("topics.two", retention_days=1)], 1)
    found = await apply_topics(kafka_address, [Wanted("topics.two")], 1)
    assert [each.topic for each in found] == ["topics.two"]
    assert "retention.ms" in found[0].what
    assert await check_topics(kafka_address, [Wanted("topics.two")], 1) == []


async def test_another_number_of_partitions_is_refused(kafka_address: KafkaAddress) -> None:
    await apply_topics(kafka_address, [Wanted("topics.three")], 1)
    with pytest.raises(TopicsDiffer, match="3 partitions instead of 4"):
        await apply_topics(kafka_address, [Wanted("topics.three", partitions=4)], 1)
    async with admin_client(kafka_address) as admin:
        (described,) = await admin.describe_topics(["topics.three"])
    assert len(described["partitions"]) == 3

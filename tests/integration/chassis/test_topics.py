"""Topics are created once, kept as they should be, and repartitioned only when somebody asks for it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from services.chassis.kafka import KafkaAddress, admin_client
from services.chassis.kafka_server import KafkaFacts, require_fit, unfit
from services.chassis.topics import TopicsDiffer, apply_topics, check_topics, grow_topics

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


async def test_options_that_an_operator_set_are_left_alone(kafka_address: KafkaAddress) -> None:
    await apply_topics(kafka_address, [Wanted("topics.four", retention_days=1)], 1)
    own = {"retention.bytes": "123456789", "retention.ms": "1"}
    async with admin_client(kafka_address) as admin:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, "topics.four", own)])
    await apply_topics(kafka_address, [Wanted("topics.four")], 1)
    assert await check_topics(kafka_address, [Wanted("topics.four")], 1) == []
    async with admin_client(kafka_address) as admin:
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, "topics.four")])
    assert {e[0]: e[1] for e in answer.resources[0][4]}["retention.bytes"] == "123456789"


async def test_topics_grow_when_somebody_asks_and_stay_grown(kafka_address: KafkaAddress) -> None:
    wanted = [Wanted("topics.five")]
    with pytest.raises(TopicsDiffer, match="missing"):
        await grow_topics(kafka_address, wanted, 6)
    await apply_topics(kafka_address, wanted, 1)
    assert await grow_topics(kafka_address, wanted, 6) == ["topics.five"]
    assert await grow_topics(kafka_address, wanted, 6) == []
    assert await check_topics(kafka_address, wanted, 1) == [], "more partitions than at first are good"
    assert await apply_topics(kafka_address, wanted, 1) == []
    with pytest.raises(TopicsDiffer, match="6 partitions already"):
        await grow_topics(kafka_address, wanted, 5)
    async with admin_client(kafka_address) as admin:
        rows = {
            t["topic"]: len(t["partitions"]) for t in await admin.describe_topics(["topics.five", "topics.five.dlq"])
        }
    assert rows == {"topics.five": 6, "topics.five.dlq": 1}


async def test_too_few_replicas_are_told_and_never_stop_the_topic(kafka_address: KafkaAddress) -> None:
    wanted = [Wanted("topics.six")]
    await apply_topics(kafka_address, wanted, 1)
    found = await apply_topics(kafka_address, wanted, 3)
    assert {(each.topic, each.by_hand, each.blocking) for each in found if "1 replicas" in each.what} >= {
        ("topics.six", True, False),
        ("topics.six.dlq", True, False),
    }
    assert not [each for each in found if "min.insync.replicas" in each.what], "two in sync would refuse every message"


async def test_the_cluster_is_new_enough_and_an_older_one_would_be_refused(kafka_address: KafkaAddress) -> None:
    facts = await require_fit(kafka_address)
    assert facts.brokers == 1
    (old,) = unfit(KafkaFacts({1: 10, 2: 9, 3: 8}))
    assert "broker 2, 3: 3.7 or newer" in old

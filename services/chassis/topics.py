"""The topics as Kafka should have them: made, compared, grown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from schemas.topics import DEAD_DAYS, DEAD_PARTITIONS
from services.chassis.kafka import DEAD_LETTER_BYTES, KafkaAddress, admin_client
from services.chassis.kafka_server import known_everywhere

MOST_REPLICAS: Final = 3
"""So many where nobody says otherwise and the cluster has as many brokers."""
OFFSETS: Final = "__consumer_offsets"
"""Kafka's own topic of what was read; where it has one replica, one dead broker stops the groups it looks after."""
_ALREADY_THERE: Final = 36
_SET_FOR_THE_TOPIC: Final = 1


class TopicsDiffer(Exception):
    """Kafka's topics are not what the code expects, in a way no command may change by itself."""


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
    """One topic as Kafka should have it; more partitions than these are good too."""

    name: str
    partitions: int
    config: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which Kafka is not as it should be.

    `blocking`: nothing works until a person has changed it; `by_hand`: it works, and only a person can make it better.
    """

    topic: str
    what: str
    blocking: bool = False
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class _Present:
    """A topic as it is."""

    partitions: int
    replicas: int
    config: Mapping[str, str]
    own: Mapping[str, str]
    """What was set for this topic, by us or by a person; the rest of `config` are the broker's defaults."""


def specs_of(topics: Iterable[WantedTopic], replication: int) -> tuple[TopicSpec, ...]:
    """Every topic and its dead-letter topic."""
    specs = []
    in_sync = ("min.insync.replicas", in_sync_of(replication))
    common = (("cleanup.policy", "delete"), in_sync, ("unclean.leader.election.enable", "false"))
    for topic in topics:
        keep = ("retention.ms", str(topic.retention_days * 86_400_000))
        specs.append(TopicSpec(topic.name, topic.partitions, (*common, keep)))
        dead = (("retention.ms", str(DEAD_DAYS * 86_400_000)), ("max.message.bytes", str(DEAD_LETTER_BYTES)))
        specs.append(TopicSpec(topic.dlq, DEAD_PARTITIONS, (*common, *dead)))
    return tuple(specs)


def in_sync_of(replicas: int) -> str:
    """How many replicas must have a message before it is acknowledged: all but one, so that one broker may die."""
    return str(max(1, replicas - 1))


async def check_topics(
    address: KafkaAddress, topics: Iterable[WantedTopic], replication: int | None = None
) -> list[Difference]:
    """What `apply_topics` would change, and what it could not."""
    async with admin_client(address) as admin:
        return await _differences(admin, topics, await _replication(admin, address, replication))


async def apply_topics(
    address: KafkaAddress, topics: Iterable[WantedTopic], replication: int | None = None
) -> list[Difference]:
    """Create missing topics and set their options; answers what it changed, and what only a person can.

    `replication` None: as many replicas as there are brokers, three at most. Raises TopicsDiffer where a topic has too
    few partitions: growing moves keys, which `grow_topics` does when it is asked to.
    """
    topics = tuple(topics)
    async with admin_client(address) as admin:
        replicas = await _replication(admin, address, replication)
        specs = specs_of(topics, replicas)
        found = await _differences(admin, topics, replicas)
        if blocking := [each for each in found if each.blocking]:
            raise TopicsDiffer("; ".join(f"{each.topic}: {each.what}" for each in blocking))
        touched = {each.topic for each in found if not each.by_hand}
        present = await _present(admin, [spec.name for spec in specs])
        missing = [spec for spec in specs if spec.name not in present]
        await _create(admin, missing, replicas)
        await _settle(address, {spec.name: spec.partitions for spec in missing})
        changed = [spec for spec in specs if spec.name in present and spec.name in touched]
        if changed:
            wanted = [_resource(s.name, {**present[s.name].own, **_config(s, present[s.name])}) for s in changed]
            answers: list[Any] = await admin.alter_configs(wanted)
            _raise_first([entry for answer in answers for entry in answer.resources])
        return found


async def grow_topics(address: KafkaAddress, topics: Iterable[WantedTopic], partitions: int) -> list[str]:
    """Give every topic (not the dead-letter ones) this many partitions; answers the names of those that grew.

    Raises TopicsDiffer where one is missing or has more already: partitions cannot be taken away.
    """
    names = [topic.name for topic in topics]
    async with admin_client(address) as admin:
        present = await _present(admin, names)
        for name in names:
            if name not in present:
                raise TopicsDiffer(f"{name} is missing: run `grid topics apply` first")
            if present[name].partitions > partitions:
                raise TopicsDiffer(f"{name} has {present[name].partitions} partitions already; none can be taken away")
        growing = [name for name in names if present[name].partitions < partitions]
        if growing:
            more = NewPartitions(partitions)  # type: ignore[no-untyped-call]
            await admin.create_partitions(dict.fromkeys(growing, more))
            await _settle(address, dict.fromkeys(growing, partitions))
        return growing


async def _replication(admin: AIOKafkaAdminClient, address: KafkaAddress, wanted: int | None) -> int:
    """A broker that is away just now counts too, if KAFKA_URL names it."""
    if wanted is not None:
        return wanted
    cluster = await admin.describe_cluster()
    return min(MOST_REPLICAS, max(len(cluster["brokers"]), len(address.hosts)))


async def _settle(address: KafkaAddress, partitions: Mapping[str, int]) -> None:
    if partitions and not await known_everywhere(address, partitions):
        raise TopicsDiffer(f"not every broker tells of {', '.join(partitions)}: look at the brokers, then try again")


async def _create(admin: AIOKafkaAdminClient, specs: Sequence[TopicSpec], replication: int) -> None:
    if not specs:
        return
    wanted = [_new_topic(spec, replication) for spec in specs]
    response: Any = await admin.create_topics(wanted)
    for name, code, *why in response.topic_errors:
        if code not in (0, _ALREADY_THERE):
            raise for_code(code)(f"cannot create topic {name}: {why}")


async def _differences(admin: AIOKafkaAdminClient, topics: Iterable[WantedTopic], replication: int) -> list[Difference]:
    specs = specs_of(topics, replication)
    present = await _present(admin, [spec.name for spec in specs] + [OFFSETS])
    found = [Difference(spec.name, "missing") for spec in specs if spec.name not in present]
    for spec in specs:
        if spec.name in present:
            found += _differences_of(spec, present[spec.name], replication)
    if OFFSETS in present:
        found += _too_few_replicas(OFFSETS, present[OFFSETS], replication)
    return found


def _differences_of(spec: TopicSpec, now: _Present, replication: int) -> list[Difference]:
    found = _too_few_replicas(spec.name, now, replication)
    if now.partitions < spec.partitions:
        what = f"{now.partitions} partitions instead of {spec.partitions}; `grid topics grow` adds some"
        found.append(Difference(spec.name, what, blocking=True))
    for name, value in _config(spec, now).items():
        actual = now.config.get(name)
        if actual != value:
            found.append(Difference(spec.name, f"{name} is {actual}, should be {value}"))
    return found


def _too_few_replicas(name: str, now: _Present, replication: int) -> list[Difference]:
    if now.replicas >= replication:
        return []
    what = f"{now.replicas} replicas, should be {replication}: change it with kafka-reassign-partitions.sh"
    return [Difference(name, what, by_hand=True)]


def _config(spec: TopicSpec, now: _Present) -> dict[str, str]:
    """The options, with the number of replicas in sync that the topic's own replicas allow: more would stop it."""
    return dict(spec.config) | {"min.insync.replicas": in_sync_of(now.replicas)}


async def _present(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, _Present]:
    existing = set(await admin.list_topics())
    there = [name for name in names if name in existing]
    if not there:
        return {}
    described = {t["topic"]: t["partitions"] for t in await admin.describe_topics(there)}
    configs = await _configs(admin, there)
    return {name: _read(rows, configs[name]) for name, rows in described.items()}


def _read(rows: Sequence[Mapping[str, Any]], entries: Sequence[Sequence[Any]]) -> _Present:
    return _Present(
        partitions=len(rows),
        replicas=min(len(row["replicas"]) for row in rows),
        config={entry[0]: entry[1] for entry in entries},
        own={entry[0]: entry[1] for entry in entries if entry[3] == _SET_FOR_THE_TOPIC},
    )


async def _configs(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, Sequence[Sequence[Any]]]:
    """Per topic its options as Kafka tells them: name, value, read only, where it was set, …"""
    responses: list[Any] = await admin.describe_configs([_resource(name) for name in names])
    return {name: entries for response in responses for _, _, _, name, entries in response.resources}


def _raise_first(entries: Sequence[Any]) -> None:
    for code, why, _, name in entries:
        if code:
            raise for_code(code)(f"cannot change topic {name}: {why}")


def _new_topic(spec: TopicSpec, replication: int) -> NewTopic:
    return NewTopic(  # type: ignore[no-untyped-call]
        spec.name, spec.partitions, replication, topic_configs=dict(spec.config)
    )


def _resource(topic: str, config: dict[str, str] | None = None) -> ConfigResource:
    return ConfigResource(ConfigResourceType.TOPIC, topic, config)  # type: ignore[no-untyped-call]

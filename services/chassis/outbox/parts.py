"""What a service's relay process runs."""

from __future__ import annotations

from schemas.topics import TOPICS
from services.chassis.db import Database
from services.chassis.kafka import KafkaAddress, quiet_client_logs
from services.chassis.outbox.antientropy import AntiEntropy, Consumer, KafkaOffsets
from services.chassis.outbox.metrics import RelayMetrics
from services.chassis.outbox.producer import KafkaProducer
from services.chassis.outbox.relay import Relay
from services.chassis.outbox.tables import OutboxTables
from services.chassis.pace import PROMPT, Pace
from services.chassis.serve import Part
from services.chassis.telemetry import Metrics
from services.chassis.watchdog.weather import Weather


def group_of(service: str) -> str:
    """The Kafka group of a service's stream workers, which is also its name in the inbox. Never change it."""
    return f"grid-{service}"


def consumers_of(service: str) -> tuple[Consumer, ...]:
    """Who reads what this service publishes."""
    read: dict[str, list[str]] = {}
    for topic in TOPICS:
        if service in topic.producers:
            for consumer in topic.consumers:
                read.setdefault(consumer, []).append(topic.name)
    return tuple(Consumer(group_of(name), name, tuple(topics)) for name, topics in read.items())


def relay_parts(
    service: str,
    db: Database,
    tables: OutboxTables,
    address: KafkaAddress,
    metrics: Metrics,
    pace: Pace = PROMPT,
) -> tuple[Part, ...]:
    """The relay, and the job that finds what Kafka lost."""
    quiet_client_logs()
    told = RelayMetrics(metrics)
    relay = Relay(db, tables, lambda: KafkaProducer(address, f"{service}-relay"), told, pace=pace)
    relay.pulse.excuse = Weather(db, address).excuse
    watch = AntiEntropy(db, tables, consumers_of(service), KafkaOffsets(address), told)
    return (Part("relay", relay.run, relay.pulse), Part("anti-entropy", watch.run))

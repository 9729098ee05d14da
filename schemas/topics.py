"""One row per Kafka topic. `deploy/kafka/topics.toml` and the AsyncAPI document are generated from here."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.events.case import CASE_KINDS
from schemas.events.command import COMMAND_KINDS
from schemas.events.report import REPORT_KINDS
from schemas.events.sla import SLA_KINDS
from schemas.wire import Body

PARTITIONS = 12
"""What a topic is made with. `grid topics grow` adds some: keys then move, and consumers put their events in order."""
DEAD_PARTITIONS = 1
DEAD_DAYS = 90
"""A dead letter is kept longer than its topic: a person has to look at it."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic, what travels on it, and who is at either end. `key` says what the Kafka key is."""

    name: str
    key: str
    kinds: tuple[str, ...]
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    partitions: int = PARTITIONS
    retention_days: int = 14

    @property
    def dlq(self) -> str:
        """Where messages go that nobody can read."""
        return f"{self.name}.dlq"


def _kinds(table: dict[str, tuple[type[Body], ...]]) -> tuple[str, ...]:
    return tuple(table)


REPORT = Topic("grid.report.v1", "report id", _kinds(REPORT_KINDS), ("intake",), ("dispatch",))
CASE = Topic("grid.case.v1", "case id", _kinds(CASE_KINDS), ("dispatch",), ("intake", "escalation"))
SLA = Topic("grid.sla.v1", "case id", _kinds(SLA_KINDS), ("escalation",), ("dispatch",))
COMMAND = Topic("grid.command.v1", "case or report id", _kinds(COMMAND_KINDS), ("intake", "escalation"), ("dispatch",))

TOPICS = (REPORT, CASE, SLA, COMMAND)


def topic_of(kind: str) -> Topic:
    """The topic a kind travels on. Raises KeyError for a kind that no row names."""
    for topic in TOPICS:
        if kind in topic.kinds:
            return topic
    raise KeyError(kind)

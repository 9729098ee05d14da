"""One event as it travels: CloudEvents attributes around a typed body.

`sequence` is dense per (source, topic, subject) from 1; a consumer that sees a gap holds the key.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from schemas.wire import Body

B = TypeVar("B", bound=Body, covariant=True)


@dataclass(frozen=True, slots=True)
class Head:
    """The attributes without the body; readable even where the body's class is not known here."""

    id: UUID
    type: str
    version: int
    source: str
    subject: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Envelope(Generic[B]):
    """`id` is a UUIDv7, `subject` the report or case id and also the Kafka key, `time` is UTC."""

    id: UUID
    type: str
    version: int
    source: str
    time: datetime
    subject: str
    sequence: int
    data: B
    causation_id: UUID | None = None
    correlation_id: str | None = None
    traceparent: str | None = None

    @property
    def head(self) -> Head:
        """What a log line or a held row keeps of it."""
        return Head(self.id, self.type, self.version, self.source, self.subject, self.sequence)

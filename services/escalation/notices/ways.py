"""Where pushes can go: the robots of groups, and each person's own addresses. Secrets and addresses are sealed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Robot:
    """The robot of a group: people of `unit`, or of `area` ('' the street's own posts), look at it."""

    id: UUID
    kind: str
    name: str
    area: str
    unit: str | None
    url: bytes
    url_hint: str
    secret: bytes | None
    per_minute: int
    active: bool
    created_at: datetime
    last_success_at: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Choices:
    """A person's addresses, sealed, and the ways that he does not want."""

    addresses: bytes
    off: tuple[str, ...]

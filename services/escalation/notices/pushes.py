"""Notices on their way out, as they are written down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Push:
    """One notice by one way."""

    notice_id: int
    outlet: str
    account_id: str
    digest: bool
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """A push whose time has come; its row is locked until the transaction ends. `fact_id`: of what is one thing to
    a group, which merged notices of several people are."""

    notice_id: int
    outlet: str
    account_id: str
    digest: bool
    fact_id: UUID
    urgent: bool
    read: bool


@dataclass(frozen=True, slots=True)
class Message:
    """What goes out in one piece: to a person, or (`account_id` None) to a robot's group."""

    id: UUID
    outlet: str
    account_id: str | None
    notice_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message to send now; the lease keeps a second sender off it."""

    id: UUID
    outlet: str
    account_id: str | None
    attempt: int
    round: int


@dataclass(frozen=True, slots=True)
class Tried:
    """What one attempt met."""

    n: int
    at: datetime
    status: int | None
    latency_ms: int
    error: str | None
    reply: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Messages of the last day: how many wait, the age of the oldest of them, how many were given up."""

    waiting: int
    age_s: float
    dead: int

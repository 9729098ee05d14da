"""A report that has been checked and can be written: everything but the time and number the database gives."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson
from pydantic import BaseModel

from schemas.api.intake import PhotoIn
from services.governance.acts import CategoryRef
from services.governance.cycle import Nature, Role
from services.governance.rulebook import Rulebook
from services.intake.usecases.identity import Identity
from services.intake.usecases.place import Located


@dataclass(frozen=True, slots=True)
class Sender:
    """Who reports. `account` stays in intake when `anonymous`; `caller` owns the idempotency keys."""

    caller: str
    account: str | None
    role: Role | None
    staff: bool
    anonymous: bool = False
    name: str = ""  # as signed in; hidden wherever it stands in the words


@dataclass(frozen=True, slots=True)
class Words:
    """What people typed. Raw: goes to the vault, leaves masked."""

    text: str = ""
    place: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The outcome that an imported history row tells."""

    unit: str | None
    closed: bool
    overdue: bool
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FromFile:
    """What makes a report an imported one: its file's codes and words, and its outcome where it is history."""

    job_id: UUID
    words: Mapping[str, str | None]  # fields of schemas.events.report.ImportedV1
    unit: str | None
    recorded: Recorded | None


@dataclass(frozen=True, slots=True)
class Handed:
    """Another authority hands the matter over: by when it wants it done, and (system, number) of who knows it."""

    due: datetime | None
    external: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """One checked report under its caller's key."""

    report_id: UUID
    key: str
    body_sha256: str
    sender: Sender
    source: str
    source_event_id: str | None
    nature: Nature
    category: CategoryRef | None
    danger: bool
    life: bool
    place: Located
    words: Words
    on_the_spot: str | None
    direct: bool
    call_now: bool
    joins: str | None
    photos: tuple[PhotoIn, ...]
    occurred_at: datetime | None
    client_at: datetime | None
    rulebook: Rulebook
    sample: bool
    in_grid: bool = False
    imported: FromFile | None = None
    handed: Handed | None = None
    identity: Identity | None = None  # what a door learns with the matter; goes to the vault in the same transaction

    @property
    def known(self) -> tuple[str, ...]:
        """What is known of the reporter himself, to be hidden in his words."""
        told = (self.identity.name, self.identity.phone, self.identity.email) if self.identity else ()
        return tuple(word for word in (self.sender.name, *told) if word)


def body_digest(body: BaseModel) -> str:
    """Tells one body from another whatever the order of its fields; PostgreSQL's hex form of the SHA-256."""
    plain = body.__pydantic_serializer__.to_python(body, mode="json", exclude_unset=True)
    return "\\x" + hashlib.sha256(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)).hexdigest()


def report_id_for(key: str, otherwise: Callable[[], UUID]) -> UUID:
    """The client's own id where its key is one, so that photos can be addressed before the answer is in."""
    try:
        return UUID(key)
    except ValueError:
        return otherwise()

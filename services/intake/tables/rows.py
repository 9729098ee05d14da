"""Rows as they go into the tables: field names are column names, so that one JSON document writes a whole batch.

They are made once and written at once; frozen ones would take three times as long to make.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(slots=True)
class LedgerRow:
    """The acknowledgement. `body_sha256` is PostgreSQL's hex form of bytes."""

    report_id: UUID
    caller: str
    key: str
    body_sha256: str
    source: str
    source_event_id: str | None
    answer: str
    at: datetime


@dataclass(slots=True)
class ReportRow:
    report_id: UUID
    receipt_no: str
    reporter_ref: str
    reporter_account: str | None
    reporter_role: str | None
    anonymous: bool
    staff: bool
    source: str
    source_event_id: str | None
    nature: str
    scheme: str | None
    edition: str | None
    category: str | None
    danger: bool
    life: bool
    street: str
    community: str | None
    grid: str | None
    cell: str | None
    place_id: str | None
    lng: float | None
    lat: float | None
    raw_lng: float | None
    raw_lat: float | None
    raw_crs: str | None
    accuracy_m: float | None
    fixed_at: datetime | None
    masked_text: str
    masked_place: str
    on_the_spot: str | None
    direct: bool
    call_now: bool
    joins: str | None
    occurred_at: datetime
    submitted_at: datetime
    rulebook: str
    recorded: Mapping[str, object] | None
    imported: Mapping[str, object] | None
    import_job: UUID | None
    event_seq: int


@dataclass(slots=True)
class VaultRow:
    """Raw words. `sealed` is PostgreSQL's hex form of bytes, the open columns stay empty."""

    report_id: UUID
    sealed: str
    text: str = ""
    place_words: str = ""
    note: str = ""


@dataclass(slots=True)
class IdentityRow:
    """Who reported; `sealed` as above."""

    report_id: UUID
    sealed: str
    given_at: datetime


@dataclass(slots=True)
class PhotoRow:
    report_id: UUID
    photo_id: str
    sha256: str
    bytes: int
    mime: str
    state: str = "named"
    path: str | None = None
    stored_at: datetime | None = None
    taken_at: datetime | None = None
    fix_lng: float | None = None
    fix_lat: float | None = None
    clean_sha256: str | None = None
    look: int | None = None
    bands: Sequence[int] | None = None


@dataclass(slots=True)
class TokenRow:
    token: str
    report_id: UUID


@dataclass(slots=True)
class CaseViewRow:
    case_id: str
    case_no: str
    sequence: int
    state: str
    stage: str
    tier: str
    category: str | None
    restricted: bool
    history: bool
    community: str | None
    grid: str | None
    lng: float | None
    lat: float | None
    due_at: datetime | None
    skipped: list[dict[str, str]]
    flags: list[str]
    opened_at: datetime
    closed_at: datetime | None
    closed_as: str | None
    changed_at: datetime
    master: str | None = None


@dataclass(slots=True)
class StepRow:
    """One public step of a case; it belongs to the case's timeline on the reporter's phone."""

    case_id: str
    sequence: int
    kind: str
    state: str
    stage: str
    at: datetime


@dataclass(slots=True)
class CaseReportRow:
    report_id: UUID
    case_id: str


@dataclass(slots=True)
class CommandAnswerRow:
    """What became of a wish: `state` done or refused."""

    command_id: UUID
    state: str
    code: str | None
    answered_at: datetime

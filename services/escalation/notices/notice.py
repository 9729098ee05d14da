"""What one person is told of one fact."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypedDict
from uuid import UUID

MERGED: Final = "notice.merged"
"""The kind of a notice that stands for many that came late."""


class Detail(TypedDict, total=False):
    """Codes, and names of places and classes as they were then; of a restricted case class and community alone."""

    at: str | None  # the tier or intent that the fact's word depends on
    urgency: str
    restricted: bool
    category: str
    place: str
    clock: str | None
    act: str | None
    rule: str | None
    actor: str | None
    count: int  # of a merged notice, with the first and the last moment at which one had been due
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class NewNotice:
    """A notice to write down. `late`: it comes so long after its time that it goes into a merged one."""

    fact_id: UUID
    account_id: str
    kind: str
    case_id: str
    case_no: str
    post: str
    instead_of: str | None
    urgent: bool
    detail: Detail
    planned_at: datetime
    late: bool


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice as it was written down."""

    id: int
    fact_id: UUID
    account_id: str
    kind: str
    case_no: str | None
    post: str
    instead_of: str | None
    urgent: bool
    planned_at: datetime | None
    at: datetime
    read_at: datetime | None = None
    detail: Detail = field(default_factory=Detail)

    @property
    def merged(self) -> bool:
        return self.kind == MERGED

"""Bodies of the auditor's page: who did what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from schemas.api.base import Moment, Out


class AuditDetailOut(Out):
    """One detail of a row in words."""

    label: str
    value: str


class AuditRowOut(Out):
    """One row of the record; ids and codes only. `place` names it for good: chain and number in it."""

    place: str
    at: Moment
    service: str = Field(description="where it was written: a service, or a grid command")
    account: str | None = Field(description="who; null where nobody was recognised")
    account_name: str | None
    action: str
    label: str
    subject: str | None = Field(description="the id of what it was done to")
    subject_name: str | None = Field(description="its name, where it is a person or a unit")
    outcome: str = Field(description="done or refused")
    reason: str | None
    reason_label: str | None
    details: Mapping[str, Any]
    told: tuple[AuditDetailOut, ...] = Field(description="the details in the reader's words")
    request_id: str | None
    address: str | None


class AuditPageOut(Out):
    """Newest first."""

    items: tuple[AuditRowOut, ...]
    next: str | None = None

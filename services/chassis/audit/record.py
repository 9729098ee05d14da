"""Adding a row."""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.chassis.audit.actions import Audited, Outcome
from services.chassis.audit.where import came_from
from services.chassis.telemetry import request_id

_INSERT: Final = text(
    "INSERT INTO identity.audit_log (action, account, subject, outcome, reason, details, request_id, address)"
    " VALUES (:action, :account, :subject, :outcome, :reason, CAST(:details AS jsonb), :request_id, :address)"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is told. Ids and codes only: no secret, no name, nothing that a person typed.

    `account`: who (None: nobody known); `subject`: the id of what it was done to; `reason`: a code.
    """

    action: Audited
    account: str | None
    subject: str | None = None
    outcome: Outcome = Outcome.DONE
    reason: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


async def record(tx: AsyncConnection, *entries: Entry) -> None:
    """Add rows in `tx`; the database stamps time, service, number and hash.

    Last in its transaction: from here to the commit other writers of the same chain wait.
    """
    where = {"request_id": request_id(), "address": came_from()}
    for entry in entries:
        values = {
            "action": entry.action.value,
            "account": entry.account,
            "subject": entry.subject,
            "outcome": entry.outcome.value,
            "reason": entry.reason,
            "details": json.dumps(entry.details, ensure_ascii=False),
        }
        await tx.execute(_INSERT, {**values, **where})


def by_hand() -> str:
    """Who runs a command on this machine, as the record names him."""
    try:
        return f"cli:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:  # a container's user may have no name
        return f"cli:{os.getuid()}"

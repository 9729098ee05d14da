"""What a person does with a call-back that the machine could not act on: take it for something, or set it aside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.chassis.db import Tx, grid_now
from services.chassis.ids import IdSource
from services.chassis.outbox import OutboxTables
from services.escalation.dialects.base import Heard, Outcome
from services.escalation.store import platform
from services.escalation.store.platform import Receipt
from services.escalation.usecases.hear import pass_on


class SettledError(Exception):
    """Somebody has settled it already, or it never asked for a person."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a person takes a call-back for."""

    outcome: Outcome
    case_no: str
    note: str = ""
    unit: str | None = None
    eta: datetime | None = None


async def take_for(
    tx: Tx, outbox: OutboxTables, ids: IdSource, receipt_id: UUID, taken: Taken, by: str
) -> Receipt | None:
    """Ask dispatch as if the platform had said so; its answer shows beside the call-back. None when unknown. Raises
    SettledError."""
    receipt = await _open(tx, receipt_id)
    if receipt is None:
        return None
    now = await grid_now(tx)
    heard = Heard(
        message_id=receipt.webhook_id,
        word=receipt.word,
        at=now,
        raw={},
        outcome=taken.outcome,
        unit=taken.unit,
        eta=taken.eta,
        ground=taken.note,
    )
    values = {"state": "passed_on", "answer": None, "code": None, "answered_at": None, "case_no": taken.case_no}
    mapped = {"mapped_as": taken.outcome, "mapped_by": by, "mapped_at": now}
    await platform.change(tx, receipt.id, {**values, **mapped})
    await pass_on(tx, outbox, ids, receipt.webhook_id, heard, (None, taken.case_no))
    return await platform.by_id(tx, receipt_id)


async def set_aside(tx: Tx, receipt_id: UUID, reason: str, by: str) -> Receipt | None:
    """Nothing follows from it, and why. None when unknown. Raises SettledError."""
    receipt = await _open(tx, receipt_id)
    if receipt is None:
        return None
    await platform.change(tx, receipt.id, {"aside_by": by, "aside_at": await grid_now(tx), "aside_reason": reason})
    return await platform.by_id(tx, receipt_id)


async def _open(tx: Tx, receipt_id: UUID) -> Receipt | None:
    receipt = await platform.by_id(tx, receipt_id)
    if receipt is not None and not receipt.open:
        raise SettledError
    return receipt

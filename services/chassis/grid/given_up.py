"""A command that will never be carried out is answered all the same: whoever asked must not wait for ever."""

from __future__ import annotations

from typing import Final

from sqlalchemy import MetaData

from schemas.envelope import Envelope
from schemas.events.case import CaseCommandRefusedV1
from schemas.topics import CASE, COMMAND
from services.chassis.db import Tx, grid_now
from services.chassis.ids import IdSource
from services.chassis.outbox import Outgoing, outbox_tables, publish
from services.chassis.streams.byhand import Gone

DISPATCH: Final = "dispatch"
CODE: Final = "given_up"


async def answer(tx: Tx, service: str, gone: Gone, ids: IdSource) -> bool:
    """Refuse the command that was given up, in dispatch's name; False where it was none."""
    if service != DISPATCH or gone.topic != COMMAND.name or gone.event_id is None:
        return False
    command = str(gone.event_id)
    refusal = Envelope(
        id=ids.uuid7(),
        type="case.command_refused",
        version=1,
        source=f"grid/{DISPATCH}",
        time=await grid_now(tx),
        subject=command,
        sequence=1,
        data=CaseCommandRefusedV1(command_id=command, command=gone.headers.get("ce_type", ""), code=CODE),
        causation_id=gone.event_id,
        correlation_id=gone.headers.get("ce_correlationid"),
    )
    await publish(tx, outbox_tables(MetaData(schema=DISPATCH), DISPATCH), [Outgoing(CASE.name, refusal)])
    return True

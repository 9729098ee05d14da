"""The platform's call-backs: counted once by webhook-id, passed to dispatch as a command, or kept as unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Literal

from pydantic import ValidationError

from schemas.api.escalation import PlatformDataIn, PlatformEventIn
from schemas.envelope import Envelope
from schemas.events.case import CaseCommandRefusedV1
from schemas.events.command import CallbackV1
from schemas.events.parts import ActorV1
from schemas.topics import COMMAND
from schemas.wire import Body
from services.chassis.db import Tx
from services.chassis.ids import IdSource
from services.chassis.outbox import OutboxTables, Outgoing, next_sequences, publish
from services.chassis.telemetry import redact
from services.escalation.store import platform
from services.escalation.store.platform import Answer
from services.escalation.usecases.fire import SOURCE
from services.governance.cycle import Role

Outcome = Literal["accepted", "refused", "returned", "disposed", "closed"]
CORRELATION: Final = "platform/"
"""Stands before the webhook-id in the command's correlation id, which dispatch's answer carries back."""
OUTCOMES: Final[dict[str, Outcome]] = {
    "accepted": "accepted",
    "refused": "refused",
    "returned": "returned",
    "disposed": "disposed",
    "closed": "closed",
}


async def hear(
    tx: Tx, outbox: OutboxTables, ids: IdSource, webhook_id: str, event: PlatformEventIn
) -> Literal["passed_on", "unknown", "repeated"]:
    """Keep the call-back and ask dispatch; a repeat changes nothing, an unknown word is kept to be seen."""
    outcome = OUTCOMES.get(event.type.removeprefix("case."))
    try:
        data = PlatformDataIn.model_validate(event.data) if outcome else None
    except ValidationError:
        data = None
    body = event.model_dump(mode="json")
    state: Literal["passed_on", "unknown"] = "unknown" if data is None else "passed_on"
    if not await platform.keep(tx, webhook_id, event.type, body, state):
        return "repeated"
    if data is not None and outcome is not None:
        asked = replace(await _command(tx, outbox, ids, event, data, outcome), correlation_id=CORRELATION + webhook_id)
        await publish(tx, outbox, [Outgoing(COMMAND.name, asked)])
    return state


def answers_in(events: Sequence[Envelope[Body]]) -> list[Answer]:
    """What these case events answer to call-backs of ours; a fact is a yes."""
    return [
        Answer(event.correlation_id.removeprefix(CORRELATION), *_meaning(event.data), event.time)
        for event in events
        if event.correlation_id is not None and event.correlation_id.startswith(CORRELATION)
    ]


def _meaning(body: Body) -> tuple[Literal["done", "refused"], str | None]:
    return ("refused", body.code) if isinstance(body, CaseCommandRefusedV1) else ("done", None)


async def _command(
    tx: Tx, outbox: OutboxTables, ids: IdSource, event: PlatformEventIn, data: PlatformDataIn, what: Outcome
) -> Envelope[CallbackV1]:
    numbers = await next_sequences(tx, outbox, COMMAND.name, [data.case_no])
    command_id = ids.uuid7()
    return Envelope(
        id=command_id,
        type="command.callback",
        version=1,
        source=SOURCE,
        time=event.timestamp,
        subject=data.case_no,
        sequence=numbers[data.case_no],
        data=CallbackV1(
            command_id=str(command_id),
            case_no=data.case_no,
            actor=ActorV1(role=Role.DISTRICT),
            asked_at=event.timestamp,
            outcome=what,
            platform_id=data.platform_id,
            unit=data.unit,
            eta=data.eta,
            masked_note=redact(data.ground or ""),
        ),
    )

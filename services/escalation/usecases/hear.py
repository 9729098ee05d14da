"""Platforms' call-backs: counted once by webhook-id, passed to dispatch as a command, or kept for a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal
from uuid import UUID

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
from services.escalation.dialects.base import Heard
from services.escalation.store import platform
from services.escalation.store.platform import Answer
from services.escalation.usecases.fire import SOURCE
from services.governance.cycle import Role

CORRELATION: Final = "platform/"
"""Stands before the webhook-id in the command's correlation id, which dispatch's answer carries back."""
LONGEST_ID: Final = 255


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose platform calls: an endpoint of ours and the partner it stands for; neither: the one with the common
    secret."""

    endpoint_id: UUID | None = None
    partner: str | None = None

    def own(self, message_id: str) -> str:
        """The id under which its message counts once; two platforms may number alike."""
        return message_id if self.endpoint_id is None else f"{self.endpoint_id}/{message_id}"


async def hear(
    tx: Tx, outbox: OutboxTables, ids: IdSource, caller: Caller, heard: Heard
) -> Literal["passed_on", "unknown", "noted", "repeated"]:
    """Keep the call-back and ask dispatch. A repeat changes nothing; what asks nothing of us is noted; what we cannot
    act on is kept for a person."""
    case_id, case_no = await _case(tx, caller, heard)
    asks = heard.outcome is not None and (case_id is not None or case_no is not None)
    state: platform.State = "passed_on" if asks else "noted" if heard.quiet else "unknown"
    webhook_id = caller.own(heard.message_id)
    kept = {
        "id": ids.uuid7(),
        "webhook_id": webhook_id,
        "type": heard.word,
        "body": dict(heard.raw),
        "state": state,
        "endpoint_id": caller.endpoint_id,
        "case_no": heard.case_no or heard.number,
    }
    if not await platform.keep(tx, kept):
        return "repeated"
    if asks:
        await pass_on(tx, outbox, ids, webhook_id, heard, (case_id, case_no))
    return state


async def pass_on(
    tx: Tx, outbox: OutboxTables, ids: IdSource, webhook_id: str, heard: Heard, case: tuple[str | None, str | None]
) -> None:
    """Ask dispatch; its answer finds the call-back by the webhook-id. `case`: its id, its number."""
    asked = replace(await _command(tx, outbox, ids, heard, case), correlation_id=CORRELATION + webhook_id)
    await publish(tx, outbox, [Outgoing(COMMAND.name, asked)])


def answers_in(events: Sequence[Envelope[Body]]) -> list[Answer]:
    """What these case events answer to call-backs of ours; a fact is a yes."""
    return [
        Answer(event.correlation_id.removeprefix(CORRELATION), *_meaning(event.data), event.time)
        for event in events
        if event.correlation_id is not None and event.correlation_id.startswith(CORRELATION)
    ]


def _meaning(body: Body) -> tuple[Literal["done", "refused"], str | None]:
    return ("refused", body.code) if isinstance(body, CaseCommandRefusedV1) else ("done", None)


async def _case(tx: Tx, caller: Caller, heard: Heard) -> tuple[str | None, str | None]:
    """(id, number) of the case that is meant: our number where they give it, else the case that they know by theirs. A
    number that nobody brought may be ours: what we hand over without theirs goes under our own."""
    if heard.case_no is not None:
        return None, heard.case_no
    if heard.number is None:
        return None, None
    known = await platform.case_known_as(tx, heard.number, caller.partner)
    return (known, None) if known is not None else (None, heard.number)


async def _command(
    tx: Tx, outbox: OutboxTables, ids: IdSource, heard: Heard, case: tuple[str | None, str | None]
) -> Envelope[CallbackV1]:
    case_id, case_no = case
    key = case_no or case_id
    assert key is not None, "only a call-back about a case is passed on"
    assert heard.outcome is not None, "only a call-back that asks something is passed on"
    numbers = await next_sequences(tx, outbox, COMMAND.name, [key])
    command_id = ids.uuid7()
    return Envelope(
        id=command_id,
        type="command.callback",
        version=1,
        source=SOURCE,
        time=heard.at,
        subject=key,
        sequence=numbers[key],
        data=CallbackV1(
            command_id=str(command_id),
            case_id=case_id,
            case_no=case_no,
            actor=ActorV1(role=Role.DISTRICT),
            asked_at=heard.at,
            outcome=heard.outcome,
            platform_id=heard.their_number,
            unit=heard.unit,
            eta=heard.eta,
            masked_note=redact(heard.ground),
        ),
    )

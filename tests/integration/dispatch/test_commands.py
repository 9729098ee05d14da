"""What intake and escalation ask for: every kind is answered once, by a fact or by a refusal that names the command."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from schemas.envelope import Envelope
from schemas.events.command import COMMAND_KINDS, CallbackV1, CommandV1, JoinV1, RateV1
from schemas.events.parts import ActorV1
from schemas.wire import Body
from services.chassis.inbox import InboxTables
from services.chassis.outbox.tables import OutboxTables
from services.chassis.streams.batch import BatchRunner
from services.chassis.streams.message import Message
from services.chassis.streams.metrics import StreamMetrics
from services.chassis.telemetry import Metrics
from services.dispatch.tables import inbox, outbox
from services.dispatch.usecases.take import Taking, Tools
from services.governance.cycle import Role
from tests.integration.dispatch.conftest import Street
from tests.support.events import message as in_kafka

pytestmark = pytest.mark.anyio


async def asked(street: Street, kind: str, **changes: Any) -> Body:
    """A command about the newest case, by the reporter of its report."""
    (case,) = await street.rows(
        "SELECT c.id, c.case_no, r.report_id FROM dispatch.cases c JOIN dispatch.case_reports r ON r.case_id = c.id"
        " ORDER BY c.opened_at DESC, c.case_no DESC LIMIT 1"
    )
    values: dict[str, Any] = {
        "command_id": str(street.ids.uuid7()),
        "case_id": str(case.id),
        "report_id": str(case.report_id),
        "by_reporter": True,
        "actor": ActorV1(account=await street.account("wangge01"), role=Role.REPORTER),
        "asked_at": await street.now(),
    }
    if kind == "command.rate":
        return RateV1(**{**values, "grade": "satisfied", **changes})
    if kind == "command.join":
        return JoinV1(**{**values, **changes})
    if kind == "command.callback":
        platform = {"by_reporter": False, "actor": ActorV1(role=Role.DISTRICT), "outcome": "accepted"}
        return CallbackV1(**{**values, **platform, **changes})
    return CommandV1(**{**values, **changes})


async def answers(street: Street, command: UUID) -> list[tuple[str, str | None]]:
    """(type, code) of every event that names the command."""
    rows = await street.rows(
        "SELECT headers ->> 'ce_type' AS kind, convert_from(payload, 'UTF8')::json ->> 'code' AS code"
        " FROM dispatch.outbox WHERE headers ->> 'ce_causationid' = :id ORDER BY id",
        id=str(command),
    )
    return [(row.kind, row.code) for row in rows]


@pytest.mark.parametrize("kind", sorted(COMMAND_KINDS))
async def test_every_kind_is_understood_and_answered(street: Street, kind: str) -> None:
    await street.opened(category=await street.category())
    (command,) = await street.take((kind, await asked(street, kind)))
    told = await answers(street, command)
    assert told
    assert ("case.command_refused", "unknown_command") not in told
    refusals = [each for each in told if each[0] == "case.command_refused"]
    assert len(refusals) == (0 if len(told) > len(refusals) else 1)


async def test_a_wish_that_is_granted_is_answered_by_its_fact(street: Street) -> None:
    await street.opened(category=await street.category())
    (command,) = await street.take(("command.urge", await asked(street, "command.urge", masked_note="还在")))
    assert ("case.urged", None) in await answers(street, command)
    assert await street.scalar("SELECT note FROM dispatch.notes") == "还在"


async def test_the_platform_has_no_say_before_a_whistle(street: Street) -> None:
    await street.opened(category=await street.category())
    (command,) = await street.take(("command.callback", await asked(street, "command.callback", outcome="refused")))
    assert await answers(street, command) == [("case.command_refused", "not_permitted")]


async def test_two_cases_become_one_by_a_person_only(street: Street) -> None:
    first = await street.opened(category=await street.category())
    await street.opened(category=await street.category())
    second = await asked(street, "command.join")
    elsewhere = second.model_copy(update={"case_id": None, "case_no": first})
    same, other = await street.take(("command.join", second), ("command.join", elsewhere))
    assert await answers(street, same) == [("case.command_refused", "no_change")]
    assert await answers(street, other) == [("case.command_refused", "merge_by_person")]


async def test_the_same_wish_under_two_messages_is_answered_once(street: Street) -> None:
    await street.opened(category=await street.category())
    wish = await asked(street, "command.urge")
    first, second = await street.take(("command.urge", wish), ("command.urge", wish))
    assert len(await answers(street, first)) == 1
    assert await answers(street, second) == []


def _worker(street: Street, tables: tuple[InboxTables, OutboxTables] = (inbox, outbox)) -> BatchRunner:
    handler = Taking(Tools(street.cache, street.ids))
    return BatchRunner("grid-dispatch", street.db, tables, handler, street.ids, StreamMetrics(Metrics("dispatch")))


@pytest.mark.parametrize("kind", ["command.urge", "command.rate"])
async def test_delivered_again_by_another_worker_it_is_still_answered_once(street: Street, kind: str) -> None:
    """What a crash between COMMIT and ack does: the same message to a fresh process, and a third time in one batch."""
    await street.opened(category=await street.category())
    wish = await asked(street, kind)
    case_id = str(getattr(wish, "case_id"))  # noqa: B009 - a union of bodies
    event = Envelope(street.ids.uuid7(), kind, 1, "grid/intake", await street.now(), case_id, 1, wish)
    copies: list[Message] = [in_kafka(event, offset, topic="grid.command.v1") for offset in range(3)]
    for batch in (copies[:1], copies[1:]):
        worker = _worker(street)
        await worker.run(worker.read(batch))
    assert len(await answers(street, event.id)) == 1

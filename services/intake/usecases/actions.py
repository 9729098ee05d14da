"""What a reporter may ask of his case, and how the wish goes on: through the outbox to the one who may decide."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson

from schemas.api.intake import ReportActionIn
from schemas.envelope import Envelope
from schemas.events.command import CommandV1, RateV1
from schemas.events.parts import ActorV1
from schemas.topics import COMMAND
from services.chassis.auth.person import Person
from services.chassis.db import Database
from services.chassis.ids import IdSource
from services.chassis.outbox import Outgoing
from services.governance.cycle import Flag, Role, State
from services.intake.store import commands
from services.intake.store.commands import Wish
from services.intake.store.reading import CaseSeen, ReportSeen
from services.intake.usecases.masking import mask
from services.intake.usecases.refusal import Refusal
from services.intake.usecases.render import PRODUCER

_OVER = frozenset({State.CLOSED, State.VOID, State.NOT_FILED, State.MERGED, State.ARCHIVED})
_BEFORE_DISPATCH = frozenset(
    {
        State.REPORTED,
        State.GRID_HANDLING,
        State.AT_COMMUNITY,
        State.COMMUNITY_HANDLING,
        State.AT_STREET,
        State.CONFIRMING,
        State.FILED,
    }
)
KINDS = {
    "urge": "command.urge",
    "withdraw": "command.withdraw",
    "confirm": "command.confirm",
    "rate": "command.rate",
    "ask_reopen": "command.reopen",
    "answer_question": "command.answer",
    "add_info": "command.add_info",
}


_AWAITED = {Flag.AWAITING_MORE: "add_info", Flag.ASKED_REPORTER: "answer_question"}
"""What somebody waits for, and how the reporter gives it."""


def awaited(case: CaseSeen | None) -> bool:
    """Whether somebody waits for words of the reporter."""
    return case is not None and any(flag.value in case.flags for flag in _AWAITED)


@dataclass(frozen=True, slots=True)
class Asked:
    """A wish was sent on; `new` False: it had been, under the same key."""

    command_id: UUID
    new: bool


def offered(case: CaseSeen | None) -> tuple[str, ...]:
    """The wishes that can be granted in the case's state; dispatch decides in the end."""
    if case is None:
        return ()
    state = State(case.state)
    if state is State.CLOSED:
        return ("rate", "ask_reopen")
    if state in _OVER:
        return ()
    actions = [wish for flag, wish in _AWAITED.items() if flag.value in case.flags] + ["urge"]
    if state is State.FED_BACK:
        actions.append("confirm")
    if state in _BEFORE_DISPATCH and case.own == case.case_id:  # others' matter is not his to take back
        actions.append("withdraw")
    return tuple(actions)


async def ask(
    db: Database, ids: IdSource, person: Person, key: str, report: ReportSeen, action: str, body: ReportActionIn
) -> Asked:
    """Send a wish on. Raises Refusal: unknown action, no case yet, a grade missing, a key used for something else."""
    if action not in KINDS:
        raise Refusal("unknown_action", status=404)
    if report.case is None:
        raise Refusal("case_not_ready", status=409)
    if action == "rate" and body.grade is None:
        raise Refusal("missing_input", "grade")
    if action in _AWAITED.values() and not body.note.strip():
        raise Refusal("missing_input", "note")
    digest = hashlib.sha256(
        orjson.dumps([str(report.report_id), action, body.model_dump(mode="json")], option=orjson.OPT_SORT_KEYS)
    ).digest()
    wish = Wish(ids.uuid7(), report.report_id, person.account_id, key, digest, action, mask(body.note))
    event = _EventOf(wish, report.case, person, body)
    kept = await commands.ask(db, wish, COMMAND.name, report.case.case_id, event)
    if kept is None:
        return Asked(wish.command_id, new=True)
    if kept.body_sha256 != digest:
        raise Refusal("idempotency_key_reused", "Idempotency-Key")
    return Asked(kept.command_id, new=False)


@dataclass(frozen=True, slots=True)
class _EventOf:
    """Makes the command's event once its number and time are known; its id is the command's, so answers find it."""

    wish: Wish
    case: CaseSeen
    person: Person
    body: ReportActionIn

    def __call__(self, sequence: int, now: datetime) -> Outgoing:
        envelope = Envelope(
            id=self.wish.command_id,
            type=KINDS[self.wish.action],
            version=1,
            source=PRODUCER,
            time=now,
            subject=self.case.case_id,
            sequence=sequence,
            data=self._body(now),
        )
        return Outgoing(COMMAND.name, envelope)

    def _body(self, now: datetime) -> CommandV1:
        common = CommandV1(
            command_id=str(self.wish.command_id),
            case_id=self.case.case_id,
            case_no=self.case.case_no,
            report_id=str(self.wish.report_id),
            actor=ActorV1(account=self.person.account_id, role=Role.REPORTER),
            by_reporter=True,
            asked_at=now,
            reason=self.body.reason,
            masked_note=mask(self.body.note),
        )
        if self.wish.action == "rate" and self.body.grade is not None:
            return RateV1(**common.model_dump(), grade=self.body.grade)
        return common

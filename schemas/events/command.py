"""What intake and escalation ask of dispatch; each is answered on the case topic with `causation_id` = this event's id.

`command_id` makes a command idempotent. Free text is masked by the sender before it comes here.
"""

from __future__ import annotations

from typing import Literal

from schemas.events.parts import ActorV1
from schemas.wire import Body, Moment


class CommandV1(Body):
    """A wish about one case. `by_reporter`: the asker is the reporter of `report_id`."""

    command_id: str
    case_id: str | None = None
    case_no: str | None = None
    report_id: str | None = None
    actor: ActorV1
    by_reporter: bool = False
    asked_at: Moment
    reason: str | None = None  # a code
    masked_note: str = ""


class RateV1(CommandV1):
    """Satisfaction: satisfied | fair | dissatisfied."""

    grade: str


class JoinV1(CommandV1):
    """A further report joins a case that its reporter recognised."""

    report_id: str


class CallbackV1(CommandV1):
    """The district platform answered a whistle or tells of its progress."""

    outcome: Literal["accepted", "refused", "returned", "disposed", "closed"]
    platform_id: str | None = None
    unit: str | None = None
    eta: Moment | None = None


COMMAND_KINDS: dict[str, tuple[type[Body], ...]] = {
    "command.urge": (CommandV1,),
    "command.withdraw": (CommandV1,),
    "command.confirm": (CommandV1,),
    "command.rate": (RateV1,),
    "command.reopen": (CommandV1,),
    "command.answer": (CommandV1,),
    "command.add_info": (CommandV1,),
    "command.join": (JoinV1,),
    "command.callback": (CallbackV1,),
}

"""Refusals. Each class has a stable `code`; its attributes are the parameters a message needs. No prose here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from services.governance.cycle import Action, State

Param = str | int | tuple[str, ...] | None


class GovernanceError(Exception):
    """Something asked for is not allowed; nothing has changed. Raise a subclass, never this one."""

    code: ClassVar[str] = "governance"

    def __new__(cls, *_args: object, **_named: object) -> GovernanceError:
        if cls is GovernanceError:
            raise TypeError("raise a subclass that names the cause")
        return super().__new__(cls)

    def __init__(self, **params: Param) -> None:
        super().__init__(self.code, params)
        self.params: Mapping[str, Param] = params


class IllegalTransition(GovernanceError):
    """The action is not possible in this state; `allowed` is what this actor could do instead."""

    code = "illegal_transition"

    def __init__(self, state: State, action: Action, allowed: Sequence[Action]) -> None:
        self.state, self.action, self.allowed = state, action, tuple(allowed)
        super().__init__(state=state.value, action=action.value, allowed=tuple(a.value for a in allowed))


class NotPermitted(GovernanceError):
    """The actor's posts do not allow the action on this case."""

    code = "not_permitted"

    def __init__(self, action: Action, why: str = "post") -> None:
        self.action, self.why = action, why
        super().__init__(action=action.value, why=why)


class SeparationOfDuties(NotPermitted):
    """Who handled does not verify; who asked does not approve."""

    code = "separation_of_duties"


class MissingInput(GovernanceError):
    """A field that the action needs is empty."""

    code = "missing_input"

    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(field=field)


class InvalidInput(GovernanceError):
    """A field holds something the action cannot take."""

    code = "invalid_input"

    def __init__(self, field: str, value: str | int | None = None, choices: Sequence[str] = ()) -> None:
        self.field = field
        super().__init__(field=field, value=value, choices=tuple(choices))


class UnknownCategory(GovernanceError):
    """The category is not in this rulebook, or in another edition of the code table."""

    code = "unknown_category"

    def __init__(self, category: str) -> None:
        super().__init__(category=category)


class UnknownCondition(GovernanceError):
    """The filing condition does not exist or belongs to another category."""

    code = "unknown_condition"

    def __init__(self, condition: str) -> None:
        super().__init__(condition=condition)


class UnknownUnit(GovernanceError):
    """The unit is not in this rulebook."""

    code = "unknown_unit"

    def __init__(self, unit: str) -> None:
        super().__init__(unit=unit)


class UnknownTask(GovernanceError):
    """No open task of that id."""

    code = "unknown_task"

    def __init__(self, task: str) -> None:
        super().__init__(task=task)


class UnknownRequest(GovernanceError):
    """No pending request of that id."""

    code = "unknown_request"

    def __init__(self, request: str) -> None:
        super().__init__(request=request)


class CoTasksOpen(GovernanceError):
    """Feedback waits until every co-task is done or waived; `units` still have one."""

    code = "co_tasks_open"

    def __init__(self, units: Sequence[str]) -> None:
        self.units = tuple(units)
        super().__init__(n=len(self.units), units=self.units)


class NotYet(GovernanceError):
    """The moment for it has not come (`what` names the rule: branch_silent, urge_gap, file)."""

    code = "not_yet"

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(what=what)


class TooLate(GovernanceError):
    """The moment for it has passed (`what` names the rule: return_window, recall, reopen, extension)."""

    code = "too_late"

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(what=what)


class LimitReached(GovernanceError):
    """It may be done so often and no more (`what`: send_down, return, extension, suspension, call_again, whistle)."""

    code = "limit_reached"

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(what=what)


class Unsettled(GovernanceError):
    """Something must be settled first (`what`: visit, supervision, request, conference, other_reports; in_time: nothing
    to appeal)."""

    code = "unsettled"

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(what=what)


class UrgentCase(GovernanceError):
    """An urgent case does not wait in the grid or the community."""

    code = "urgent_case"


class UnparsableLimit(GovernanceError):
    """A limit's text names no amount and unit that the parser knows. There is no default."""

    code = "unparsable_limit"

    def __init__(self, text: str) -> None:
        super().__init__(text=text)


class OutsideCalendar(GovernanceError):
    """The calendar does not reach so far."""

    code = "outside_calendar"

    def __init__(self, calendar: str, year: int) -> None:
        super().__init__(calendar=calendar, year=year)


@dataclass(frozen=True, slots=True)
class Complaint:
    """One hole of a rulebook: what is wrong (`code`) and where (`subject`)."""

    code: str
    subject: str


class RulebookRefused(GovernanceError):
    """The rulebook has holes; `complaints` lists all of them, not the first."""

    code = "rulebook_refused"

    def __init__(self, complaints: Sequence[Complaint]) -> None:
        self.complaints = tuple(complaints)
        super().__init__(complaints=tuple(f"{c.code}:{c.subject}" for c in complaints))


class MasterUnknown(GovernanceError):
    """There is no such case to merge into, or the actor may not read it."""

    code = "master_unknown"

    def __init__(self, case_no: str | None) -> None:
        super().__init__(field="master", value=case_no)


class MasterItself(MasterUnknown):
    """A case is no duplicate of itself, nor of what has been merged into it."""

    code = "master_itself"


class MasterEnded(MasterUnknown):
    """The master has ended, and not by a recent closing: the duplicate is a matter of its own."""

    code = "master_ended"


class MasterCalmer(MasterUnknown):
    """Danger is not merged into a matter that is treated without haste."""

    code = "master_calmer"

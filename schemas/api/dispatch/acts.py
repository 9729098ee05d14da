"""Bodies of dispatch: what may be done with a case, the forms it takes, and what is sent."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from schemas.api.base import ClientId, Code, Flagged, In, Line, Moment, Out, Text
from services.governance.acts import Inputs, InputType
from services.governance.cycle import Action, Urgency


class InputChoiceOut(Out):
    """A choice of a form field. `of`: it counts only while the form's category is this one. `detail`: what else one
    compares by."""

    id: str
    label: str
    detail: str | None = None
    of: str | None = None


class FilterChoicesOut(Out):
    """What lists of the caller's streets can be narrowed by, beside the codes of the rules."""

    community: tuple[InputChoiceOut, ...]
    category: tuple[InputChoiceOut, ...]
    unit: tuple[InputChoiceOut, ...]


class InputOut(Out):
    """One field of an action's form. `value` is what the machine proposes, to be kept or changed; `earliest` and
    `latest` bound a moment."""

    name: str
    type: InputType
    required: bool
    label: str
    choices: tuple[InputChoiceOut, ...] = ()
    value: str | tuple[str, ...] | None = None
    earliest: Moment | None = None
    latest: Moment | None = None


class ActionOut(Out):
    """What the caller may do now, with the form it takes. `ask`: somebody else decides whether it is done. `limits`:
    what holds for it, in sentences: how often, until when, who decides."""

    action: Action
    label: str
    primary: bool
    ask: bool = False
    inputs: tuple[InputOut, ...] = ()
    limits: tuple[str, ...] = ()


class UndoOut(Out):
    """What the caller did last and may still undo; `until`: so long, while nothing else happens."""

    label: str
    until: Moment


class ActionIn(In):
    """What a person fills in; which fields count is declared by the action in the case answer."""

    reason: Code | None = None
    note: Text | None = None
    category: Code | None = None
    condition: Code | None = None
    urgency: Urgency | None = None
    cell: Code | None = None
    lead_unit: Code | None = None
    co_units: Annotated[tuple[Code, ...], Field(max_length=20)] = ()
    suggested_unit: Code | None = None
    person: Code | None = None
    task: Code | None = None
    evidence: Annotated[tuple[ClientId, ...], Field(max_length=20)] = ()
    means: Code | None = None
    until: Moment | None = None
    close_condition_met: Flagged | None = None
    master: Code | None = None
    request: Code | None = None
    grade: Code | None = None
    kind: Code | None = None

    def to_inputs(self) -> Inputs:
        """The rules' own value; an empty note counts as none."""
        fields: dict[str, Any] = {name: getattr(self, name) for name in type(self).model_fields}
        return Inputs(**{**fields, "note": self.note or None})


class BulkCaseIn(In):
    """One of the cases, at the version that the caller was looking at."""

    case_no: Annotated[str, Field(min_length=1, max_length=64)]
    version: Annotated[int, Field(ge=1)]


class BulkIn(In):
    """The same act on several cases."""

    cases: Annotated[tuple[BulkCaseIn, ...], Field(min_length=1, max_length=50)]
    inputs: ActionIn = ActionIn()


class BulkResultOut(Out):
    """What became of one of them: done, or refused with the problem that the act alone would have met."""

    case_no: str
    done: bool
    version: int | None = None
    code: str | None = None
    detail: str | None = None


class BulkOut(Out):
    """A result for each case, in the order they were given."""

    results: tuple[BulkResultOut, ...]
    done: int


class ConflictOut(Out):
    """Beside a `version_conflict`: who was quicker."""

    version: int
    by_name: str | None = None
    by_post: str | None = None
    at: Moment
    action: Line

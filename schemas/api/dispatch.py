"""Bodies of dispatch: queues, the case page, actions and evidence."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from schemas.api.base import ClientId, Code, Flagged, In, Line, Moment, Out, Text
from services.governance.acts import ClockState, Inputs, InputType, TaskState
from services.governance.cycle import (
    Action,
    ClockKind,
    ClosedKind,
    Flag,
    Intent,
    Nature,
    Role,
    Stage,
    State,
    Tier,
    Urgency,
)


# --- queues --------------------------------------------------------------------------------------------------------
class QueueCountOut(Out):
    """One queue in the rail. `stage` only for group 'stage'."""

    id: str
    label: str
    group: Literal["stage", "watch", "desk"]
    stage: Stage | None = None
    open: int
    overdue: int
    oldest_at: Moment | None = None


class QueuesOut(Out):
    """All queues of the caller; `cursor` is where to subscribe from."""

    queues: tuple[QueueCountOut, ...]
    cursor: str


class DueOut(Out):
    """The clock a row shows. Seconds of `basis`: wall | work | natural."""

    clock_id: str
    kind: ClockKind
    due_at: Moment
    basis: str
    started_at: Moment
    budget_s: int
    provisional: bool


class CategoryNameOut(Out):
    """A class by code and word."""

    code: str
    name: str


class QueueRow(Out):
    """One case in a list; `community` and `unit` (the lead) are codes. Of a restricted case outside its owner chain
    only class and community are filled: how it stands, since when and how urgent it is, is then null.

    `photo` is where the small copy of its first photo is. Lists are sorted by `twice_at` (when twice the limit of `due`
    is used), `work_due_at` (the limit of the work itself), `reply_at` (by when an order is to be answered), `review_at`
    (when a suspension is looked at again), or by what `due`, `urgency` and `opened_at` say."""

    case_no: str
    version: int
    sequence: int
    state: State | None = None
    stage: Stage | None = None
    tier: Tier | None = None
    urgency: Urgency | None = None
    category: CategoryNameOut | None = None
    summary: str = ""
    address: str = ""
    owner_name: str = ""
    lead_unit: str | None = None
    community: str | None = None
    unit: str | None = None
    due: DueOut | None = None
    twice_at: Moment | None = None
    work_due_at: Moment | None = None
    reply_at: Moment | None = None
    review_at: Moment | None = None
    photo: str | None = None
    reports: int
    hand_overs: int
    opened_at: Moment | None = None
    flags: tuple[Flag, ...] = ()
    restricted: bool
    sample: bool


class QueuePageOut(Out):
    """A page of one queue; `next` goes into `after`, `cursor` into the subscription."""

    rows: tuple[QueueRow, ...]
    next: str | None = None
    cursor: str


class FoundCasesOut(QueuePageOut):
    """A page of a search, newest first. `total` comes with the first page; with `more` there are more than that."""

    total: int | None = None
    more: bool = False


class QueueCountsEvent(Out):
    """SSE `queue.counts`."""

    queues: tuple[QueueCountOut, ...]


class CaseChangedEvent(Out):
    """SSE `case.changed`; `queues` are the queues the case stands in now for this caller."""

    case_no: str
    sequence: int
    version: int
    queues: tuple[str, ...]
    row: QueueRow


class CaseGoneEvent(Out):
    """SSE `case.gone`: out of the caller's sight."""

    case_no: str


class BeatEvent(Out):
    """SSE `beat`: as of this moment everything that concerns the caller has been told."""

    at: Moment


class TodayOut(Out):
    """What a street's day has brought since midnight, of what the caller sees; `closed` by whatever road."""

    day: date
    opened: int
    closed: int


class CalendarOut(Out):
    """Working hours of the street as pairs of instants, so that a page can count working time by itself."""

    windows: tuple[tuple[Moment, Moment], ...]


# --- the case page -------------------------------------------------------------------------------------------------
class CaseCategoryOut(Out):
    """The class with scheme, edition and word; `proposed`: nobody has confirmed it."""

    scheme: str
    version: str
    code: str
    name: str
    proposed: bool = False


class OwnerOut(Out):
    """Who answers for it now."""

    tier: Tier
    code: str
    role: Role
    name: str


class PlaceOut(Out):
    """Where, in codes and words. The cell is that of the case's day; `cell_outline`, a GeoJSON polygon, comes along
    where today's cells no longer have it so."""

    street: str
    community: str | None = None
    community_name: str | None = None
    grid: str | None = None
    grid_name: str | None = None
    cell: str | None = None
    cell_name: str | None = None
    cell_outline: dict[str, Any] | None = None
    lng: float | None = None
    lat: float | None = None
    words: str = ""


class StageOut(Out):
    """One step of the bar. `skipped` says why it was not walked. `used_s` is how long the case stood there in all;
    `counted_s` is what the step's own `clock` has counted of `allowed_s`, in seconds of its `basis`. `who` acted there,
    the last three."""

    stage: Stage
    label: str
    entered_at: Moment | None = None
    left_at: Moment | None = None
    used_s: int = 0
    allowed_s: int | None = None
    counted_s: int | None = None
    basis: str | None = None
    clock: str | None = None
    skipped: str | None = None
    who: tuple[str, ...] = ()


class ClockOut(Out):
    """A deadline with its explanation in one sentence; `steps` are its parts, to be checked one by one. `over_ratio`
    (超时倍数) is (used - limit) / limit in two decimals once it is over its limit."""

    clock_id: str
    kind: ClockKind
    label: str
    state: ClockState
    basis: str
    budget_s: int
    started_at: Moment
    due_at: Moment
    original_due: Moment
    provisional: bool
    over_ratio: float | None = None
    sentence: str
    steps: tuple[str, ...]


class CasePhotoOut(Out):
    """A photo by address; `url` is below this service."""

    id: str
    url: str


class CaseReportOut(Out):
    """A report behind the case, masked."""

    id: str
    receipt_no: str
    text: str
    place_words: str
    photos: tuple[CasePhotoOut, ...] = ()
    at: Moment
    source: str


class TaskActOut(Out):
    """What a unit did last."""

    at: Moment
    label: str
    by_name: str | None = None


class TaskOut(Out):
    """One unit's or person's share: what was asked and by whom, until when (while it is open), what it did last and
    what it showed."""

    id: str
    kind: str
    unit: str | None = None
    unit_name: str | None = None
    person_name: str | None = None
    state: TaskState
    given_at: Moment
    done_at: Moment | None = None
    ask: str | None = None
    given_by: str | None = None
    due: DueOut | None = None
    last: TaskActOut | None = None
    evidence: tuple[CasePhotoOut, ...] = ()


class AbsorbedOut(Out):
    """A case that is part of this one."""

    case_no: str
    opened_at: Moment
    merged_at: Moment
    reports: int


class NearbyOut(Out):
    """Another matter close by. `distance_m` null: one of the two has no pin, they share a cell. `same_class`: it may
    be the same matter again. `due` is null where nothing runs."""

    case_no: str
    title: str
    category: str = ""
    state: State
    state_label: str
    urgency: Urgency | None = None
    reports: int
    opened_at: Moment
    distance_m: int | None = None
    lng: float | None = None
    lat: float | None = None
    same_class: bool
    open: bool
    due: DueOut | None = None


class NearbyPageOut(Out):
    """What else is open close by, and what of the same class was closed lately; the nearest first."""

    cases: tuple[NearbyOut, ...] = ()


class AskedForOut(Out):
    """One thing that was filled in with a request."""

    name: str
    label: str
    text: str


class RequestOut(Out):
    """Something asked for. `asked` is what it was filled in with, `deciders` the posts whose word is awaited."""

    id: str
    kind: Action
    label: str
    status: str
    by_name: str | None = None
    at: Moment
    until: Moment | None = None
    reason: str | None = None
    note: str | None = None
    asked: tuple[AskedForOut, ...] = ()
    deciders: tuple[str, ...] = ()


class WordOut(Out):
    """What the street wrote for who reported, under the sequence of its fact."""

    sequence: int
    kind: str
    at: Moment
    text: str


class WordsOut(Out):
    """Questions and advice of one case, oldest first."""

    words: tuple[WordOut, ...]


class TimelineOut(Out):
    """One fact in words. `recall_until`: the machine's act can be taken back until then."""

    sequence: int
    at: Moment
    kind: str
    label: str
    actor_name: str | None = None
    actor_post: str | None = None
    machine: bool
    rule: str | None = None
    note: str | None = None
    reason: str | None = None
    intent: Intent | None = None
    evidence: tuple[CasePhotoOut, ...] = ()
    recall_until: Moment | None = None
    cases: tuple[str, ...] = Field(default=(), description="numbers of the other cases that it is about")


class RouteReasonOut(Out):
    """A line of the routes that was not taken: whose it is, what it rests on, and why not, in words."""

    line: str
    unit: str = ""
    basis: str = ""
    why: str


class RoutingOut(Out):
    """The units and why; `unmatched` tells for each line 'id:reason' why it was not taken, `reasons` the same in words.

    `because` is what the matter says where the line asked for something, `line_basis` what the line rests on.
    `names`: unit code → name. `rulebook`: the version that chose.
    """

    lead: str | None = None
    co_units: tuple[str, ...] = ()
    line: str | None = None
    basis: str
    unmatched: tuple[str, ...] = ()
    rulebook_lead: str | None = None
    names: dict[str, str] = Field(default_factory=dict)
    rulebook: str = ""
    edition: str = ""
    line_basis: str = ""
    matched: tuple[str, ...] = ()
    because: tuple[str, ...] = ()
    reasons: tuple[RouteReasonOut, ...] = ()


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


class CaseOut(Out):
    """A case as one caller may see it. Restricted and out of his chain: class and community, the rest empty or null."""

    id: str = ""
    case_no: str
    version: int
    sequence: int
    stage: Stage | None = None
    state: State | None = None
    state_label: str = ""
    tier: Tier | None = None
    urgency: Urgency | None = None
    nature: Nature | None = None
    source: str = ""
    category: CaseCategoryOut | None = None
    condition: str | None = None
    condition_text: str | None = None
    close_condition: str | None = None
    cell: str | None = None
    place: PlaceOut
    owner: OwnerOut | None = None
    lead_unit: str | None = None
    lead_unit_name: str | None = None
    co_units: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()
    restricted: bool
    history: bool = False
    liaison_leader: str | None = None
    opened_at: Moment | None = None
    closed_at: Moment | None = None
    closed_as: ClosedKind | None = None
    stages: tuple[StageOut, ...] = ()
    clocks: tuple[ClockOut, ...] = ()
    reports: tuple[CaseReportOut, ...] = ()
    tasks: tuple[TaskOut, ...] = ()
    requests: tuple[RequestOut, ...] = ()
    timeline: tuple[TimelineOut, ...] = ()
    undo: UndoOut | None = None
    routing: RoutingOut | None = None
    master: str | None = Field(default=None, description="number of the case that this one was merged into")
    absorbed: tuple[AbsorbedOut, ...] = Field(default=(), description="the cases that were merged into this one")
    earlier: str | None = Field(default=None, description="number of the ended case that its reporter took it for")
    actions: tuple[ActionOut, ...] = ()
    mediator: str | None = None
    mediation: bool = False
    rulebook: str = ""
    sample: bool


# --- acting --------------------------------------------------------------------------------------------------------
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


class MediationIn(In):
    """What was said. `id` is made by the caller: sent again, it is kept once."""

    id: UUID
    text: Annotated[Text, Field(min_length=1)]


class MediationNoteOut(Out):
    """One entry of the mediation record."""

    id: UUID
    at: Moment
    by_name: str | None = None
    text: str


class MediationOut(Out):
    """The mediation record of a restricted case; it is no part of the case's timeline, exports or messages."""

    mediator: str | None = None
    may_write: bool
    notes: tuple[MediationNoteOut, ...] = ()


class EvidenceOut(Out):
    """Evidence is stored; the action may name it now."""

    id: str
    sha256: str
    bytes: int
    mime: str
    url: str


class SamePhotoOut(Out):
    """Another case in which the same picture was shown."""

    case_no: str
    at: Moment


class PhotoHintOut(Out):
    """What a photo tells beside what it shows: a hint for people. `metres_from_pin`: from where it was taken to the
    report's pin. `elsewhere`: the same picture in so many reports more, of which the caller may not read the case."""

    report_id: str
    id: str
    taken_at: Moment | None = None
    metres_from_pin: int | None = None
    same: tuple[SamePhotoOut, ...] = ()
    elsewhere: int = 0


class PhotoHintsOut(Out):
    """The stored photos of a case's reports."""

    photos: tuple[PhotoHintOut, ...] = ()


class ConflictOut(Out):
    """Beside a `version_conflict`: who was quicker."""

    version: int
    by_name: str | None = None
    by_post: str | None = None
    at: Moment
    action: Line

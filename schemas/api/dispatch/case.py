"""Bodies of dispatch: the case page and its parts."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from schemas.api.base import Moment, Out
from schemas.api.dispatch.acts import ActionOut, UndoOut
from schemas.api.dispatch.lists import DueOut
from schemas.api.dispatch.photos import CasePhotoOut
from schemas.api.dispatch.story import RequestOut, RoutingOut, TimelineOut
from services.governance.acts import ClockState, TaskState
from services.governance.cycle import ClockKind, ClosedKind, Flag, Nature, Role, Stage, State, Tier, Urgency


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

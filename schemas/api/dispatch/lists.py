"""Bodies of dispatch: the lists, what the live feed tells of them, and what is close by."""

from __future__ import annotations

from datetime import date
from typing import Literal

from schemas.api.base import Moment, Out
from services.governance.cycle import Action, ClockKind, Flag, Stage, State, Tier, Urgency


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


class RowRequestOut(Out):
    """What somebody asks for in a case; `kind` and `reason` are codes, `unit` and `account` those of who asks."""

    kind: Action
    status: str
    reason: str | None = None
    until: Moment | None = None
    by_name: str | None = None
    account: str | None = None
    unit: str | None = None
    at: Moment


class QueueRow(Out):
    """One case in a list; `community` and `unit` (the lead) are codes. Of a restricted case outside its owner chain
    only class and community are filled: how it stands, since when and how urgent it is, is then null.

    `photo` is where the small copy of its first photo is. Lists are sorted by `twice_at` (when twice the limit of `due`
    is used), `work_due_at` (the limit of the work itself), `reply_at` (by when an order is to be answered), `review_at`
    (when a suspension is looked at again), or by what `due`, `urgency` and `opened_at` say. `grade` is how it was found
    when that was last said. `requests` (the newest first) are told in lists that are about them, and by the live feed.
    """

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
    grade: str | None = None
    requests: tuple[RowRequestOut, ...] = ()
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

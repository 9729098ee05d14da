"""What the city platform receives: one class per webhook kind, made from a fact of a case.

The signature covers id, timestamp and body only, so everything a receiver must be able to trust is in the body.
No personal data; of a restricted case only its class and community.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Literal, get_args

from pydantic import Field

from schemas.envelope import Envelope
from schemas.events.case import CaseFactV1, ClockV1, StandingV1
from schemas.wire import Degrees, Moment, Wire
from services.governance.cycle import ClockKind, ClosedKind, Intent, Nature, Role, Stage, State, Tier, Urgency

SCHEMA_VERSION = 1
_DISTRICT = frozenset({ClockKind.DISTRICT_RESPONSE, ClockKind.DISTRICT_HANDLING})


class HookCategoryV1(Wire):
    """The class with its edition and word."""

    scheme: str
    version: str
    code: str
    name: str


class HookLocationV1(Wire):
    """Where. Of a restricted case only `community` is filled."""

    community: str | None = None
    cell_code: str | None = None
    lon: Degrees | None = None
    lat: Degrees | None = None
    crs: str = "WGS-84"


class HookKnownAsV1(Wire):
    """What another system calls the matter: `source` as it is known here, such as `platform` or `hotline`."""

    source: str
    external_id: str


class HookPictureV1(Wire):
    """A picture without its metadata, to be fetched before `valid_until`."""

    name: str
    url: str
    valid_until: Moment


class HookDataV1(Wire):
    """`sequence` is dense per (endpoint, case), `case_sequence` the fact's own number. `also_known_as` holds every
    number of the matter that other systems sent, `ext_ids` the first of each system."""

    event_id: str
    occurred_at: Moment
    sequence: int
    case_sequence: int
    case_no: str
    ext_ids: dict[str, str] = Field(default_factory=dict)
    also_known_as: tuple[HookKnownAsV1, ...] = ()
    stage: Stage
    state: State
    tier: Tier
    u_level: Urgency
    intent: Intent | None = None
    restricted: bool
    nature: Nature
    category: HookCategoryV1 | None = None
    location: HookLocationV1
    due_at: Moment | None = None
    overdue_ratio: float | None = None  # (used - limit) / limit, in seconds of the clock's basis
    closed_as: ClosedKind | None = None
    master_case_no: str | None = None  # of a merged case
    lead_unit: str | None = None
    reason: str | None = None
    actor_role: Role | None = None
    attachments: tuple[HookPictureV1, ...] = ()
    schema_version: int = SCHEMA_VERSION


class HookV1(Wire):
    """The body after Standard Webhooks: type, timestamp, data. `FACTS` are the case events that cause it."""

    KIND: ClassVar[str]
    FACTS: ClassVar[tuple[str, ...]]

    timestamp: Moment


class CaseEscalatedV1(HookV1):
    """Somebody is late (notice, owner unchanged) or a signed request to take over (whistle)."""

    KIND = "case.escalated"
    FACTS = ("case.escalated",)
    type: Literal["case.escalated"] = "case.escalated"
    data: HookDataV1


class CaseOverdueV1(HookV1):
    """A limit inside the street has passed."""

    KIND = "case.overdue"
    FACTS = ("case.overdue",)
    type: Literal["case.overdue"] = "case.overdue"
    data: HookDataV1


class CaseSupervisedV1(HookV1):
    """A leader demands an answer (督办)."""

    KIND = "case.supervised"
    FACTS = ("case.supervised",)
    type: Literal["case.supervised"] = "case.supervised"
    data: HookDataV1


class CaseDistrictDueV1(HookV1):
    """A limit of the district's own has passed: its answer to a whistle, or its handling."""

    KIND = "case.district_due"
    FACTS = ("case.overdue",)
    type: Literal["case.district_due"] = "case.district_due"
    data: HookDataV1


class CaseClosedV1(HookV1):
    """The case is closed; `closed_as` says how."""

    KIND = "case.closed"
    FACTS = ("case.closed", "case.self_resolved", "case.unfounded")
    type: Literal["case.closed"] = "case.closed"
    data: HookDataV1


class CaseReopenedV1(HookV1):
    """A closed case is worked on again."""

    KIND = "case.reopened"
    FACTS = ("case.reopened",)
    type: Literal["case.reopened"] = "case.reopened"
    data: HookDataV1


class CaseMergedV1(HookV1):
    """The case is part of another one, `master_case_no`, and ends with it."""

    KIND = "case.merged"
    FACTS = ("case.merged",)
    type: Literal["case.merged"] = "case.merged"
    data: HookDataV1


class CaseUnmergedV1(HookV1):
    """It was no part of it: the case stands for itself again."""

    KIND = "case.unmerged"
    FACTS = ("case.unmerged",)
    type: Literal["case.unmerged"] = "case.unmerged"
    data: HookDataV1


class CaseSignedV1(HookV1):
    """The unit has taken the case (签收)."""

    KIND = "case.signed"
    FACTS = ("case.signed",)
    type: Literal["case.signed"] = "case.signed"
    data: HookDataV1


class CaseReturnRequestedV1(HookV1):
    """Who got the case says that it is not his (退单申请): a unit returned it, or the street does not take it."""

    KIND = "case.return_requested"
    FACTS = ("case.returned", "case.not_filed", "case.declined")
    type: Literal["case.return_requested"] = "case.return_requested"
    data: HookDataV1


class CaseExtensionRequestedV1(HookV1):
    """More time is asked for (延期申请)."""

    KIND = "case.extension_requested"
    FACTS = ("case.extension_requested",)
    type: Literal["case.extension_requested"] = "case.extension_requested"
    data: HookDataV1


class CaseFedBackV1(HookV1):
    """What was to be done is reported as done (处置回复); a check follows."""

    KIND = "case.fed_back"
    FACTS = ("case.fed_back",)
    type: Literal["case.fed_back"] = "case.fed_back"
    data: HookDataV1


class PingDataV1(Wire):
    """Nothing but proof that signature and address work."""

    webhook_id: str
    sequence: int = 0
    schema_version: int = SCHEMA_VERSION


class TestPingV1(HookV1):
    """Sent when an operator presses 测试."""

    KIND = "test.ping"
    FACTS = ()
    type: Literal["test.ping"] = "test.ping"
    data: PingDataV1


CaseHook = (
    CaseEscalatedV1
    | CaseOverdueV1
    | CaseSupervisedV1
    | CaseDistrictDueV1
    | CaseClosedV1
    | CaseReopenedV1
    | CaseMergedV1
    | CaseUnmergedV1
    | CaseSignedV1
    | CaseReturnRequestedV1
    | CaseExtensionRequestedV1
    | CaseFedBackV1
)
CASE_HOOKS: tuple[type[CaseHook], ...] = get_args(CaseHook)
HOOKS: tuple[type[HookV1], ...] = (*CASE_HOOKS, TestPingV1)
KINDS: tuple[str, ...] = tuple(hook.KIND for hook in HOOKS)
ANSWERS: tuple[str, ...] = (
    *(hook.KIND for hook in (CaseSignedV1, CaseReturnRequestedV1, CaseExtensionRequestedV1, CaseFedBackV1)),
    CaseClosedV1.KIND,
    CaseReopenedV1.KIND,
)
"""What a partner that handed a case over is answered by itself: 签收 退单申请 延期申请 处置回复 办结 and 重新办理."""


def hook_of(event_type: str, fact: CaseFactV1) -> str | None:
    """The webhook kind a fact causes, or None. History never causes any."""
    if fact.standing.history:
        return None
    if event_type == "case.overdue" and fact.clock is not None and fact.clock.kind in _DISTRICT:
        return CaseDistrictDueV1.KIND
    return next((hook.KIND for hook in CASE_HOOKS if event_type in hook.FACTS), None)


def hook_body(
    event: Envelope[CaseFactV1],
    kind: str,
    *,
    sequence: int,
    category_name: str,
    overdue_ratio: float | None = None,
    numbers: Sequence[tuple[str, str]] = (),
) -> HookV1:
    """The body of `kind` for a fact; `sequence` is the delivery's number per (endpoint, case), `numbers` are those of
    other systems, oldest first.

    Raises KeyError for a kind that no fact causes.
    """
    hooks = {hook.KIND: hook for hook in CASE_HOOKS}
    fact = event.data
    data = HookDataV1(
        event_id=str(event.id),
        occurred_at=event.time,
        sequence=sequence,
        case_sequence=fact.standing.sequence,
        ext_ids=dict(reversed(numbers)),
        also_known_as=tuple(HookKnownAsV1(source=source, external_id=number) for source, number in numbers),
        intent=_intent(kind, fact),
        due_at=_due(fact),
        overdue_ratio=overdue_ratio,
        category=_category(fact.standing, category_name),
        **_standing(fact),
    )
    return hooks[kind](timestamp=event.time, data=data)


def ping_body(webhook_id: str, at: datetime) -> TestPingV1:
    """The body of a manual test."""
    return TestPingV1(timestamp=at, data=PingDataV1(webhook_id=webhook_id))


def _standing(fact: CaseFactV1) -> dict[str, object]:
    standing = fact.standing
    shown: dict[str, object] = {
        "case_no": standing.case_no,
        "stage": standing.stage,
        "state": standing.state,
        "tier": standing.tier,
        "u_level": standing.urgency,
        "restricted": standing.restricted,
        "nature": standing.nature,
        "location": HookLocationV1(community=standing.spot.community),
    }
    if standing.restricted:
        return shown
    spot = standing.spot
    return {
        **shown,
        "location": HookLocationV1(community=spot.community, cell_code=spot.cell, lon=spot.lng, lat=spot.lat),
        "closed_as": standing.closed_as,
        "master_case_no": standing.master.case_no if standing.master else None,
        "lead_unit": standing.lead_unit,
        "reason": fact.reason,
        "actor_role": fact.actor.role,
    }


def _intent(kind: str, fact: CaseFactV1) -> Intent | None:
    """A breach always goes as a notice: lateness never moves the owner."""
    if kind in (CaseOverdueV1.KIND, CaseDistrictDueV1.KIND):
        return Intent.NOTICE
    return fact.intent


def _due(fact: CaseFactV1) -> datetime | None:
    """The limit of the clock that made it happen, else of the handling, else of the whole case."""
    if fact.clock is not None:
        return fact.clock.due_at
    clocks: dict[ClockKind, ClockV1] = {clock.kind: clock for clock in fact.standing.clocks}
    for kind in (ClockKind.DISTRICT_HANDLING, ClockKind.HANDLING, ClockKind.WHOLE):
        if kind in clocks:
            return clocks[kind].due_at
    return None


def _category(standing: StandingV1, name: str) -> HookCategoryV1 | None:
    category = standing.category
    if category is None:
        return None
    return HookCategoryV1(scheme=category.scheme, version=category.version, code=category.code, name=name)

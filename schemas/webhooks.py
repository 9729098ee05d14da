"""What the city platform receives: one class per webhook kind, made from a fact of a case (`webhook_bodies.py`).

The signature covers id, timestamp and body only, so everything a receiver must be able to trust is in the body.
No personal data; of a restricted case only its class and community.
"""

from __future__ import annotations

from typing import ClassVar, Literal, get_args

from pydantic import Field

from schemas.wire import Degrees, Moment, Wire
from services.governance.cycle import ClosedKind, Intent, Nature, Role, Stage, State, Tier, Urgency

SCHEMA_VERSION = 1


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
    """The body after Standard Webhooks: type, timestamp, data. `KIND` is the type that a class stands for, `FACTS` are
    the case events that cause it: the one of the same name where a class says nothing else."""

    KIND: ClassVar[str]
    FACTS: ClassVar[tuple[str, ...]]

    timestamp: Moment

    @classmethod
    def __pydantic_init_subclass__(cls, **_: object) -> None:
        cls.KIND = cls.model_fields["type"].default
        if "FACTS" not in vars(cls):
            cls.FACTS = (cls.KIND,)


class CaseEscalatedV1(HookV1):
    """Somebody is late (notice, owner unchanged) or a signed request to take over (whistle)."""

    type: Literal["case.escalated"] = "case.escalated"
    data: HookDataV1


class CaseOverdueV1(HookV1):
    """A limit inside the street has passed."""

    type: Literal["case.overdue"] = "case.overdue"
    data: HookDataV1


class CaseSupervisedV1(HookV1):
    """A leader demands an answer (督办)."""

    type: Literal["case.supervised"] = "case.supervised"
    data: HookDataV1


class CaseDistrictDueV1(HookV1):
    """A limit of the district's own has passed: its answer to a whistle, or its handling."""

    FACTS = ("case.overdue",)
    type: Literal["case.district_due"] = "case.district_due"
    data: HookDataV1


class CaseClosedV1(HookV1):
    """The case is closed; `closed_as` says how."""

    FACTS = ("case.closed", "case.self_resolved", "case.unfounded")
    type: Literal["case.closed"] = "case.closed"
    data: HookDataV1


class CaseReopenedV1(HookV1):
    """A closed case is worked on again."""

    type: Literal["case.reopened"] = "case.reopened"
    data: HookDataV1


class CaseMergedV1(HookV1):
    """The case is part of another one, `master_case_no`, and ends with it."""

    type: Literal["case.merged"] = "case.merged"
    data: HookDataV1


class CaseUnmergedV1(HookV1):
    """It was no part of it: the case stands for itself again."""

    type: Literal["case.unmerged"] = "case.unmerged"
    data: HookDataV1


class CaseSignedV1(HookV1):
    """The unit has taken the case (签收)."""

    type: Literal["case.signed"] = "case.signed"
    data: HookDataV1


class CaseReturnRequestedV1(HookV1):
    """Who got the case says that it is not his (退单申请): a unit returned it, or the street does not take it."""

    FACTS = ("case.returned", "case.not_filed", "case.declined")
    type: Literal["case.return_requested"] = "case.return_requested"
    data: HookDataV1


class CaseExtensionRequestedV1(HookV1):
    """More time is asked for (延期申请)."""

    type: Literal["case.extension_requested"] = "case.extension_requested"
    data: HookDataV1


class CaseFedBackV1(HookV1):
    """What was to be done is reported as done (处置回复); a check follows."""

    type: Literal["case.fed_back"] = "case.fed_back"
    data: HookDataV1


class PingDataV1(Wire):
    """Nothing but proof that signature and address work."""

    webhook_id: str
    sequence: int = 0
    schema_version: int = SCHEMA_VERSION


class TestPingV1(HookV1):
    """Sent when an operator presses 测试."""

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

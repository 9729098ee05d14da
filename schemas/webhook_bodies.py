"""Which webhook kind a fact of a case causes, and its body."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from schemas.envelope import Envelope
from schemas.events.case import CaseFactV1, ClockV1, StandingV1
from schemas.webhooks import (
    CASE_HOOKS,
    CaseDistrictDueV1,
    CaseOverdueV1,
    HookCategoryV1,
    HookDataV1,
    HookKnownAsV1,
    HookLocationV1,
    HookV1,
    PingDataV1,
    TestPingV1,
)
from services.governance.cycle import ClockKind, Intent

_DISTRICT: Final = frozenset({ClockKind.DISTRICT_RESPONSE, ClockKind.DISTRICT_HANDLING})


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

"""From case facts to the reporter's view. Pure: a batch of events in, rows out.

Only steps that concern the reporter are kept, as kinds; who did what inside the street is not his to see.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from schemas.envelope import Envelope
from schemas.events.case import CaseCommandRefusedV1, CaseFactV1, StandingV1
from schemas.wire import Body
from services.governance.acts import ClockState
from services.governance.cycle import ClockKind
from services.intake.tables.rows import CaseReportRow, CaseViewRow, CommandAnswerRow, StepRow

PUBLIC_STEPS = frozenset(
    f"case.{name}"
    for name in (
        *("reported", "self_resolving", "self_resolved", "called", "answered", "accepted", "more_asked", "more_given"),
        *("reporter_asked", "reporter_answered"),
        *("unfounded", "sent_down", "filed", "not_filed", "declined", "dispatched", "redispatched", "responded"),
        *("suspended", "resumed", "whistle_answered", "fed_back", "verified", "verify_failed", "closed", "reopened"),
        *("urged", "withdrawn", "voided", "merged", "unmerged", "recorded"),
    )
)
_UNSEEN_CLOCKS = frozenset({ClockKind.RETURN_WINDOW, ClockKind.CO_TASK})


@dataclass(slots=True)
class Changes:
    """What a batch changes, at most one row per case and per report."""

    views: dict[str, CaseViewRow] = field(default_factory=dict)
    reports: dict[str, CaseReportRow] = field(default_factory=dict)
    steps: list[StepRow] = field(default_factory=list)
    answers: dict[UUID, CommandAnswerRow] = field(default_factory=dict)


def project(events: Sequence[Envelope[Body]]) -> Changes:
    """The rows that a batch of case events asks for; events of one case come in order."""
    changes = Changes()
    for event in events:
        if isinstance(event.data, CaseFactV1):
            _fact(changes, event, event.data)
        elif isinstance(event.data, CaseCommandRefusedV1):
            _answer(changes, event.causation_id, "refused", event.data.code, event.time)
    return changes


def _fact(changes: Changes, event: Envelope[Body], fact: CaseFactV1) -> None:
    standing = fact.standing
    changes.views[standing.case_id] = view_of(standing, event.time)
    for report_id in _ids(_own(standing)):
        changes.reports[str(report_id)] = CaseReportRow(report_id, standing.case_id)
    if event.type in PUBLIC_STEPS:
        changes.steps.append(
            StepRow(
                case_id=standing.case_id,
                sequence=standing.sequence,
                kind=event.type,
                state=standing.state.value,
                stage=standing.stage.value,
                at=event.time,
            )
        )
    _answer(changes, event.causation_id, "done", None, event.time)


def _own(standing: StandingV1) -> list[str]:
    """Its reports without those of its duplicates: each belongs to the case that took it in, which says by itself
    what it is part of."""
    others = {report for duplicate in standing.absorbed for report in duplicate.reports}
    return [report for report in standing.reports if report not in others]


def view_of(standing: StandingV1, at: datetime) -> CaseViewRow:
    """One case as the reporter may see it."""
    spot = standing.spot
    return CaseViewRow(
        case_id=standing.case_id,
        case_no=standing.case_no,
        sequence=standing.sequence,
        state=standing.state.value,
        stage=standing.stage.value,
        tier=standing.tier.value,
        category=standing.category.code if standing.category else None,
        restricted=standing.restricted,
        history=standing.history,
        community=spot.community,
        grid=spot.grid,
        lng=spot.lng,
        lat=spot.lat,
        due_at=next_due(standing),
        skipped=[{"stage": skipped.stage.value, "why": skipped.why} for skipped in standing.skipped],
        flags=[flag.value for flag in standing.flags],
        opened_at=standing.opened_at,
        closed_at=standing.closed_at,
        closed_as=standing.closed_as.value if standing.closed_as else None,
        changed_at=at,
        master=standing.master.case_id if standing.master else None,
    )


def next_due(standing: StandingV1) -> datetime | None:
    """When something must have happened next, as far as it concerns the reporter."""
    dues = [c.due_at for c in standing.clocks if c.state is ClockState.RUNNING and c.kind not in _UNSEEN_CLOCKS]
    return min(dues, default=None)


def _answer(changes: Changes, command: UUID | None, state: str, code: str | None, at: datetime) -> None:
    if command is not None:
        changes.answers.setdefault(command, CommandAnswerRow(command, state, code, at))


def _ids(texts: Iterable[str]) -> Iterable[UUID]:
    """Report ids of intake are UUIDs; whatever else a case carries is not ours."""
    for text in texts:
        try:
            yield UUID(text)
        except ValueError:
            continue

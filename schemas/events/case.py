"""What dispatch publishes: every fact of a case, each with the case's whole standing after it.

A consumer that missed history can start from any one event: `standing` is complete for what leaves dispatch.
Free text never appears; reasons are codes of the label list.
"""

from __future__ import annotations

from schemas.events.parts import ActorV1, CategoryV1, ExternalV1, RuleV1, SpotV1
from schemas.wire import Body, Moment, Wire
from services.governance.acts import ClockState, TaskState
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


class OwnerV1(Wire):
    """Who answers for the case now: a grid, a community, the street, a unit, or the district."""

    tier: Tier
    code: str
    role: Role


class RungV1(Wire):
    """One point of a clock's ladder and what the machine does there."""

    rung: int
    at: Moment
    act: str


class ClockV1(Wire):
    """A running allowance. Timers are unique by (clock_id, rev, rung); budget in seconds of `basis`."""

    clock_id: str
    kind: ClockKind
    rev: int
    state: ClockState
    started_at: Moment
    budget_s: int
    basis: str
    due_at: Moment
    original_due: Moment
    rungs: tuple[RungV1, ...] = ()
    fired: tuple[int, ...] = ()
    provisional: bool = False


class SkippedV1(Wire):
    """A stage that was not walked and why: grid | community | direct."""

    stage: Stage
    why: str


class CaseRefV1(Wire):
    """Another case."""

    case_id: str
    case_no: str


class AbsorbedV1(CaseRefV1):
    """A duplicate that was merged into the case, with the reports that came with it."""

    reports: tuple[str, ...] = ()


class StandingV1(Wire):
    """The case after this fact. `reports` holds those of its duplicates too; `master` is the case it is part of,
    `earlier` the ended one that its reporter took it for."""

    case_id: str
    case_no: str
    version: int
    sequence: int
    state: State
    stage: Stage
    tier: Tier
    owner: OwnerV1 | None = None
    urgency: Urgency
    nature: Nature
    source: str
    restricted: bool
    history: bool
    category: CategoryV1 | None = None
    condition: str | None = None
    spot: SpotV1
    lead_unit: str | None = None
    co_units: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()
    clocks: tuple[ClockV1, ...] = ()
    opened_at: Moment
    closed_at: Moment | None = None
    closed_as: ClosedKind | None = None
    skipped: tuple[SkippedV1, ...] = ()
    rulebook: str
    master: CaseRefV1 | None = None
    absorbed: tuple[AbsorbedV1, ...] = ()
    earlier: CaseRefV1 | None = None


class ClockPointV1(Wire):
    """The point of a clock that made a fact happen: its ladder's rung and what the machine does there. `due_at` is the
    clock's; `at` is when the point itself was planned, `acted_at` when it was acted on, which is later after an outage.
    """

    clock_id: str
    kind: ClockKind
    rung: int
    act: str
    due_at: Moment
    at: Moment | None = None
    acted_at: Moment | None = None


class ToldV1(Wire):
    """Who must look: a role id or a ladder's word such as 'unit_head', at an area or unit code; '' the street.
    `instead_of`: the post that should have been told and that nobody held. `account`: the one person meant, where a
    person was named and not a post."""

    post: str
    code: str = ""
    instead_of: str | None = None
    account: str | None = None


class CaseFactV1(Body):
    """One thing that happened to a case. `clock` is set where a clock made it happen; `external` where a report brought
    numbers by which other systems know the matter; `pictures` are what the act showed, by their names below the store
    of evidence, never a machine path."""

    standing: StandingV1
    actor: ActorV1
    action: Action | None = None
    reason: str | None = None
    intent: Intent | None = None
    rule: RuleV1 | None = None
    clock: ClockPointV1 | None = None
    tell: tuple[ToldV1, ...] = ()
    external: tuple[ExternalV1, ...] = ()
    pictures: tuple[str, ...] = ()


class RoutingV1(Wire):
    """The units chosen and why; `unmatched` holds 'line:reason' for each line that was not taken, `matched`
    'input:value' for each input that the line asked for; `rulebook` is the version that chose."""

    lead: str | None = None
    co_units: tuple[str, ...] = ()
    line: str | None = None
    basis: str
    unmatched: tuple[str, ...] = ()
    rulebook_lead: str | None = None
    matched: tuple[str, ...] = ()
    rulebook: str = ""


class CaseRoutedV1(CaseFactV1):
    """A fact that chose units."""

    routing: RoutingV1 | None = None


class TaskV1(Wire):
    """One unit's or person's share as it stands after the fact."""

    task_id: str
    kind: str
    unit: str | None = None
    state: TaskState


class CaseTaskedV1(CaseFactV1):
    """A fact that gave, changed or ended tasks."""

    tasks: tuple[TaskV1, ...] = ()


class RequestV1(Wire):
    """延期 挂账 退单 吹哨 作废 as it stands after the fact."""

    request_id: str
    kind: Action
    status: str
    until: Moment | None = None
    reason: str | None = None


class CaseRequestV1(CaseFactV1):
    """A fact about something asked for and granted or denied by a person."""

    request: RequestV1 | None = None


class CaseReportsV1(CaseFactV1):
    """A fact that attached reports or photos, or took reports away."""

    attached: tuple[str, ...] = ()
    photos: tuple[str, ...] = ()
    detached: tuple[str, ...] = ()


class CaseRecordedV1(CaseFactV1):
    """Imported history: opened and closed in one fact, with the outcome its file tells."""

    recorded_unit: str | None = None
    overdue: bool = False


class DueMovedV1(Wire):
    """One clock whose due time a change of the calendar has moved; the same due time twice: it is no longer
    provisional."""

    clock_id: str
    kind: ClockKind
    from_due: Moment
    to_due: Moment
    from_calendar: str
    to_calendar: str
    provisional: bool = False


class CaseRecomputedV1(CaseFactV1):
    """Due times counted anew by a changed calendar."""

    moved: tuple[DueMovedV1, ...] = ()


class CaseCommandRefusedV1(Body):
    """A command that a rule refused; the sender finds its own by `command_id`."""

    command_id: str
    command: str  # the command's event type
    case_id: str | None = None
    case_no: str | None = None
    code: str  # error id of the label list
    state: State | None = None
    allowed: tuple[Action, ...] = ()


def _rows(cls: type[Body], *names: str) -> dict[str, tuple[type[Body], ...]]:
    return {f"case.{name}": (cls,) for name in names}


CASE_KINDS: dict[str, tuple[type[Body], ...]] = {
    **_rows(
        CaseFactV1,
        *("self_resolving", "self_resolved", "called", "answered", "accepted", "more_asked", "more_given"),
        *("unfounded", "sent_down", "not_filed", "declined", "signed", "responded", "resumed", "visited", "closed"),
        *(
            "reopened",
            "urged",
            "supervised",
            "supervision_answered",
            "noted",
            "reporter_asked",
            "reporter_answered",
            "withdrawn",
            "voided",
            "recalled",
            "undone",
        ),
        *("reminded", "overdue", "choice_forced", "archived", "conference_called", "conference_held", "mediator_named"),
        *("merged", "unmerged"),
    ),
    **_rows(CaseRoutedV1, "reported", "filed", "reclassified", "dispatched", "redispatched", "ruled"),
    **_rows(
        CaseTaskedV1,
        *("confirm_requested", "confirmed", "check_passed_on", "co_added", "co_claimed", "co_dropped", "co_done"),
        *("co_waived", "fed_back", "verified", "verify_failed"),
    ),
    **_rows(
        CaseRequestV1,
        *(
            "returned",
            "extension_requested",
            "extended",
            "suspension_requested",
            "suspended",
            "request_denied",
            "void_requested",
            "proposed",
            "appealed",
            "exempted",
        ),
        *("whistle_requested", "escalated", "whistle_answered", "whistle_refused"),
    ),
    **_rows(CaseReportsV1, "report_attached", "absorbed", "released"),
    **_rows(CaseRecordedV1, "recorded"),
    **_rows(CaseRecomputedV1, "due_recomputed"),
    **_rows(CaseCommandRefusedV1, "command_refused"),
}

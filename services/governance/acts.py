"""Commands (imperative, may be refused) and facts (past tense, happened).

A fact is one thing that happened, with the list of changes it makes; `evolve` is the fold over those changes.
Facts carry codes only: what people type stays with the service that took it, under the fact's id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.governance.cycle import Action, ClockKind, ClosedKind, Flag, Intent, Nature, Role, State, Tier, Urgency
from services.governance.worktime import Budget, CalendarChange


# --- who ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Post:
    """One post of a person: a role over an area (12-digit prefix or grid code, '' = whole street) or for a unit."""

    role: Role
    area: str = ""
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """A person who is signed in, with the posts in force now."""

    account: str
    posts: tuple[Post, ...]


@dataclass(frozen=True, slots=True)
class ActorRef:
    """Who did it, as a fact keeps it. `account` None: the machine."""

    account: str | None
    role: Role | None = None
    unit: str | None = None


SYSTEM = ActorRef(account=None)


@dataclass(frozen=True, slots=True)
class RuleRef:
    """Which rule of which rulebook version chose it (every machine act carries one)."""

    rule: str
    rulebook: str


# --- what an action asks for ---------------------------------------------------------------------------------------
class InputType(StrEnum):
    """Kinds of form field; a form is generated from these."""

    TEXT = "text"
    CHOICE = "choice"
    CHOICES = "choices"
    UNIT = "unit"
    UNITS = "units"
    EVIDENCE = "evidence"
    DATETIME = "datetime"
    DURATION = "duration"
    PERSON = "person"
    CATEGORY = "category"
    CONDITION = "condition"
    TASK = "task"
    CASE_NO = "case_no"
    CELL = "cell"
    FLAG = "flag"
    GRADE = "grade"


@dataclass(frozen=True, slots=True)
class Input:
    """One field that an action declares. `name` is a field of `Inputs`."""

    name: str
    type: InputType
    required: bool = False
    choices: tuple[str, ...] = ()  # ids of the label list; empty: the edge fills them (units, people)


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that a person can give with an action; which fields count is declared by the action's row."""

    reason: str | None = None  # a code
    note: str | None = None  # free text: checked for presence, never copied into a fact
    category: str | None = None
    condition: str | None = None
    urgency: Urgency | None = None
    cell: str | None = None
    lead_unit: str | None = None
    co_units: tuple[str, ...] = ()
    suggested_unit: str | None = None
    person: str | None = None  # account id
    task: str | None = None
    evidence: tuple[str, ...] = ()
    means: str | None = None  # respond: on_site | phone | remote; self_resolve: guan | sao | quan | bang
    until: datetime | None = None
    close_condition_met: bool | None = None
    master: str | None = None  # case_no
    request: str | None = None
    grade: str | None = None
    kind: str | None = None


# --- commands ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class CategoryRef:
    """A code is ambiguous without its scheme and edition: always all three."""

    scheme: str
    version: str
    code: str


@dataclass(frozen=True, slots=True)
class Spot:
    """Where. Codes of the area tree; lng/lat are WGS-84 degrees or None. Outside every cell: cell None."""

    street: str
    community: str | None = None
    grid: str | None = None
    cell: str | None = None
    lng: float | None = None
    lat: float | None = None


@dataclass(frozen=True, slots=True)
class RecordedOutcome:
    """What an imported history row says happened elsewhere."""

    unit: str | None
    closed: bool
    overdue: bool
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CaseRef:
    """Another case."""

    case_id: str
    case_no: str


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A report has come in. `staff` tells whether an employee reported (needed by auto_dispatch)."""

    case_id: str
    case_no: str
    report_id: str
    reporter: ActorRef
    reported_at: datetime
    source: str
    nature: Nature
    category: CategoryRef | None
    danger: bool
    life: bool
    spot: Spot
    staff: bool
    on_the_spot: str | None = None  # guan | sao | quan | bang: closes in the same submission
    direct: bool = False  # 紧急直呼街道
    call_now: bool = False  # a secretary's report that calls the community at once
    in_grid: bool = False  # a secretary's report that his own grid handles
    imported_unit: str | None = None
    recorded: RecordedOutcome | None = None  # set: history, no clock, outside the live queues
    photos: tuple[str, ...] = ()
    earlier: CaseRef | None = None  # the ended case that the reporter took it for
    partner: bool = False  # another authority hands it over: its terms count beside those of a case that is known
    due: datetime | None = None  # by when that authority wants it done
    external: tuple[tuple[str, str], ...] = ()  # (system, number) by which others know it


@dataclass(frozen=True, slots=True)
class Act:
    """A person asks for an action. `op_id` makes it idempotent per (case, action)."""

    action: Action
    actor: Actor
    inputs: Inputs
    op_id: str


@dataclass(frozen=True, slots=True)
class TimerFired:
    """Escalation says that a rung of a clock is due. Stale revisions are refused quietly (no facts)."""

    clock_id: str
    rev: int
    rung: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class AttachPhoto:
    """A photo named by the report has arrived."""

    report_id: str
    photo_id: str


@dataclass(frozen=True, slots=True)
class Archive:
    """It was closed long ago. Nothing happens (no facts) where the time is not over or something is still asked."""


@dataclass(frozen=True, slots=True)
class Absorbed:
    """A duplicate as its master keeps it. `under` is the case that it was merged into, by id: the master itself, or
    another duplicate of the same master.

    Without a case number it was no case of its own: the terms that another authority sent with its report (the id)."""

    case: CaseRef
    under: str
    at: datetime
    opened_at: datetime
    reports: tuple[str, ...]
    reporter: str | None = None  # account of a staff reporter
    restricted: bool = False
    limit: Budget | None = None  # of its condition, where it had one
    dues: tuple[tuple[ClockKind, datetime], ...] = ()  # of what was running there


@dataclass(frozen=True, slots=True)
class Absorb:
    """Follows from a merge, for the master: these duplicates are part of it from now on."""

    duplicates: tuple[Absorbed, ...]
    by: ActorRef


@dataclass(frozen=True, slots=True)
class Release:
    """Follows from an undone merge, for the master: these duplicates stand for themselves again."""

    case_ids: tuple[str, ...]
    by: ActorRef


@dataclass(frozen=True, slots=True)
class Follow:
    """Follows from either, for a duplicate: it has another master now."""

    master: CaseRef
    by: ActorRef


@dataclass(frozen=True, slots=True)
class Recompute:
    """The calendar has changed. Nothing happens (no facts) where no running clock meets a changed day."""

    change: CalendarChange


Command = OpenCase | Act | TimerFired | AttachPhoto | Archive | Recompute | Absorb | Release | Follow


@dataclass(frozen=True, slots=True)
class Other:
    """What the rules must know of the other case of a merge: the master, present or to be."""

    case: CaseRef
    state: State
    street: str
    urgency: Urgency
    history: bool
    closed_at: datetime | None
    absorbed: tuple[Absorbed, ...] = ()


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another case as `around` shows it."""

    case_no: str
    state: State
    category: str | None


@dataclass(frozen=True, slots=True)
class LastAct:
    """What a person did last, with no fact since; `undo`: how the case stood before, its rule the action's id."""

    account: str
    undo: Undo


@dataclass(frozen=True, slots=True)
class Around:
    """What other cases and the directory say at this moment; read by the edge, given to `decide`."""

    near: tuple[Neighbour, ...] = ()
    before: int = 0  # how often its like stood here within the rulebook's days, settled or not
    grid_has_branch: bool = True
    verifier: ActorRef | None = None
    place: Spot | None = None  # of the cell that the inputs name, as the directory knows it
    master: Other | None = None  # of a merge: None where there is no such case, or the actor may not read it
    duty: Mapping[str, str] = field(default_factory=dict)  # role id → account on duty
    last_act: LastAct | None = None  # of an undo
    nobody: frozenset[str] = frozenset()  # posts of a ladder that nobody holds at the case's place now


# --- what a case keeps ----------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Owner:
    """Who answers for the case now: a grid, a community, the street's post, a unit, or the district."""

    tier: Tier
    code: str  # grid code, community code, street code, unit code or 'district'
    role: Role


class ClockState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Rung:
    """One point of a clock's ladder: 75 %, 100 %, … `act` names what the machine does there."""

    rung: int
    at: datetime
    act: str


@dataclass(frozen=True, slots=True)
class Clock:
    """A running allowance. `rev` rises with every change of `due_at`; timers are unique by (clock_id, rev, rung).

    `opens`: due at the next moment of work rather than at the end of the last (N working days to the same time).
    """

    clock_id: str
    kind: ClockKind
    rev: int
    state: ClockState
    started_at: datetime
    budget_s: int  # seconds of its basis
    basis: str  # 'wall' | 'work' | 'natural'
    due_at: datetime
    original_due: datetime
    consumed_s: int
    running_since: datetime | None
    stopped_at: datetime | None
    rungs: tuple[Rung, ...]
    fired: tuple[int, ...]
    provisional: bool
    rulebook: str
    calendar_rev: str
    task_id: str | None = None
    opens: bool = False


class TaskState(StrEnum):
    OFFERED = "offered"
    DOING = "doing"
    DONE = "done"
    WAIVED = "waived"
    DECLINED = "declined"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Task:
    """One unit's (or person's) share: lead, co, confirm or verify."""

    task_id: str
    kind: str  # 'lead' | 'co' | 'confirm' | 'verify' | 'mediate'
    unit: str | None
    person: str | None
    state: TaskState
    given_at: datetime
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What one asks for and another decides: pending → approved | denied | withdrawn (the case went on without it) |
    lapsed (its state has passed). A pending one stops no clock. `inputs` are those of the action asked for, codes only;
    `deciders` the posts whose word is awaited."""

    request_id: str
    kind: Action
    by: ActorRef
    at: datetime
    status: str
    until: datetime | None = None
    reason: str | None = None
    approvals: tuple[ActorRef, ...] = ()
    inputs: Inputs | None = None
    deciders: tuple[Role, ...] = ()


@dataclass(frozen=True, slots=True)
class Undo:
    """How the case stood before the machine's last act, kept until a person acts: a recall goes back to it. Of a merged
    case: how it stood before the merge, kept until that is undone."""

    rule: str
    at: datetime  # of the machine's act: the recall window starts here
    action: Action | None
    state: State
    state_before: State | None
    owner: Owner | None
    tier: Tier
    lead: str | None
    category: CategoryRef | None
    condition: str | None
    urgency: Urgency
    class_proposed: bool
    routed: Routed | None
    tasks: tuple[Task, ...]
    clocks: tuple[Clock, ...]
    flags: frozenset[Flag]
    counters: tuple[tuple[str, int], ...]
    skipped: tuple[tuple[str, str], ...]
    requests: tuple[Request, ...] = ()  # of a merge: those that it ended
    absorbed: tuple[Absorbed, ...] = ()  # of a merge: its own duplicates


# --- changes --------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Opened:
    """First change of a case; everything it starts with."""

    command: OpenCase
    rulebook: str
    street: str


@dataclass(frozen=True, slots=True)
class StateChanged:
    to: State


@dataclass(frozen=True, slots=True)
class OwnerChanged:
    owner: Owner


@dataclass(frozen=True, slots=True)
class Classified:
    category: CategoryRef | None
    condition: str | None
    urgency: Urgency
    restricted: bool
    proposed: bool  # True: the machine's proposal, nobody confirmed it


@dataclass(frozen=True, slots=True)
class Routed:
    """The rulebook's own choice of units, with why; `basis` import: the file's unit was kept beside it."""

    lead: str | None
    co_units: tuple[str, ...]
    line: str | None  # catalogue line id
    basis: str  # 'duty' | 'catalogue' | 'ownership' | 'fallback' | 'import' | 'none'
    unmatched: tuple[str, ...] = ()  # 'line_id:reason' for each line that was not taken
    rulebook_lead: str | None = None
    matched: tuple[str, ...] = ()  # 'input:value' for each input that the line asked for
    rulebook: str = ""  # version that chose; '' in facts of before it was kept


@dataclass(frozen=True, slots=True)
class Moved:
    """The place was corrected."""

    spot: Spot


@dataclass(frozen=True, slots=True)
class LeadAssigned:
    """Exactly one unit leads; None: nobody does until the next dispatch."""

    unit: str | None


@dataclass(frozen=True, slots=True)
class ClockStarted:
    clock: Clock


@dataclass(frozen=True, slots=True)
class Due:
    """A due time and the calendar's revision that it was counted on."""

    at: datetime
    calendar_rev: str


@dataclass(frozen=True, slots=True)
class ClockChanged:
    """Any later change: paused, resumed, stopped, moved, rung fired. Carries the clock as it now stands.

    `was`: the due time before it, where a change of the calendar moved or confirmed it.
    """

    clock: Clock
    why: str  # 'stopped' | 'paused' | 'resumed' | 'extended' | 'recomputed' | 'confirmed' | 'rung' | 'recalled'
    was: Due | None = None


@dataclass(frozen=True, slots=True)
class TaskGiven:
    task: Task


@dataclass(frozen=True, slots=True)
class TaskChanged:
    task: Task


@dataclass(frozen=True, slots=True)
class RequestChanged:
    request: Request


@dataclass(frozen=True, slots=True)
class FlagRaised:
    flag: Flag


@dataclass(frozen=True, slots=True)
class FlagDropped:
    flag: Flag


@dataclass(frozen=True, slots=True)
class ReportAttached:
    report_id: str
    photo_ids: tuple[str, ...] = ()
    external: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Followed:
    """The case is part of another one; None: it stands for itself again."""

    master: CaseRef | None


@dataclass(frozen=True, slots=True)
class TookIn:
    """Duplicates, and with them their reports, are part of this case."""

    duplicates: tuple[Absorbed, ...]


@dataclass(frozen=True, slots=True)
class LetGo:
    """Duplicates are no part of this case any more, nor are their reports."""

    duplicates: tuple[Absorbed, ...]


@dataclass(frozen=True, slots=True)
class HandledBy:
    """Remembers who handled, so that no handler verifies (separation rule). `desk`: who took it in or filed it."""

    account: str
    desk: bool = False


@dataclass(frozen=True, slots=True)
class Counted:
    """A counter of the case rose by one: 'returns' | 'rework' | 'hand_overs' | 'extensions' | 'send_downs:T1'."""

    what: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """Steps of the bar that were not walked, each with why: 'grid' | 'community' | 'direct'. Replaces the list."""

    stages: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Restored:
    """The case stands again as before the machine's act; clock changes of the same fact come on top."""

    undo: Undo


@dataclass(frozen=True, slots=True)
class ClosedAs:
    """How the case ended; None: it lives again. `at` None: at the fact's own time."""

    kind: ClosedKind | None
    recorded_unit: str | None = None
    at: datetime | None = None


Change = (
    Opened
    | StateChanged
    | OwnerChanged
    | Classified
    | Routed
    | Moved
    | LeadAssigned
    | ClockStarted
    | ClockChanged
    | TaskGiven
    | TaskChanged
    | RequestChanged
    | FlagRaised
    | FlagDropped
    | ReportAttached
    | Followed
    | TookIn
    | LetGo
    | HandledBy
    | Counted
    | Skipped
    | Restored
    | ClosedAs
)


# --- facts ----------------------------------------------------------------------------------------------------------
class FactKind(StrEnum):
    """Everything that can have happened to a case; the value is the published event type."""

    REPORTED = "case.reported"
    SELF_RESOLVING = "case.self_resolving"
    SELF_RESOLVED = "case.self_resolved"
    CALLED = "case.called"
    ANSWERED = "case.answered"
    ACCEPTED = "case.accepted"
    MORE_ASKED = "case.more_asked"
    MORE_GIVEN = "case.more_given"
    UNFOUNDED = "case.unfounded"
    SENT_DOWN = "case.sent_down"
    CONFIRM_REQUESTED = "case.confirm_requested"
    CONFIRMED = "case.confirmed"
    CHECK_PASSED_ON = "case.check_passed_on"
    FILED = "case.filed"
    NOT_FILED = "case.not_filed"
    DECLINED = "case.declined"
    RECLASSIFIED = "case.reclassified"
    DISPATCHED = "case.dispatched"
    REDISPATCHED = "case.redispatched"
    SIGNED = "case.signed"
    RESPONDED = "case.responded"
    RETURNED = "case.returned"
    RULED = "case.ruled"
    CO_ADDED = "case.co_added"
    CO_CLAIMED = "case.co_claimed"
    CO_DROPPED = "case.co_dropped"
    CO_DONE = "case.co_done"
    CO_WAIVED = "case.co_waived"
    CONFERENCE_CALLED = "case.conference_called"
    CONFERENCE_HELD = "case.conference_held"
    PROPOSED = "case.proposed"
    REPORTER_ASKED = "case.reporter_asked"
    REPORTER_ANSWERED = "case.reporter_answered"
    EXTENSION_REQUESTED = "case.extension_requested"
    EXTENDED = "case.extended"
    SUSPENSION_REQUESTED = "case.suspension_requested"
    SUSPENDED = "case.suspended"
    RESUMED = "case.resumed"
    REQUEST_DENIED = "case.request_denied"
    WHISTLE_REQUESTED = "case.whistle_requested"
    ESCALATED = "case.escalated"
    WHISTLE_ANSWERED = "case.whistle_answered"
    WHISTLE_REFUSED = "case.whistle_refused"
    FED_BACK = "case.fed_back"
    VERIFIED = "case.verified"
    VERIFY_FAILED = "case.verify_failed"
    VISITED = "case.visited"
    CLOSED = "case.closed"
    REOPENED = "case.reopened"
    URGED = "case.urged"
    SUPERVISED = "case.supervised"
    SUPERVISION_ANSWERED = "case.supervision_answered"
    NOTED = "case.noted"
    MEDIATOR_NAMED = "case.mediator_named"
    REPORT_ATTACHED = "case.report_attached"
    WITHDRAWN = "case.withdrawn"
    VOID_REQUESTED = "case.void_requested"
    VOIDED = "case.voided"
    APPEALED = "case.appealed"
    EXEMPTED = "case.exempted"
    RECALLED = "case.recalled"
    UNDONE = "case.undone"
    REMINDED = "case.reminded"
    OVERDUE = "case.overdue"
    CHOICE_FORCED = "case.choice_forced"
    ARCHIVED = "case.archived"
    MERGED = "case.merged"
    ABSORBED = "case.absorbed"
    UNMERGED = "case.unmerged"
    RELEASED = "case.released"
    DUE_RECOMPUTED = "case.due_recomputed"
    RECORDED = "case.recorded"


FACT_KINDS: tuple[str, ...] = tuple(kind.value for kind in FactKind)


@dataclass(frozen=True, slots=True)
class Told:
    """Who must look: a post (role id or a ladder's word such as 'unit_head') at an area or unit code, '' the street.
    `account`: the one person meant, where a person was named and not a post."""

    post: str
    code: str = ""
    instead_of: str | None = None  # the post that should have been told, and that nobody holds
    account: str | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened. `kind` is the published event type ('case.called'); one fact, one event."""

    kind: str
    at: datetime
    actor: ActorRef
    action: Action | None
    changes: tuple[Change, ...]
    rule: RuleRef | None = None
    reason: str | None = None
    intent: Intent | None = None
    op_id: str | None = None
    tell: tuple[Told, ...] = ()

"""One turn of `decide`: the case as it stands inside it, the facts so far, and the parts that facts are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from services.governance import sla
from services.governance.acts import (
    SYSTEM,
    ActorRef,
    Around,
    Change,
    Clock,
    ClockChanged,
    ClockStarted,
    ClockState,
    ClosedAs,
    Fact,
    FlagDropped,
    FlagRaised,
    HandledBy,
    Inputs,
    LeadAssigned,
    Owner,
    OwnerChanged,
    Request,
    RequestChanged,
    RuleRef,
    StateChanged,
    Task,
    TaskChanged,
    TaskState,
    Told,
)
from services.governance.case.evolve import evolve
from services.governance.case.model import OPEN_TASKS, Case, clock_of, open_tasks, pending
from services.governance.case.terms import RESULT_KINDS, shortened, strict
from services.governance.cycle import (
    CYCLE,
    Action,
    ClockKind,
    ClosedKind,
    Flag,
    Intent,
    MachineRule,
    Nature,
    Role,
    State,
    Tier,
)
from services.governance.moves import BY_STEP
from services.governance.rulebook import Condition, Rulebook
from services.governance.sla import Allowance

_NO_INPUTS = Inputs()
_OUTLIVE_A_STATE = frozenset({ClockKind.WHOLE, ClockKind.SUPERVISION, ClockKind.REPLY})
_DROPPED_ON_LEAVING = (
    Flag.DUE_SOON,
    Flag.FORCED_CHOICE,
    Flag.ANSWERED,
    Flag.SIGNED,
    Flag.AWAITING_MORE,
    Flag.IN_CONFERENCE,
)
_REPLY_ONLY = frozenset({ClockKind.REPLY, ClockKind.SUPERVISION, ClockKind.REVIEW})


def runs(nature: Nature, kind: ClockKind) -> bool:
    """Complaints and requests for help run every clock but the reply's, enquiries and suggestions the reply's alone,
    thanks none."""
    if nature in (Nature.COMPLAINT, Nature.HELP):
        return kind is not ClockKind.REPLY
    if nature is Nature.THANKS:
        return kind is ClockKind.SUPERVISION
    return kind in _REPLY_ONLY


class Turn:
    """Mutable, and lives only inside one call of `decide`."""

    __slots__ = (
        *("action", "around", "at", "book", "facts", "firing"),
        *("granting", "inputs", "maybe", "now", "op_id", "who"),
    )

    def __init__(
        self,
        case: Case | None,
        book: Rulebook,
        at: datetime,
        around: Around,
        who: ActorRef = SYSTEM,
        action: Action | None = None,
        inputs: Inputs = _NO_INPUTS,
        op_id: str | None = None,
    ) -> None:
        self.maybe = case
        self.book, self.at, self.around = book, at, around
        self.who, self.action, self.inputs, self.op_id = who, action, inputs, op_id
        self.now = at  # `at` goes back to the moment of a point that is acted on late
        self.facts: list[Fact] = []
        self.firing: tuple[str, int] | None = None
        self.granting: Request | None = None  # what is approved by this act, as it stands afterwards

    @property
    def case(self) -> Case:
        if self.maybe is None:
            raise LookupError("the case has not been opened")
        return self.maybe

    @property
    def condition(self) -> Condition:
        condition = self.book.condition_of(self.case.condition, self.case.danger)
        return strict(condition, self.case.absorbed, self.at, self.book)

    # --- telling ------------------------------------------------------------------------------------------------
    def emit(
        self,
        kind: str,
        changes: Iterable[Change] = (),
        *,
        reason: str | None = None,
        intent: Intent | None = None,
        tell: tuple[Told, ...] = (),
        rule: MachineRule | None = None,
    ) -> None:
        """A fact by the actor of this turn. `rule`: the machine chose some of it. The first fact of an approval ends
        the request."""
        granted, self.granting = self.granting, None
        if granted is not None:
            changes = (RequestChanged(granted), *changes)
            tell = (*tell, Told(granted.by.role.value if granted.by.role else "", granted.by.unit or ""))
        self._append(kind, self.who, self.action, changes, reason, intent, tell, rule, self.op_id)

    def machine(
        self,
        kind: str,
        rule: MachineRule,
        changes: Iterable[Change] = (),
        *,
        action: Action | None = None,
        reason: str | None = None,
        intent: Intent | None = None,
        tell: tuple[Told, ...] = (),
    ) -> None:
        """A fact by the machine, with the rule that made it."""
        self._append(kind, SYSTEM, action, changes, reason, intent, tell, rule, None)

    def _append(
        self,
        kind: str,
        actor: ActorRef,
        action: Action | None,
        changes: Iterable[Change],
        reason: str | None,
        intent: Intent | None,
        tell: tuple[Told, ...],
        rule: MachineRule | None,
        op_id: str | None,
    ) -> None:
        ref = RuleRef(rule.value, self.book.version) if rule is not None else None
        fact = Fact(kind, self.at, actor, action, tuple(changes), ref, reason, intent, op_id, tell)
        self.facts.append(fact)
        self.maybe = evolve(self.maybe, fact)

    # --- state and owner ----------------------------------------------------------------------------------------
    def to(self, state: State, lead: str | None = None) -> list[Change]:
        """Enter a state: its owner answers, the stage clocks of the old one stop, flags of the old one fall."""
        changes: list[Change] = [StateChanged(state)]
        owner = owner_in(self.case, state, lead)
        if owner is not None and owner != self.case.owner:
            changes.append(OwnerChanged(owner))
        if lead is not None and lead != self.case.lead:
            changes.append(LeadAssigned(lead))
        flags = self.case.flags
        if flags:
            changes += [FlagDropped(flag) for flag in _DROPPED_ON_LEAVING if flag in flags]
            if Flag.OVERDUE in flags and not self.result_late():
                changes.append(FlagDropped(Flag.OVERDUE))
        changes += self.halt(ClockKind.MORE)
        if CYCLE[state].live:
            changes += self._end_requests("lapsed", lambda request: (request.kind, state) not in BY_STEP)
        return changes

    def result_late(self) -> bool:
        """Whether a clock that the result is measured by has passed its due time."""
        return any(c.kind in RESULT_KINDS and sla.is_late(c, self.at) for c in self.case.clocks)

    def finish(self, state: State, kind: ClosedKind | None) -> list[Change]:
        """End the case: nothing runs, nothing is open."""
        changes = self.to(state)
        changes += self.halt_all()
        changes += self.drop_tasks(*{t.kind for t in self.case.tasks} - {"mediate"})
        changes += [self.task_as(t, TaskState.DONE) for t in open_tasks(self.case, "mediate")]
        changes += self.withdraw_requests()
        changes += [FlagDropped(f) for f in (Flag.SUPERVISED, Flag.ASKED_REPORTER) if f in self.case.flags]
        if kind is not None:
            changes.append(ClosedAs(kind))
        return changes

    # --- clocks -------------------------------------------------------------------------------------------------
    def begin(self, kind: ClockKind, allowance: Allowance | None = None, task_id: str | None = None) -> list[Change]:
        """Start a clock now; nothing where the nature of the matter runs none of that kind."""
        if not runs(self.case.nature, kind):
            return []
        case = self.case
        allowed = allowance or sla.allow(self.book.limit_of(self.condition, kind), self.at, self.book)
        number = sum(1 for c in case.clocks if c.kind is kind) + 1
        clock_id = f"{task_id}:clock" if task_id else f"{case.case_id}:{kind.value}:{number}"
        clock = sla.start(self.book, clock_id, kind, allowed, self.at, case.urgency, task_id)
        return [ClockStarted(shortened(clock, case.absorbed, self.book, case.urgency))]

    def halt(self, *kinds: ClockKind) -> list[Change]:
        """Stop every clock of these kinds that is not stopped."""
        return [self.stopped(c) for c in self.case.clocks if c.kind in kinds and c.state is not ClockState.STOPPED]

    def halt_all(self, spare: frozenset[ClockKind] = frozenset()) -> list[Change]:
        """Stop every clock but those spared (MORE is stopped by `to`)."""
        return [
            self.stopped(c)
            for c in self.case.clocks
            if c.state is not ClockState.STOPPED and c.kind not in spare and c.kind is not ClockKind.MORE
        ]

    def halt_stage(self) -> list[Change]:
        """Stop every clock that does not outlive a state."""
        return self.halt_all(_OUTLIVE_A_STATE)

    def stopped(self, clock: Clock) -> ClockChanged:
        ended = sla.stop(clock, self.at, self.book.calendar)
        if self.firing is not None and self.firing[0] == clock.clock_id:
            ended = sla.fire(ended, self.firing[1])
        return ClockChanged(ended, "stopped")

    def hold(self, *kinds: ClockKind) -> list[Change]:
        """Pause the running clocks of these kinds."""
        running = (c for c in self.case.clocks if c.kind in kinds and c.state is ClockState.RUNNING)
        return [ClockChanged(sla.pause(c, self.at, self.book.calendar), "paused") for c in running]

    def run_on(self) -> list[Change]:
        """Resume every paused clock."""
        paused = (c for c in self.case.clocks if c.state is ClockState.PAUSED)
        return [ClockChanged(sla.resume(c, self.at, self.book, self.case.urgency), "resumed") for c in paused]

    def mark_fired(self, clock: Clock, rung: int) -> None:
        """A point of the ladder is being acted on: the clock carries that when it is stopped in this turn."""
        self.firing = (clock.clock_id, rung)

    def redo(self, kind: ClockKind) -> list[Change]:
        """Go on with what remained of the last clock of a kind, or start one."""
        clock = clock_of(self.case, kind)
        if clock is None:
            return self.begin(kind)
        return [ClockChanged(sla.rework(clock, self.at, self.book, self.case.urgency), "resumed")]

    # --- tasks and requests -------------------------------------------------------------------------------------
    def drop_tasks(self, *kinds: str) -> list[Change]:
        """Open tasks of these kinds are nobody's any more."""
        return [
            self.task_as(t, TaskState.DROPPED) for t in self.case.tasks if t.kind in kinds and t.state in OPEN_TASKS
        ]

    def task_as(self, task: Task, state: TaskState) -> TaskChanged:
        done = self.at if state in (TaskState.DONE, TaskState.WAIVED) else task.done_at
        return TaskChanged(replace(task, state=state, done_at=done))

    def task_id(self, offset: int = 0) -> str:
        return f"{self.case.case_id}:t{len(self.case.tasks) + 1 + offset}"

    def by_desk(self) -> list[Change]:
        """Who takes it in or files it at the street does not check it later."""
        return [HandledBy(self.who.account, desk=True)] if self.who.account is not None else []

    def sampled(self) -> list[Change]:
        """Of what ends without the street, a share is looked at again."""
        return [FlagRaised(Flag.AUDIT_SAMPLE)] if self.book.audit_due(self.case.case_id) else []

    def withdraw_requests(self) -> list[Change]:
        """Nothing is asked for any more."""
        return self._end_requests("withdrawn", lambda _: True)

    def _end_requests(self, status: str, ends: Callable[[Request], bool]) -> list[Change]:
        """The one being granted ends with its own fact."""
        granting = self.granting.request_id if self.granting else None
        ending = (r for r in pending(self.case) if r.request_id != granting and ends(r))
        return [RequestChanged(replace(r, status=status)) for r in ending]


def owner_in(case: Case, state: State, lead: str | None = None) -> Owner | None:
    """Who answers for the case in a state; None once it has ended."""
    row = CYCLE[state]
    if not row.owner:
        return None
    tier = row.tier or case.tier
    if state in (State.DISPATCHED, State.HANDLING):
        return Owner(tier, lead or case.lead or case.spot.street, Role.HANDLING_UNIT)
    if state in (State.AT_DISTRICT, State.DISTRICT_HANDLING):
        return Owner(tier, "district", Role.DISTRICT)
    role = row.owner[0]
    if state is State.VERIFIED and tier in (Tier.GRID, Tier.COMMUNITY):
        role = Role.COMMUNITY_SECRETARY
    return Owner(tier, _area(case, tier), role)


def _area(case: Case, tier: Tier) -> str:
    spot = case.spot
    if tier is Tier.GRID:
        return spot.grid or spot.community or spot.street
    if tier is Tier.COMMUNITY:
        return spot.community or spot.street
    return "district" if tier is Tier.DISTRICT else spot.street

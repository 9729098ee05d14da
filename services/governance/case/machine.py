"""What the machine does by itself: alerting, calling up, dispatching, signing, and acting at the points of a ladder.

Each such fact carries its rule and the rulebook's version, so that it can be shown, explained and taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from services.governance import sla
from services.governance.acts import (
    Change,
    Clock,
    ClockChanged,
    FactKind,
    FlagRaised,
    Rung,
    Task,
    TaskGiven,
    TaskState,
    Told,
)
from services.governance.case import calling, requests
from services.governance.case.classify import chosen_by_machine, matter_of
from services.governance.case.coordination import assign, can_auto_dispatch, file_as
from services.governance.case.model import Case, had_check
from services.governance.case.turn import Turn
from services.governance.cycle import Action, ClockKind, Flag, Intent, MachineRule, State
from services.governance.routing import RouteKind, match
from services.governance.tiers import NEXT_POST, RungAct

_CALLED_BY_GRID = frozenset({State.REPORTED, State.GRID_HANDLING})
_BELOW_STREET = frozenset({State.REPORTED, State.GRID_HANDLING, State.AT_COMMUNITY, State.COMMUNITY_HANDLING})


# --- danger ---------------------------------------------------------------------------------------------------------
def alert(turn: Turn, *, by_reporter: bool = False) -> None:
    """U0 and U1 stand at the street in the commit of the report or reclassification; all three tiers are told."""
    case = turn.case
    if case.state not in _BELOW_STREET:
        return
    changes: list[Change] = [*calling.direct_skip(case), *calling.into_street(turn)]
    tell = calling.told_all_tiers(case)
    if by_reporter:
        turn.action = Action.CALL_UP_DIRECT
        turn.emit(FactKind.CALLED, changes, reason="direct", tell=tell)
    elif turn.book.does(MachineRule.ALERT_URGENT):
        rule, action = MachineRule.ALERT_URGENT, Action.CALL_UP_DIRECT
        turn.machine(FactKind.CALLED, rule, changes, action=action, reason="direct", tell=tell)


# --- calls ----------------------------------------------------------------------------------------------------------
def call_up_by_machine(turn: Turn, rule: MachineRule, reason: str) -> None:
    """The tier above takes over: the community, or the street where there is none or the community was silent."""
    case = turn.case
    to_community = case.state in _CALLED_BY_GRID and case.spot.community is not None
    changes = calling.into_community(turn) if to_community else calling.into_street(turn)
    above = calling.told_community(case) if to_community else calling.told_street(case)
    silent = Told("owner_before", case.owner.code if case.owner else "")
    action = Action.AUTO_CALL_UP
    turn.machine(FactKind.CALLED, rule, changes, action=action, reason=reason, tell=(silent, *above))


def auto_dispatch(turn: Turn) -> None:
    """File and dispatch where exactly one catalogue line fits; otherwise leave it to a person."""
    case = turn.case
    if case.state is not State.AT_STREET or not can_auto_dispatch(turn):
        return
    classified = chosen_by_machine(case, turn.book)
    found = match(matter_of(case, classified, turn.book), turn.book.catalogue)
    if len(found.lines) != 1 or found.kind is RouteKind.FALLBACK or case.imported_unit is not None:
        return
    line = found.lines[0]
    file_as(turn, classified, MachineRule.DISPATCH)
    assign(turn, line.lead, line.co_units, FactKind.DISPATCHED, MachineRule.DISPATCH)


# --- points of a ladder ---------------------------------------------------------------------------------------------
_Step = Callable[[Turn, Clock, Rung], None]


def _fired(turn: Turn, clock: Clock, rung: Rung) -> ClockChanged:
    return ClockChanged(sla.act_on(clock, rung, turn.now, turn.book), "rung")


def _told(turn: Turn, clock: Clock, rung: Rung) -> tuple[Told, ...]:
    step = turn.book.ladders[clock.kind].step_of(rung.rung)
    return tuple(_on_duty(post, turn.around.nobody) for post in step.tell) if step is not None else ()


def _on_duty(post: str, nobody: frozenset[str]) -> Told:
    """Where nobody holds the post the next of the roster is told, and the fact says in whose place."""
    held = post
    while held in nobody and held in NEXT_POST:
        held = NEXT_POST[held]
    return Told(post) if held == post or held in nobody else Told(held, "", post)


def _remind(turn: Turn, clock: Clock, rung: Rung) -> None:
    changes: list[Change] = [_fired(turn, clock, rung), FlagRaised(Flag.DUE_SOON)]
    turn.machine(FactKind.REMINDED, MachineRule.LADDER, changes, reason=clock.kind.value, tell=_told(turn, clock, rung))


def _overdue(turn: Turn, clock: Clock, rung: Rung) -> None:
    """Late: everybody who must look is told, and the holder is urged once. The owner stays. A whistle that the district
    has not answered is sent again, as it was signed."""
    changes: list[Change] = [_fired(turn, clock, rung), FlagRaised(Flag.OVERDUE), FlagRaised(Flag.URGED)]
    intent = Intent.WHISTLE if clock.kind is ClockKind.DISTRICT_RESPONSE else None
    tell, reason = _told(turn, clock, rung), clock.kind.value
    turn.machine(FactKind.OVERDUE, MachineRule.LADDER, changes, reason=reason, intent=intent, tell=tell)


def _force(turn: Turn, clock: Clock, rung: Rung) -> None:
    changes: list[Change] = [_fired(turn, clock, rung), FlagRaised(Flag.FORCED_CHOICE)]
    tell = _told(turn, clock, rung)
    turn.machine(FactKind.CHOICE_FORCED, MachineRule.LADDER, changes, reason=clock.kind.value, tell=tell)


def _supervise(turn: Turn, clock: Clock, rung: Rung) -> None:
    """督办 for being late: the holder owes an answer by the time the step comes again. One order at a time."""
    step = turn.book.ladders[clock.kind].step_of(rung.rung)
    if Flag.SUPERVISED in turn.case.flags or step is None or step.every is None:
        _force(turn, clock, rung)
        return
    changes: list[Change] = [_fired(turn, clock, rung), FlagRaised(Flag.SUPERVISED)]
    changes += turn.begin(ClockKind.SUPERVISION, sla.allow(step.every, turn.at, turn.book))
    tell = (*_told(turn, clock, rung), Told("owner"))
    turn.machine(FactKind.SUPERVISED, MachineRule.LADDER, changes, reason="timeout", tell=tell)


def _escalate(turn: Turn, clock: Clock, rung: Rung) -> None:
    """A street leader must look; the platform hears of it only where the category is marked. The owner stays."""
    category = turn.book.category_of(turn.case.category)
    if category is None or not category.notice_platform:
        _force(turn, clock, rung)
        return
    changes: list[Change] = [_fired(turn, clock, rung), FlagRaised(Flag.PLATFORM_NOTICED)]
    tell, reason = _told(turn, clock, rung), clock.kind.value
    turn.machine(FactKind.ESCALATED, MachineRule.LADDER, changes, reason=reason, intent=Intent.NOTICE, tell=tell)


def _call_up(turn: Turn, clock: Clock, rung: Rung) -> None:
    from_grid = turn.case.state in _CALLED_BY_GRID
    rule = MachineRule.CALL_UP_GRID if from_grid else MachineRule.CALL_UP_COMMUNITY
    if not turn.book.does(rule):
        _overdue(turn, clock, rung)
        return
    turn.mark_fired(clock, rung.rung)
    call_up_by_machine(turn, rule, "silent")
    auto_dispatch(turn)


def _sign(turn: Turn, clock: Clock, rung: Rung) -> None:
    changes: list[Change] = [_fired(turn, clock, rung), FlagRaised(Flag.SIGNED)]
    tell = (Told("HU", turn.case.lead or ""),)
    turn.machine(FactKind.SIGNED, MachineRule.SIGN, changes, action=Action.AUTO_SIGN, tell=tell)


def _run_on(turn: Turn, clock: Clock, rung: Rung) -> None:
    turn.mark_fired(clock, rung.rung)
    turn.machine(FactKind.RESUMED, MachineRule.LADDER, calling.more_ends(turn), reason="no_answer")


def _resume(turn: Turn, clock: Clock, rung: Rung) -> None:
    turn.mark_fired(clock, rung.rung)
    requests.resume_by_machine(turn)


def _alert_next(turn: Turn, clock: Clock, rung: Rung) -> None:
    """The next unit of the catalogue line is made ready; the lead stays who it is."""
    routed = turn.case.routed
    line = next((x for x in turn.book.catalogue if routed and x.id == routed.line), None)
    units = tuple(Told("HU", unit) for unit in (line.next_units if line else ()))
    tell = (*_told(turn, clock, rung), *units)
    changes = [_fired(turn, clock, rung)]
    turn.machine(FactKind.REMINDED, MachineRule.LADDER, changes, reason=clock.kind.value, tell=tell)


def _pass_on(turn: Turn, clock: Clock, rung: Rung) -> None:
    """The check goes to the next of the chain; where nobody is left, it is said to who must look then."""
    case, found = turn.case, turn.around.verifier
    barred = had_check(case) | case.handlers | case.clerks
    if found is None or found.account is None or found.account in barred or not turn.book.does(MachineRule.CHECK_TASK):
        _force(turn, clock, rung)
        return
    kind, grid = clock.kind.value, case.spot.grid or ""
    given = Task(turn.task_id(), kind, None, found.account, TaskState.DOING, turn.at)
    changes = [_fired(turn, clock, rung), *turn.drop_tasks(kind), TaskGiven(given)]
    tell = (Told("another_worker", grid), Told("owner_before", grid))
    turn.machine(FactKind.CHECK_PASSED_ON, MachineRule.CHECK_TASK, changes, reason=kind, tell=tell)


_STEPS: Mapping[str, _Step] = {
    RungAct.REMIND.value: _remind,
    RungAct.OVERDUE.value: _overdue,
    RungAct.FORCE_CHOICE.value: _force,
    RungAct.SUPERVISE.value: _supervise,
    RungAct.ESCALATE.value: _escalate,
    RungAct.CALL_UP.value: _call_up,
    RungAct.SIGN.value: _sign,
    RungAct.RUN_ON.value: _run_on,
    RungAct.RESUME.value: _resume,
    RungAct.ALERT_NEXT.value: _alert_next,
    RungAct.NEXT_CHECKER.value: _pass_on,
}
# Acts that move the case: done late (the system was down), they count from when they were done, so that whoever takes
# over has his whole time.
_MOVING = frozenset({RungAct.CALL_UP.value, RungAct.RESUME.value, RungAct.RUN_ON.value})


def _makes_sense(case: Case, clock: Clock, rung: Rung) -> bool:
    """Whether the act still has something to do; if not, the point passes in silence."""
    if rung.act == RungAct.CALL_UP:
        awaited = {ClockKind.GRID_RESPONSE: State.REPORTED, ClockKind.COMMUNITY_RESPONSE: State.AT_COMMUNITY}
        return awaited.get(clock.kind) is case.state
    if rung.act == RungAct.SIGN:
        return case.state is State.DISPATCHED and Flag.SIGNED not in case.flags
    if rung.act == RungAct.RESUME:
        return case.state is State.SUSPENDED
    if rung.act == RungAct.RUN_ON:
        return Flag.AWAITING_MORE in case.flags
    return True


def next_point(case: Case, now: datetime) -> tuple[Clock, Rung] | None:
    """The earliest point before `now` that has not been acted on. A point exactly at `now` is still in time."""
    earliest: tuple[Clock, Rung] | None = None
    for clock in case.clocks:
        if clock.running_since is None:
            continue
        for rung in clock.rungs:
            if rung.at >= now or (earliest is not None and rung.at >= earliest[1].at):
                continue
            if rung.rung not in clock.fired and _makes_sense(case, clock, rung):
                earliest = (clock, rung)
    return earliest


def settle(turn: Turn, now: datetime) -> None:
    """Act on every clock point that has passed, earliest first, as of its own moment: whoever came first, the case
    is the same."""
    turn.now = now
    found = next_point(turn.case, now)
    while found is not None:
        clock, rung = found
        late = now - rung.at > timedelta(seconds=turn.book.settings.late_s)
        moment = now if late and rung.act in _MOVING else rung.at
        turn.at = max(moment, turn.case.last_at)
        _STEPS[rung.act](turn, clock, rung)
        turn.firing = None
        found = next_point(turn.case, now)
    turn.at = now

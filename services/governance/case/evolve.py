"""Applying a fact: the fold over its changes. Never refuses, never asks the time; replay gives the same case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from services.governance.acts import (
    Classified,
    ClockChanged,
    ClockStarted,
    ClockState,
    ClosedAs,
    Counted,
    Fact,
    FactKind,
    FlagDropped,
    FlagRaised,
    Followed,
    HandledBy,
    LeadAssigned,
    LetGo,
    Moved,
    Opened,
    OwnerChanged,
    ReportAttached,
    RequestChanged,
    Restored,
    Routed,
    Skipped,
    StateChanged,
    TaskChanged,
    TaskGiven,
    TookIn,
    Undo,
)
from services.governance.case.model import Case, pending
from services.governance.cycle import Flag, MachineRule, Role, State, remembered, stage_of_state

_FIELDS = tuple(Case.__dataclass_fields__)
_VALUES = attrgetter(*_FIELDS)
_Draft = dict[str, Any]  # the fields of the case being made, by name

# What stands again, as it stood, when an act is taken back; tasks, clocks and requests are put together anew.
_TAKEN_BACK = tuple(
    name
    for name in _FIELDS
    if name in Undo.__dataclass_fields__ and name not in ("tasks", "clocks", "requests", "absorbed")
)

# What an actor decides on; other changes raise the sequence alone.
_WEIGHTY = frozenset(
    {Opened, StateChanged, OwnerChanged, Classified, Moved, LeadAssigned, ClockStarted}
    | {TaskGiven, TaskChanged, RequestChanged, Restored, ClosedAs}
)
_DESK = frozenset({Role.INTAKE_CLERK, Role.DISPATCHER, Role.DUTY_CHIEF})
_WEIGHTY_CLOCKS = frozenset({"paused", "resumed", "extended", "recomputed", "recalled"})
_RECALLABLE = frozenset(
    {
        MachineRule.ASSIGN_BRANCH,
        MachineRule.ALERT_URGENT,
        MachineRule.CALL_UP_GRID,
        MachineRule.CALL_UP_COMMUNITY,
        MachineRule.DISPATCH,
        MachineRule.CHECK_TASK,
        MachineRule.RESUME_REVIEW,
        MachineRule.CLOSE,
    }
)


def evolve(case: Case | None, fact: Fact) -> Case:
    """The case after the fact. The first fact of a case begins with `Opened`."""
    changes, weighty = fact.changes, case is None
    if case is None:
        first, changes = changes[0], changes[1:]
        if not isinstance(first, Opened):
            raise TypeError("the first change of a case is Opened")
        draft = _draft(_opened(first, fact))
    else:
        draft = _draft(case) | {"undo": _undo(case, fact)}
    for change in changes:
        kind = type(change)
        _APPLY[kind](draft, change, fact)
        weighty = weighty or kind in _WEIGHTY or (kind is ClockChanged and change.why in _WEIGHTY_CLOCKS)  # type: ignore[union-attr]
    draft["sequence"] += 1
    draft["version"] += weighty
    draft["last_at"] = max(draft["last_at"], fact.at)
    if fact.actor.role in _DESK and fact.actor.account is not None:
        draft["desk"] = draft["desk"] | {fact.actor.account}
    if fact.kind == FactKind.REOPENED or (fact.kind == FactKind.VISITED and fact.reason != "not_reached"):
        draft["grade"] = fact.reason if fact.kind == FactKind.VISITED else None
    if fact.op_id is not None and fact.action is not None:
        operation = f"{fact.action.value}:{fact.op_id}"
        if operation not in draft["operations"]:
            draft["operations"] = (*draft["operations"], operation)
    return Case(**draft)


def _draft(case: Case) -> _Draft:
    return dict(zip(_FIELDS, _VALUES(case), strict=True))


def _opened(change: Opened, fact: Fact) -> Case:
    c = change.command
    return Case(
        case_id=c.case_id,
        case_no=c.case_no,
        opened_at=c.reported_at,
        last_at=fact.at,
        rulebook=change.rulebook,
        source=c.source,
        nature=c.nature,
        staff=c.staff,
        history=c.recorded is not None,
        danger=c.danger or c.life,
        category=c.category,
        spot=c.spot,
        reports=(c.report_id,),
        reporter=c.reporter.account,
        imported_unit=c.imported_unit,
        earlier=c.earlier,
    )


def _undo(case: Case, fact: Fact) -> Undo | None:
    kept = case.undo
    if case.state is State.MERGED:
        return kept
    if fact.kind == FactKind.MERGED:
        return standing_before(case, fact, FactKind.MERGED.value, merged=True)
    if fact.actor.account is not None:
        return None  # somebody has acted since
    if fact.rule is None or fact.rule.rule not in _RECALLABLE:
        return kept
    if kept is not None and kept.rule == fact.rule.rule and kept.at == fact.at:
        return kept  # the second fact of one machine act
    return standing_before(case, fact, fact.rule.rule)


def standing_before(case: Case, fact: Fact, rule: str, *, merged: bool = False) -> Undo:
    """How the case stood before a fact, to go back to."""
    return Undo(
        rule=rule,
        at=fact.at,
        action=fact.action,
        clocks=tuple(c for c in case.clocks if c.state is not ClockState.STOPPED),
        tasks=case.tasks,
        requests=pending(case) if merged else (),
        absorbed=case.absorbed if merged else (),
        **{name: getattr(case, name) for name in _TAKEN_BACK},
    )


# --- one function per kind of change --------------------------------------------------------------------------------
def _state(draft: _Draft, change: StateChanged, _: Fact) -> None:
    draft["state_before"] = remembered(draft["state"], draft["state_before"], change.to)
    draft["state"] = change.to
    if draft["skipped"]:
        walked = stage_of_state(change.to, draft["state_before"]).value
        draft["skipped"] = tuple(s for s in draft["skipped"] if s[0] != walked)


def _owner(draft: _Draft, change: OwnerChanged, _: Fact) -> None:
    draft["owner"] = change.owner
    draft["tier"] = change.owner.tier


def _classified(draft: _Draft, change: Classified, _: Fact) -> None:
    draft["category"] = change.category
    draft["condition"] = change.condition
    draft["urgency"] = change.urgency
    draft["restricted"] = change.restricted
    draft["class_proposed"] = change.proposed
    flags = draft["flags"] - {Flag.RESTRICTED}
    draft["flags"] = flags | {Flag.RESTRICTED} if change.restricted else flags


def _routed(draft: _Draft, change: Routed, _: Fact) -> None:
    draft["routed"] = change


def _moved(draft: _Draft, change: Moved, _: Fact) -> None:
    draft["spot"] = change.spot


def _lead(draft: _Draft, change: LeadAssigned, _: Fact) -> None:
    draft["lead"] = change.unit


def _clock_started(draft: _Draft, change: ClockStarted, _: Fact) -> None:
    draft["clocks"] = (*draft["clocks"], change.clock)


def _clock_changed(draft: _Draft, change: ClockChanged, _: Fact) -> None:
    clock = change.clock
    draft["clocks"] = tuple(clock if c.clock_id == clock.clock_id else c for c in draft["clocks"])


def _task_given(draft: _Draft, change: TaskGiven, _: Fact) -> None:
    draft["tasks"] = (*draft["tasks"], change.task)


def _task_changed(draft: _Draft, change: TaskChanged, _: Fact) -> None:
    task = change.task
    draft["tasks"] = tuple(task if t.task_id == task.task_id else t for t in draft["tasks"])


def _request(draft: _Draft, change: RequestChanged, _: Fact) -> None:
    request = change.request
    others = tuple(r for r in draft["requests"] if r.request_id != request.request_id)
    draft["requests"] = (*others, request)


def _raised(draft: _Draft, change: FlagRaised, fact: Fact) -> None:
    draft["flags"] = draft["flags"] | {change.flag}
    if change.flag is Flag.URGED:
        draft["last_urged"] = fact.at


def _dropped(draft: _Draft, change: FlagDropped, _: Fact) -> None:
    draft["flags"] = draft["flags"] - {change.flag}


def _report(draft: _Draft, change: ReportAttached, _: Fact) -> None:
    if change.report_id not in draft["reports"]:
        draft["reports"] = (*draft["reports"], change.report_id)
    draft["photos"] = tuple(dict.fromkeys((*draft["photos"], *change.photo_ids)))


def _followed(draft: _Draft, change: Followed, _: Fact) -> None:
    draft["master"] = change.master


def _took_in(draft: _Draft, change: TookIn, _: Fact) -> None:
    draft["absorbed"] = (*draft["absorbed"], *change.duplicates)
    taken = (report for duplicate in change.duplicates for report in duplicate.reports)
    draft["reports"] = tuple(dict.fromkeys((*draft["reports"], *taken)))


def _let_go(draft: _Draft, change: LetGo, _: Fact) -> None:
    draft["absorbed"] = tuple(d for d in draft["absorbed"] if d not in change.duplicates)
    reports = {report for duplicate in change.duplicates for report in duplicate.reports}
    draft["reports"] = tuple(r for r in draft["reports"] if r not in reports)


def _handled(draft: _Draft, change: HandledBy, _: Fact) -> None:
    part = "clerks" if change.desk else "handlers"
    draft[part] = draft[part] | {change.account}


def _counted(draft: _Draft, change: Counted, _: Fact) -> None:
    counters = dict(draft["counters"])
    counters[change.what] = counters.get(change.what, 0) + 1
    draft["counters"] = tuple(counters.items())


def _skipped(draft: _Draft, change: Skipped, _: Fact) -> None:
    draft["skipped"] = change.stages


def _restored(draft: _Draft, change: Restored, _: Fact) -> None:
    undo = change.undo
    for name in _TAKEN_BACK:
        draft[name] = getattr(undo, name)
    given = {t.task_id for t in undo.tasks}
    draft["tasks"] = (*undo.tasks, *(t for t in draft["tasks"] if t.task_id not in given))
    asked = {r.request_id: r for r in undo.requests}  # what was decided meanwhile stays decided
    draft["requests"] = tuple(asked.get(r.request_id, r) if r.status == "withdrawn" else r for r in draft["requests"])
    draft["undo"] = None


def _closed(draft: _Draft, change: ClosedAs, fact: Fact) -> None:
    draft["closed_as"] = change.kind
    if change.recorded_unit is not None:
        draft["recorded_unit"] = change.recorded_unit
    draft["closed_at"] = (change.at or fact.at) if change.kind is not None else None


_APPLY: Mapping[type, Callable[[_Draft, Any, Fact], None]] = {
    StateChanged: _state,
    OwnerChanged: _owner,
    Classified: _classified,
    Routed: _routed,
    Moved: _moved,
    LeadAssigned: _lead,
    ClockStarted: _clock_started,
    ClockChanged: _clock_changed,
    TaskGiven: _task_given,
    TaskChanged: _task_changed,
    RequestChanged: _request,
    FlagRaised: _raised,
    FlagDropped: _dropped,
    ReportAttached: _report,
    Followed: _followed,
    TookIn: _took_in,
    LetGo: _let_go,
    HandledBy: _handled,
    Counted: _counted,
    Skipped: _skipped,
    Restored: _restored,
    ClosedAs: _closed,
}

"""Case → its row. Pure: the same case always gives the same columns.

Times of a row come from the case's running clocks: `stage_due_at` is the next limit that somebody must keep now,
`due_at` the limit of the work itself, `due_soon_at` the first rung before the limit (75 %), `twice_at` when twice the
limit will be used. In which lists the case stands is `store.standing`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import orjson

from schemas.asked import Asked, dump_asked
from schemas.cases import co_units, dump_case, dump_fact
from services.dispatch.store.audience import audience_of
from services.dispatch.store.standing import NOWHERE, Standing, Times, is_unhappy, stand
from services.governance.acts import Clock, ClockState, Fact, Request, Task
from services.governance.case import OPEN_TASKS, Case, pending, stage_of
from services.governance.cycle import CYCLE, Action, ClockKind, State
from services.governance.sla import over_limit
from services.governance.tiers import RungAct
from services.governance.worktime import Basis, Calendar, shift

# Clocks beside the stage: the whole case, the window in which a unit may still return, dates that a person named.
_BACKGROUND = frozenset({ClockKind.WHOLE, ClockKind.RETURN_WINDOW, ClockKind.REVIEW, ClockKind.SUPERVISION})
_WORK = frozenset(
    {
        ClockKind.GRID_DISPOSAL,
        ClockKind.COMMUNITY_DISPOSAL,
        ClockKind.HANDLING,
        ClockKind.DISTRICT_HANDLING,
        ClockKind.REPLY,
    }
)
_COUNTED = _WORK | {ClockKind.WHOLE}  # what lateness of a case is measured by
_SOON = 0.75
_NEVER: datetime | str = "-infinity"
_MOST_RATIO = 99_999_999.99
Row = dict[str, Any]


def is_live(case: Case) -> bool:
    """Counted in queues: still moving, or closed with something left to decide (an appeal, how to answer whoever was
    not satisfied); never imported history."""
    return (CYCLE[case.state].live or bool(pending(case)) or is_unhappy(case)) and not case.history


def stage_clock(case: Case) -> Clock | None:
    """The running clock of the case itself that ends first."""
    return min(_pressing(case.clocks), key=lambda clock: clock.due_at, default=None)


def case_row(case: Case, calendar: Calendar) -> Row:
    """All columns of `cases` but summary and address, which are set when the case is opened; as it stands at its last
    fact. `calendar`: of the case's rulebook."""
    counters = dict(case.counters)
    category = case.category
    return {
        "id": case.case_id,
        "case_no": case.case_no,
        **_where_and_whose(case),
        "state": case.state,
        "stage": stage_of(case),
        "tier": case.tier,
        "urgency": case.urgency,
        "nature": case.nature,
        "source": case.source,
        "lead_unit": case.lead,
        "co_units": co_units(case),
        "imported_unit": case.imported_unit or case.recorded_unit,
        "rulebook_lead": case.routed and (case.routed.rulebook_lead or case.routed.lead),
        "scheme": category and category.scheme,
        "scheme_version": category and category.version,
        "category": category and category.code,
        "condition": case.condition,
        "reporter": case.reporter,
        "restricted": case.restricted,
        "history": case.history,
        "live": is_live(case),
        "flags": sorted(case.flags),
        "audience": sorted(audience_of(case)),
        "reports": len(case.reports),
        "hand_overs": counters.get("hand_overs", 0),
        "returns": counters.get("returns", 0),
        **_limits(case),
        **standing_row(case, calendar, case.last_at),
        "opened_at": case.opened_at,
        "last_at": case.last_at,
        "closed_at": case.closed_at,
        "closed_as": case.closed_as,
        "grade": case.grade,
        "version": case.version,
        "sequence": case.sequence,
        "rulebook": case.rulebook,
        "body": orjson.Fragment(dump_case(case)),
    }


def _where_and_whose(case: Case) -> Row:
    owner, spot = case.owner, case.spot
    return {
        "street": spot.street,
        "community": spot.community,
        "grid": spot.grid,
        "cell": spot.cell,
        "lng": spot.lng,
        "lat": spot.lat,
        "owner_tier": owner and owner.tier,
        "owner_code": owner and owner.code,
        "owner_role": owner and owner.role,
    }


def _limits(case: Case) -> Row:
    """What a row shows and a list is sorted by of the case's clocks."""
    clock = stage_clock(case)
    return {
        "due": clock and _due(clock),
        "stage_due_at": clock and clock.due_at,
        "due_soon_at": clock and _soon(clock),
        "due_at": _work_due(case) or (clock and clock.due_at),
        "budget_s": clock and clock.budget_s,
        "last_work_due": _last_work_due(case),
        "over_ratio": _over_ratio(case),
        "review_at": _review_at(case),
    }


def standing_of(case: Case, at: datetime) -> Standing:
    """Where the case stands at `at`."""
    clock = stage_clock(case)
    times = Times(_soon(clock) if clock else None, clock.due_at if clock else None, _review_at(case))
    return stand(case, times, at) if is_live(case) else NOWHERE


def standing_row(case: Case, calendar: Calendar, at: datetime) -> Row:
    """The columns that say where the case stands at `at`, and in which order."""
    clock, found = stage_clock(case), standing_of(case, at)
    return {
        "reply_at": _reply_at(case),
        "twice_at": clock and _twice_at(clock, calendar),
        "arrival": f"{case.urgency}{case.opened_at.astimezone(UTC):%Y%m%d%H%M%S%f}",
        "queues": found.queues,
        "late": found.late,
        "turns_at": found.turns_at,
        "standing": case.sequence,
    }


def fact_row(fact_id: str, fact: Fact, before: Case | None, after: Case, asked: Asked | None = None) -> Row:
    """One row of `case_facts`: the fact and what it did to the case's standing; `asked` with the first of an answer."""
    moved = before is None or before.state is not after.state
    gone = audience_of(before) - audience_of(after) if before is not None else frozenset()
    return {
        "case_id": after.case_id,
        "sequence": after.sequence,
        "fact_id": fact_id,
        "version": after.version,
        "kind": fact.kind,
        "at": fact.at,
        "account": fact.actor.account,
        "role": fact.actor.role,
        "unit": fact.actor.unit,
        "action": fact.action,
        "reason": fact.reason,
        "intent": fact.intent,
        "rule": fact.rule and fact.rule.rule,
        "rulebook": fact.rule and fact.rule.rulebook,
        "from_state": before.state if before is not None and moved else None,
        "to_state": after.state if moved else None,
        "stage": stage_of(after),
        "left_audience": sorted(gone) or None,
        "body": orjson.Fragment(dump_fact(fact)),
        "asked": orjson.Fragment(dump_asked(asked, opens=before is None)) if asked is not None else None,
    }


def task_row(case: Case, task: Task) -> Row:
    """One row of `tasks`."""
    clock = next((c for c in case.clocks if c.task_id == task.task_id and c.state is not ClockState.STOPPED), None)
    return {
        "case_id": case.case_id,
        "task_id": task.task_id,
        "kind": task.kind,
        "unit": task.unit,
        "person": task.person,
        "state": task.state,
        "open": task.state in OPEN_TASKS and is_live(case),
        "given_at": task.given_at,
        "due_at": clock and clock.due_at,
    }


def request_row(case: Case, request: Request) -> Row:
    """One row of `requests`."""
    return {
        "case_id": case.case_id,
        "request_id": request.request_id,
        "kind": request.kind,
        "account": request.by.account,
        "unit": request.by.unit,
        "status": request.status,
        "at": request.at,
        "until": request.until,
        "reason": request.reason,
        "deciders": [role.value for role in request.deciders],
    }


def _pressing(clocks: Iterable[Clock]) -> list[Clock]:
    return [
        clock
        for clock in clocks
        if clock.state is ClockState.RUNNING and clock.task_id is None and clock.kind not in _BACKGROUND
    ]


def _due(clock: Clock) -> Row:
    return {
        "clock_id": clock.clock_id,
        "kind": clock.kind,
        "due_at": clock.due_at,
        "basis": clock.basis,
        "started_at": clock.started_at,
        "budget_s": clock.budget_s,
        "provisional": clock.provisional,
    }


def _soon(clock: Clock) -> datetime:
    early = [rung.at for rung in clock.rungs if rung.act == RungAct.REMIND and rung.at < clock.due_at]
    return max(early, default=clock.started_at + _SOON * (clock.due_at - clock.started_at))


def _twice_at(clock: Clock, calendar: Calendar) -> datetime:
    """When 超时倍数 of a running clock reaches 1, on its own basis."""
    left = 2 * max(1, clock.budget_s) - clock.consumed_s
    return shift(clock.running_since or clock.started_at, max(0, left), clock.basis, calendar)


def _reply_at(case: Case) -> datetime | None:
    orders = (c for c in case.clocks if c.kind is ClockKind.SUPERVISION and c.state is ClockState.RUNNING)
    return min((clock.due_at for clock in orders), default=None)


def _work_due(case: Case) -> datetime | None:
    return min((c.due_at for c in case.clocks if c.state is ClockState.RUNNING and c.kind in _WORK), default=None)


def _last_work_due(case: Case) -> datetime | str:
    """The last due time that a change of the working calendar could move."""
    running = (c.due_at for c in case.clocks if c.state is ClockState.RUNNING and c.basis == Basis.WORK)
    return max(running, default=_NEVER)


def _over_ratio(case: Case) -> float | None:
    """超时倍数 of the clock of the work that went furthest over its limit, once it has stopped; None: none did."""
    stopped = (c for c in case.clocks if c.kind in _COUNTED and c.state is ClockState.STOPPED)
    worst = max((over_limit(c.consumed_s, c.budget_s) for c in stopped), default=0.0)
    return min(worst, _MOST_RATIO) if worst > 0 else None


def _review_at(case: Case) -> datetime | None:
    if case.state is not State.SUSPENDED:
        return None
    granted = (r.until for r in case.requests if r.kind is Action.SUSPEND_REQUEST and r.status == "approved")
    return max((until for until in granted if until is not None), default=None)

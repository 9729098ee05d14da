"""From the rules' own values to what is stored and what is published, and back for what is stored.

Stored forms keep everything; published ones only what may leave dispatch. A stored change carries its class name as
a tag, since several changes have the same fields.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from functools import cache
from typing import Any, get_args

import orjson
from pydantic import TypeAdapter

from schemas.events.case import (
    CASE_KINDS,
    CaseFactV1,
    CaseRecomputedV1,
    CaseRecordedV1,
    CaseReportsV1,
    CaseRequestV1,
    CaseRoutedV1,
    CaseTaskedV1,
    StandingV1,
)
from services.governance.acts import (
    Change,
    ClockChanged,
    Fact,
    LetGo,
    Opened,
    ReportAttached,
    RequestChanged,
    Routed,
    TaskChanged,
    TaskGiven,
    TaskState,
    TookIn,
)
from services.governance.case import Case, stage_of
from services.governance.cycle import Flag

_FACT_FIELDS = tuple(field.name for field in fields(Fact))
_GONE = frozenset({TaskState.DECLINED, TaskState.DROPPED, TaskState.WAIVED})


# --- stored ------------------------------------------------------------------------------------------------------
def dump_case(case: Case) -> bytes:
    """The row's bytes. Sets are written sorted, so that equal cases have equal bytes."""
    return orjson.dumps(case, default=_sorted)


def load_case(raw: bytes) -> Case:
    """The case as it was dumped. Raises pydantic's ValidationError on bytes that no version wrote."""
    return _case_adapter().validate_json(raw)


def dump_fact(fact: Fact) -> bytes:
    """The fact's bytes, each change under its tag."""
    stored = {name: getattr(fact, name) for name in _FACT_FIELDS}
    stored["changes"] = [[type(change).__name__, change] for change in fact.changes]
    return orjson.dumps(stored, default=_sorted)


def load_fact(raw: bytes) -> Fact:
    """The fact as it was dumped."""
    stored: dict[str, Any] = orjson.loads(raw)
    adapters = _change_adapters()
    stored["changes"] = tuple(adapters[tag].validate_python(change) for tag, change in stored["changes"])
    return _fact_adapter().validate_python(stored)


def _sorted(value: object) -> list[str]:
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no stored form")


@cache
def _case_adapter() -> TypeAdapter[Case]:
    return TypeAdapter(Case)


@cache
def _fact_adapter() -> TypeAdapter[Fact]:
    return TypeAdapter(Fact)


@cache
def _change_adapters() -> dict[str, TypeAdapter[Change]]:
    return {cls.__name__: TypeAdapter(cls) for cls in get_args(Change)}


# --- published -----------------------------------------------------------------------------------------------------
# The rules' values are read by attribute: what is published has the same names, so that no copy can drift.
def case_event(
    fact: Fact,
    case_after: Case,
    case_before: Case | None = None,
    decided_at: datetime | None = None,
    pictures: tuple[str, ...] = (),
) -> CaseFactV1:
    """The body of the event that tells this fact; its type is `fact.kind`. Raises KeyError for an unpublished kind.

    What a point of a ladder did is told with when it was planned and when it was `decided_at`.
    """
    cls = CASE_KINDS[fact.kind][-1]
    body: dict[str, Any] = {
        "standing": _standing(case_after),
        "actor": fact.actor,
        "action": fact.action,
        "reason": fact.reason,
        "intent": fact.intent,
        "rule": fact.rule,
        "tell": fact.tell,
        "clock": _clock_point(fact, case_before, decided_at),
        "external": _external(fact),
        "pictures": pictures,
    }
    if cls is CaseRoutedV1:
        body["routing"] = next((change for change in fact.changes if isinstance(change, Routed)), None)
    elif cls is CaseTaskedV1:
        body["tasks"] = [change.task for change in fact.changes if isinstance(change, TaskGiven | TaskChanged)]
    elif cls is CaseRequestV1:
        body["request"] = next((c.request for c in fact.changes if isinstance(c, RequestChanged)), None)
    elif cls is CaseReportsV1:
        body |= _reports(fact)
    elif cls is CaseRecomputedV1:
        body["moved"] = _moved(fact)
    elif cls is CaseRecordedV1:
        body["recorded_unit"] = case_after.recorded_unit
        body["overdue"] = Flag.OVERDUE in case_after.flags
    event = cls.model_validate(body)
    assert isinstance(event, CaseFactV1)
    return event


def _external(fact: Fact) -> list[dict[str, str]]:
    """Numbers of other systems that came with a report."""
    brought = (
        change.command.external if isinstance(change, Opened) else change.external
        for change in fact.changes
        if isinstance(change, Opened | ReportAttached)
    )
    return [{"system": system, "number": number} for numbers in brought for system, number in numbers]


def _reports(fact: Fact) -> dict[str, Any]:
    """What came to the case and what left it."""
    attached = [change for change in fact.changes if isinstance(change, ReportAttached)]
    taken = [d for change in fact.changes if isinstance(change, TookIn) for d in change.duplicates]
    gone = [
        report
        for change in fact.changes
        if isinstance(change, LetGo)
        for d in change.duplicates
        for report in d.reports
    ]
    return {
        "attached": [change.report_id for change in attached] + [report for d in taken for report in d.reports],
        "photos": [photo for change in attached for photo in change.photo_ids],
        "detached": gone,
    }


def _moved(fact: Fact) -> list[dict[str, Any]]:
    """Due times before and after, each with the calendar it was counted on."""
    return [
        {
            "clock_id": change.clock.clock_id,
            "kind": change.clock.kind,
            "from_due": change.was.at,
            "to_due": change.clock.due_at,
            "from_calendar": change.was.calendar_rev,
            "to_calendar": change.clock.calendar_rev,
            "provisional": change.clock.provisional,
        }
        for change in fact.changes
        if isinstance(change, ClockChanged) and change.was is not None
    ]


def standing_of(case: Case) -> StandingV1:
    """All that may leave dispatch about a case."""
    return StandingV1.model_validate(_standing(case))


def co_units(case: Case) -> tuple[str, ...]:
    """Units with a co-task that still counts."""
    return tuple(
        task.unit for task in case.tasks if task.kind == "co" and task.unit is not None and task.state not in _GONE
    )


def _clock_point(fact: Fact, before: Case | None, decided_at: datetime | None) -> dict[str, Any] | None:
    known = {clock.clock_id: clock for clock in before.clocks} if before is not None else {}
    for change in fact.changes:
        if not isinstance(change, ClockChanged) or not change.clock.fired:
            continue
        clock, was = change.clock, known.get(change.clock.clock_id)
        rung = clock.fired[-1]
        ended_by_it = change.why == "stopped" and was is not None and rung not in was.fired
        if change.why == "rung" or ended_by_it:
            point = next((r for r in (*(was.rungs if was else ()), *clock.rungs) if r.rung == rung), None)
            return {
                "clock_id": clock.clock_id,
                "kind": clock.kind,
                "rung": rung,
                "act": point.act if point else "",
                "due_at": clock.due_at,
                "at": point and point.at,
                "acted_at": decided_at,
            }
    return None


def _standing(case: Case) -> dict[str, Any]:
    return {
        "case_id": case.case_id,
        "case_no": case.case_no,
        "version": case.version,
        "sequence": case.sequence,
        "state": case.state,
        "stage": stage_of(case),
        "tier": case.tier,
        "owner": case.owner,
        "urgency": case.urgency,
        "nature": case.nature,
        "source": case.source,
        "restricted": case.restricted,
        "history": case.history,
        "category": case.category,
        "condition": case.condition,
        "spot": case.spot,
        "lead_unit": case.lead,
        "co_units": co_units(case),
        "reports": case.reports,
        "flags": sorted(case.flags),
        "clocks": case.clocks,
        "opened_at": case.opened_at,
        "closed_at": case.closed_at,
        "closed_as": case.closed_as,
        "skipped": [{"stage": stage, "why": why} for stage, why in case.skipped],
        "rulebook": case.rulebook,
        "master": case.master,
        "absorbed": [
            {"case_id": d.case.case_id, "case_no": d.case.case_no, "reports": d.reports}
            for d in case.absorbed
            if d.case.case_no
        ],
        "earlier": case.earlier,
    }

"""Saving what happened: case rows, facts, tasks, requests and the events about them, a few statements per batch.

The caller holds the locks of all cases written here; that is what makes the order of the outbox the order of facts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from schemas.asked import Asked
from schemas.cases import case_event
from schemas.envelope import Envelope
from schemas.events.case import CaseCommandRefusedV1
from schemas.registry import newest
from schemas.topics import CASE
from services.chassis.outbox import Outgoing, publish, publishing
from services.dispatch import tables
from services.dispatch.store import Tx
from services.dispatch.store.bulk import Inserting, insert_rows, update_rows
from services.dispatch.store.columns import case_row, fact_row, request_row, task_row
from services.dispatch.store.reports import move_reports
from services.dispatch.store.search_todo import Touched, notes_of
from services.governance.acts import Fact, FactKind, TookIn
from services.governance.case import Case
from services.governance.worktime import Calendar

SOURCE = "grid/dispatch"


@dataclass(frozen=True, slots=True)
class Step:
    """One fact and what it made of the case. `cause` is the event that asked for it, if one did; `asked` what the
    rules were asked, with the first of the facts that answered. `calendar`: of the case's rulebook; `decided_at`: when
    the rules were asked, which is after the fact's own time where a clock was acted on late. `pictures`: what the act
    showed, as it lies in the store of evidence."""

    fact_id: UUID
    fact: Fact
    before: Case | None
    after: Case
    calendar: Calendar
    cause: UUID | None = None
    correlation: str | None = None
    asked: Asked | None = None
    decided_at: datetime | None = None
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """What lists show of a new case, from its first report."""

    summary: str
    address: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A command that a rule refused, as its sender is told."""

    event_id: UUID
    cause: UUID
    correlation: str | None
    at: Any
    body: CaseCommandRefusedV1


class LostCase(RuntimeError):
    """A locked case was not there to be written: the rows and the locks disagree, nothing may be saved."""


async def save(tx: Tx, steps: Sequence[Step], words: Mapping[str, Words]) -> None:
    """Write `steps`, in order. `words` has an entry for every case that is opened by them."""
    if not steps:
        return
    first: dict[str, Case | None] = {}
    last: dict[str, Case] = {}
    calendars: dict[str, Calendar] = {}
    for step in steps:
        first.setdefault(step.after.case_id, step.before)
        last[step.after.case_id] = step.after
        calendars[step.after.case_id] = step.calendar
    written = {case_id: case_row(case, calendars[case_id]) for case_id, case in last.items()}
    opened = [{**written[i], **_texts(words[i])} for i, before in first.items() if before is None]
    changed = [written[i] for i, before in first.items() if before is not None]
    if await update_rows(tx, tables.cases, changed, where="old.sequence < new.sequence") != len(changed):
        raise LostCase(f"{len(changed)} cases were to be updated")
    inserting = Inserting()
    inserting.insert(tables.cases, opened)
    facts = [fact_row(str(step.fact_id), step.fact, step.before, step.after, step.asked) for step in steps]
    inserting.insert(tables.case_facts, facts)
    _add_shares(inserting, first, last)
    acted = {step.after.case_id for step in steps if step.fact.actor.account is not None}
    inserting.insert(tables.search_todo, notes_of(Touched(first[i], after, i in acted) for i, after in last.items()))
    inserting.add(*publishing(tables.outbox, [_event(step) for step in steps]))
    await inserting.write(tx)
    await move_reports(tx, _moved(steps))


async def save_refusals(tx: Tx, refusals: Sequence[Refusal]) -> None:
    """Keep refused commands and answer their senders. Each is the first and only event of its own key."""
    if not refusals:
        return
    rows = [
        {
            "event_id": str(refusal.event_id),
            "command_id": refusal.body.command_id,
            "command": refusal.body.command,
            "case_id": refusal.body.case_id,
            "code": refusal.body.code,
            "at": refusal.at,
        }
        for refusal in refusals
    ]
    await insert_rows(tx, tables.refusals, rows)
    await publish(tx, tables.outbox, [_refused(refusal) for refusal in refusals])


def _add_shares(inserting: Inserting, first: Mapping[str, Case | None], last: Mapping[str, Case]) -> None:
    """Tasks and requests that are new or stand differently now."""
    shares: list[dict[str, Any]] = []
    asked: list[dict[str, Any]] = []
    for case_id, after in last.items():
        before = first[case_id]
        known = {task.task_id: task_row(before, task) for task in before.tasks} if before else {}
        shares += [row for task in after.tasks if (row := task_row(after, task)) != known.get(task.task_id)]
        older = {r.request_id: request_row(before, r) for r in before.requests} if before else {}
        asked += [row for r in after.requests if (row := request_row(after, r)) != older.get(r.request_id)]
    inserting.upsert(tables.tasks, shares)
    inserting.upsert(tables.requests, asked)


def _moved(steps: Sequence[Step]) -> dict[str, str]:
    """Report id → case id, of reports that a merge or its undoing took elsewhere."""
    moved: dict[str, str] = {}
    for step in steps:
        if step.fact.kind == FactKind.UNMERGED:
            moved |= dict.fromkeys(step.after.reports, step.after.case_id)
        elif step.fact.kind == FactKind.ABSORBED:
            taken = (d for change in step.fact.changes if isinstance(change, TookIn) for d in change.duplicates)
            moved |= {report: step.after.case_id for duplicate in taken for report in duplicate.reports}
    return moved


def _event(step: Step) -> Outgoing:
    version, _ = newest(step.fact.kind)
    envelope = Envelope(
        id=step.fact_id,
        type=step.fact.kind,
        version=version,
        source=SOURCE,
        time=step.fact.at,
        subject=step.after.case_id,
        sequence=step.after.sequence,
        data=case_event(step.fact, step.after, step.before, step.decided_at, step.pictures),
        causation_id=step.cause,
        correlation_id=step.correlation,
    )
    return Outgoing(CASE.name, envelope)


def _refused(refusal: Refusal) -> Outgoing:
    envelope = Envelope(
        id=refusal.event_id,
        type="case.command_refused",
        version=1,
        source=SOURCE,
        time=refusal.at,
        subject=refusal.body.command_id,
        sequence=1,
        data=refusal.body,
        causation_id=refusal.cause,
        correlation_id=refusal.correlation,
    )
    return Outgoing(CASE.name, envelope)


def _texts(words: Words) -> dict[str, str]:
    return {"summary": words.summary, "address": words.address}

"""/api/v1/reports: submit, my reports, one report, what its reporter may ask."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import BaseModel

from schemas.api.intake import ReportActionIn, ReportCreatedOut, ReportIn, ReportOut, ReportPageOut
from services.chassis.asgi import Page, page
from services.chassis.auth import CurrentPerson, Person
from services.intake.api.paging import after, cursor
from services.intake.api.room import Room, labels_for, required_key, same_account
from services.intake.api.submitting import take
from services.intake.store import reading
from services.intake.store.reading import ReportSeen
from services.intake.usecases import actions
from services.intake.usecases.refusal import Refusal, unknown_report
from services.intake.usecases.tracking import story
from services.intake.usecases.views import detail_of, row_of
from services.intake.usecases.words import Words

Key = Annotated[str, Depends(required_key)]


class AskedOut(BaseModel):
    """The wish went on (处理中); the report's `pending` is empty again once it is answered."""

    command_id: UUID
    state: str = "asked"


def report_router(room: Room) -> APIRouter:
    """The routes around reports."""
    router = APIRouter(prefix="/api/v1/reports", tags=["reports"])

    @router.post(
        "",
        status_code=201,
        response_model=ReportCreatedOut,
        summary="Submit a report",
        dependencies=[Depends(same_account)],
    )
    async def submit(body: ReportIn, person: CurrentPerson, key: Key) -> Response:
        return await take(room, body, person, key)

    @router.get("", response_model=ReportPageOut, summary="My reports, newest first")
    async def mine(
        person: CurrentPerson,
        asked: Annotated[Page, Depends(page)],
        mine: Annotated[bool, Query(description="only true: others' reports are read in their case")] = True,
    ) -> ReportPageOut:
        if not mine:
            raise Refusal("not_permitted", "mine", status=403)
        async with room.db.reading() as tx:
            rows = await reading.mine(tx, person.account_id, after(asked), asked.limit + 1)
        shown, more = rows[: asked.limit], len(rows) > asked.limit
        return ReportPageOut(items=tuple(row_of(row) for row in shown), next=_next(shown[-1]) if more else None)

    @router.get("/{report_id}", response_model=ReportOut, summary="One report of mine")
    async def one(report_id: UUID, person: CurrentPerson) -> ReportOut:
        return await _whole(room, report_id, person)

    @router.post("/{report_id}/actions/{action}", status_code=202, summary="Ask: urge, withdraw, rate, ask_reopen …")
    async def ask(report_id: UUID, action: str, body: ReportActionIn, person: CurrentPerson, key: Key) -> AskedOut:
        async with room.db.reading() as tx:
            report = _own(await reading.one(tx, report_id), person)
        asked = await actions.ask(room.db, room.ids, person, key, report, action, body)
        return AskedOut(command_id=asked.command_id)

    return router


async def _whole(room: Room, report_id: UUID, person: Person) -> ReportOut:
    """The person's own report with its story. Raises Problem 404 where it is not one of his."""
    async with room.db.reading() as tx:
        report = _own(await reading.one(tx, report_id), person)
        photos = await reading.photos_of(tx, report_id)
        token, pending = await reading.token_of(tx, report_id), await reading.pending_action(tx, report_id)
        answer = await reading.last_answer(tx, report_id)
        case = report.case
        steps = await reading.steps_of(tx, case.case_id) if case else []
        before = await reading.steps_of(tx, case.own) if case and case.own != case.case_id else []
    street = room.directory.streets.get(report.street)
    rulebook = await room.rulebook(report.rulebook)
    sample = bool(street and street.sample)
    told = story(steps, before)
    words = await room.words.of(case.case_id, told) if case else Words({})
    wishes = (pending, answer)
    return detail_of(report, photos, token, wishes, (told, words), rulebook, labels_for(person), sample=sample)


def _own(report: ReportSeen | None, person: Person) -> ReportSeen:
    """A report is its reporter's; to everybody else it does not exist."""
    if report is None or report.reporter_account != person.account_id:
        raise unknown_report()
    return report


def _next(row: ReportSeen) -> str:
    return cursor(row.submitted_at, row.report_id)
